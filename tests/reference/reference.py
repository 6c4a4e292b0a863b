#!/usr/bin/env python3
"""docs/reference/kafka.md and metrics.md, made of the program's own tables: reference.py WRITER [--write]

WRITER: the built reference_writer. Without --write: says what is out of date, and fails if something is. A request that no test names
fails, too.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = os.path.join(ROOT, "docs", "reference")
REMEDY = "`./run docs` writes it"

KAFKA = """# Requests of Kafka's protocol

Written by `./run docs` of the broker's table of requests (`src/broker/api/table.cc`), the schema files and the tests; not edited.

A request that is not here, or in another version, is answered with UNSUPPORTED_VERSION (ApiVersions: in the body of version 0, with this
list). Every message of every version here is compared with golden bytes of Kafka's own client, both ways (`tests/wire`); other people's
clients are run against the program by `./run compat`, and against servers that are killed by `./run crash`.

| key | request | versions | tests |
|---|---|---|---|
{rows}

- Produce 0 to 2 are announced, since librdkafka compresses only if they are, and refused: records have magic 2.
- A replication factor above 1 is taken for 1: there is one server.
- WriteTxnMarkers is between brokers, and not served: a transaction that hangs is ended by `tripos txn abort`, which fences its producer.
- ListTransactions 2 (a pattern of ids) is not announced: a stranger's regular expression is not run.
- Security (SaslHandshake, SaslAuthenticate, ACLs), quotas and the newer group protocol (KIP-848) are not served.
"""

METRICS = """# Metrics

Written by `./run docs` of the table in `src/app/metrics/families.cc`; not edited.

`GET /metrics` on the HTTP port, in Prometheus' text format:

```
scrape_configs:
  - job_name: tripos
    static_configs: [{{targets: ["127.0.0.1:9080"]}}]
```

Names and labels are those that the JMX exporter makes of Kafka's own, so that dashboards for Kafka find what they look for; of consumer
groups those of kafka_exporter. Times come twice: as Kafka's quantiles (of the last one to two minutes, `_sum` and `_count` since the
start), and as a histogram (`tripos_…_seconds`), which can be added up over servers. Counters begin at 0 with each start.

| metric | type | labels | meaning |
|---|---|---|---|
{rows}
"""


def table(writer, what):
    done = subprocess.run([writer, what], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def descriptions():
    """Of each request, what its schema file says it is."""
    found = {}
    folder = os.path.join(ROOT, "schema")
    for name in os.listdir(folder):
        if name.endswith(".kafka"):
            with open(os.path.join(folder, name)) as file:
                text = file.read()
            if says := re.match(r"# (\w+): (.+?)\n(?:#\n|[^#])", text, re.DOTALL):
                found[says[1]] = re.sub(r"\s*\n#\s*", " ", says[2])
    return found


def tests():
    """Of each message, the test files that name it."""
    found = {}
    for folder in ("src/broker", "src/client", "tests"):
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if not re.fullmatch(r".*_test\.(cc|py)|testing\w*\.h", name):
                    continue
                with open(os.path.join(path, name)) as file:
                    text = file.read()
                for message in set(re.findall(r"\b(\w+)Request\b", text)):
                    found.setdefault(message, []).append(os.path.relpath(os.path.join(path, name), ROOT))
    return found


def kafka_page(writer):
    says, named, rows, untested = descriptions(), tests(), [], []
    for key, request, least, most in table(writer, "requests"):
        files = sorted(named.get(request, []))
        if not files:
            untested.append(request)
        versions = least if least == most else f"{least}–{most}"
        rows.append(f"| {key} | **{request}**: {says[request]} | {versions} | {', '.join(f'`{file}`' for file in files)} |")
    return KAFKA.format(rows="\n".join(rows)), [f"no test names {request}" for request in untested]


def metrics_page(writer):
    rows = [f"| `{name}` | {kind} | {labels} | {says} |" for name, kind, labels, says in table(writer, "metrics")]
    return METRICS.format(rows="\n".join(rows)), []


def main():
    writer, wrong = sys.argv[1], []
    for name, page in (("kafka.md", kafka_page), ("metrics.md", metrics_page)):
        text, missing = page(writer)
        wrong += missing
        path = os.path.join(PAGES, name)
        if "--write" in sys.argv:
            with open(path, "w") as file:
                file.write(text)
        elif not os.path.exists(path) or open(path).read() != text:
            wrong.append(f"docs/reference/{name} is out of date: {REMEDY}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
