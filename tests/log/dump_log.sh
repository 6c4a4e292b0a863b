#!/usr/bin/env bash
# Kafka's own dump tool judges our files: every batch valid, the indexes consistent, also while they are being written.
#   tests/log/dump_log.sh DIRECTORY [RECORDS]   checks all segments of a partition's directory (and that they hold RECORDS records)
#   tests/log/dump_log.sh --compacted DIRECTORY   the same for a compacted log, whose offsets have gaps
#   tests/log/dump_log.sh --all DATA            checks all partitions of a data directory that nobody writes to
#   tests/log/dump_log.sh --write WRITER        runs WRITER DIRECTORY (log_writer), checking what it has written while it writes
# Needs java and mvn; the jars come from Maven Central into the user's own cache.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() { echo "dump_log: $*" >&2; exit 1; }

classpath=$("$here/../clients/kafka_classpath") || { echo "SKIPPED: Kafka's tools could not be fetched"; exit 77; }

dump() { java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$classpath" kafka.tools.DumpLogSegments "$@" 2>&1; }

# check "FILE…" [LIVE]: the number of records in these files. LIVE: a segment whose last batch may be cut short, being written.
check() {
  local out live=${2:-}
  out=$(dump --deep-iteration --files "$(paste -sd, <<<"$1")") || die "dump-log failed:
$out"
  if [ -n "$live" ]; then out=$(grep -vE "Found [0-9]+ invalid bytes at the end of $(basename "$live")" <<<"$out"); fi
  grep -q "isvalid: true" <<<"$out" || die "no valid batch in:
$1
$out"
  if grep -nE "isvalid: false|invalid bytes|mismatch|Mismatch|$gaps|out of order|Exception|not found in log" <<<"$out" >&2; then
    die "dump-log finds fault with $1"
  fi
  grep -c "| offset:" <<<"$out" || true
}

# A directory's files as they are, the newest index entries first: whatever an index names must stand in the log by then. The tool itself
# opens the log before its index and so meets, in a live directory, entries that lead behind the log that it knows.
copy() {
  rm -rf "$2"
  mkdir "$2"
  cp "$1"/*.timeindex "$2"
  cp "$1"/*.index "$2"
  local index
  for index in "$2"/*.index; do cp "$1/$(basename "$index" .index).log" "$2"; done
}

gaps=Non-consecutive
if [ "${1:-}" = --compacted ]; then
  gaps='no such fault'
  shift
fi

files_of() { find "$@" -name '*.log' -o -name '*.index' -o -name '*.timeindex' | sort; }

if [ "${1:-}" = --write ]; then
  directory=$(mktemp -d)
  trap 'kill "$writer" 2>/dev/null || true; rm -rf "$directory"' EXIT
  "$2" "$directory/log" &
  writer=$!
  until [ -s "$directory/log/00000000000000000000.log" ]; do sleep 0.05; done
  before=0
  for _ in 1 2 3; do
    copy "$directory/log" "$directory/copy"
    now=$(check "$(files_of "$directory/copy")" "$(find "$directory/copy" -name '*.log' | sort | tail -1)")
    [ "$now" -gt "$before" ] || die "the log did not grow: $before, then $now records"
    echo "live: $now records, all valid"
    before=$now
  done
  kill -TERM "$writer"
  wait "$writer" || die "the writer failed"
  echo "at rest: $(check "$(files_of "$directory/log")") records, all valid"
elif [ "${1:-}" = --all ]; then
  echo "$(check "$(files_of "$2/topics" "$2/meta")") records in $(find "$2/topics" -name '*.log' | wc -l) segments"
else
  [ $# -ge 1 ] || die "usage: dump_log.sh [--compacted] DIRECTORY [RECORDS] | --all DATA | --write WRITER"
  records=$(check "$(files_of "$1")")
  [ $# -lt 2 ] || [ "$records" = "$2" ] || die "$1 holds $records records, $2 were expected"
  echo "$records records, all valid"
fi
