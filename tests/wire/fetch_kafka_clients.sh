#!/usr/bin/env bash
# Fetches Kafka's Java client (our judge for schema and bytes) into build/kafka: tests/wire/fetch_kafka_clients.sh [folder]
# Needs Maven and its repository; the tests that ask the judge are skipped without.
set -euo pipefail

version=4.1.0
folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)/build/kafka}
command -v mvn >/dev/null || { echo "mvn is missing: apt-get install maven" >&2; exit 1; }
mkdir -p "$folder"
for artifact in org.apache.kafka:kafka-clients:$version org.apache.kafka:kafka-group-coordinator:$version \
                org.apache.kafka:kafka-transaction-coordinator:$version org.slf4j:slf4j-api:1.7.36; do
  name=$(cut -d: -f2,3 <<<"$artifact" | tr : -).jar
  [[ -s $folder/$name ]] || mvn --quiet --batch-mode dependency:copy -Dartifact="$artifact" -DoutputDirectory="$folder"
  echo "$folder/$name"
done
