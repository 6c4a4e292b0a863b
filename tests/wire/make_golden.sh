#!/usr/bin/env bash
# Lets Kafka's own client write golden bytes: make_golden.sh <folder of jars> <messages.txt> <fillings per version> <golden.txt>
# Exit code 77 (skipped) without Java or jars. tests/wire/golden.txt was made so, with 2 fillings:
#   tests/wire/make_golden.sh build/kafka build/generated/wire/messages.txt 2 tests/wire/golden.txt
set -euo pipefail

jars=$1 messages=$2 fillings=$3 golden=$4
command -v java >/dev/null || { echo "SKIPPED: no java"; exit 77; }
ls "$jars"/kafka-clients-*.jar >/dev/null 2>&1 ||
  { echo "SKIPPED: Kafka's jars are not in $jars; tests/wire/fetch_kafka_clients.sh fetches them"; exit 77; }
{
  echo "# Written by tests/wire/GoldenMessages.java with Kafka's own client: kind, name, version, bytes."
  java -cp "$jars/*" "$(dirname "$0")/GoldenMessages.java" "$messages" "$fillings" | uniq
} > "$golden.new"
mv "$golden.new" "$golden"
