#!/usr/bin/env bash
# Kafka's own dump tool judges our files: every batch valid, the indexes consistent, also while they are being written.
#   tests/log/dump_log.sh DIRECTORY [RECORDS]   checks all segments of a partition's directory (and that they hold RECORDS records)
#   tests/log/dump_log.sh --write WRITER        runs WRITER DIRECTORY (log_writer), dumping its directory while it writes
# Needs java and mvn; the jars come from Maven Central into the user's own cache.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tripos/kafka-dump-log
kafka_version=4.1.0

die() { echo "dump_log: $*" >&2; exit 1; }

if [ ! -s "$cache/classpath-$kafka_version" ]; then
  mkdir -p "$cache"
  sed "s/KAFKA_VERSION/$kafka_version/" "$here/pom.xml" > "$cache/pom.xml"
  mvn -q -f "$cache/pom.xml" dependency:build-classpath -Dmdep.outputFile="$cache/classpath-$kafka_version.new" >&2
  mv "$cache/classpath-$kafka_version.new" "$cache/classpath-$kafka_version"
fi
classpath=$(cat "$cache/classpath-$kafka_version")

dump() { java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$classpath" kafka.tools.DumpLogSegments "$@" 2>&1; }

# All files of a directory. The tool opens the log before its index: entries that a live log gets in between lead behind what it has
# opened, and it ends with NoSuchElementException. Then it is asked again; at rest the first answer counts.
check() {
  local directory=$1 attempts=${2:-1} files out
  files=$(ls "$directory"/*.log "$directory"/*.index "$directory"/*.timeindex | paste -sd,)
  until out=$(dump --deep-iteration --files "$files"); do
    attempts=$((attempts - 1))
    grep -q NoSuchElementException <<< "$out" && [ "$attempts" -gt 0 ] && continue
    die "dump-log failed:
$out"
  done
  grep -q "isvalid: true" <<< "$out" || die "no valid batch in $directory:
$out"
  if grep -nE "isvalid: false|invalid bytes|mismatch|Mismatch|Non-consecutive|out of order|Exception|not found in log" <<< "$out" >&2; then
    die "dump-log finds fault with $directory"
  fi
  grep -c "| offset:" <<< "$out" || true
}

if [ "${1:-}" = --write ]; then
  directory=$(mktemp -d)
  trap 'kill "$writer" 2>/dev/null || true; rm -rf "$directory"' EXIT
  "$2" "$directory/log" &
  writer=$!
  until [ -s "$directory/log/00000000000000000000.log" ]; do sleep 0.05; done
  before=0
  for _ in 1 2 3; do
    now=$(check "$directory/log" 10)
    [ "$now" -gt "$before" ] || die "the log did not grow: $before, then $now records"
    echo "live: $now records, all valid"
    before=$now
  done
  kill -TERM "$writer"
  wait "$writer" || die "the writer failed"
  echo "at rest: $(check "$directory/log") records, all valid"
else
  [ $# -ge 1 ] || die "usage: dump_log.sh DIRECTORY [RECORDS] | --write WRITER"
  records=$(check "$1")
  [ $# -lt 2 ] || [ "$records" = "$2" ] || die "$1 holds $records records, $2 were expected"
  echo "$records records, all valid"
fi
