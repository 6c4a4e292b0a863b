"""Single requests, held against Apache Kafka field by field: differential.py HOST:PORT NAME [--kafka] [--write FILE] [--sabotage]
[--only SCENARIO]

The scenarios (scenarios_*.py) send what clients can send, good and bad, in every version that both serve. Each answer must be the one that
Apache Kafka gave, which apache_kafka_answers.txt keeps, or differ as a row of docs/reference/differences.md says. A row that nothing needs
is a failure.
--kafka: the scenarios run on Apache Kafka, started for it, whose answers must be those that are kept. --write: they are written to FILE.
--sabotage: in each answer one field is changed; every scenario must fail.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import answers  # noqa: E402
import intended  # noqa: E402
from apache_kafka import ApacheKafka, version  # noqa: E402
from checks import check, judge_arguments, run_checks  # noqa: E402
from run_scenarios import run  # noqa: E402
from scene import Broker, Wire  # noqa: E402

KEPT = os.path.join(HERE, "apache_kafka_answers.txt")
SETTINGS = {"group.initial.rebalance.delay.ms": "100"}
# Kafka's controller answers a moment before its brokers know.
KAFKA_SETTLES_S = 0.1


def runs_of(address, name, only, settle_s=0.0, told=False):
    wire = Wire()
    try:
        return run(Broker(wire, address, f"diff-{name[-8:]}", settle_s), only, told)
    finally:
        wire.close()


def changed(value):
    """One number or text in it another one; where it says nothing, it says something."""
    if isinstance(value, (bool, str)) or value is None:
        return f"not {value}"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], changed(value[-1])] if value else ["something"]
    last = max(value, default="something")
    return {**value, last: changed(value.get(last))}


def differential(options):
    if options.kafka:
        with ApacheKafka(SETTINGS, heap="512M") as kafka:
            runs = runs_of(kafka.address, options.name, options.only, KAFKA_SETTLES_S, told=True)
        header = f"# Apache Kafka {version()}, one node, asked by the scenarios. Made by differential.py --kafka --write.\n"
    else:
        runs = runs_of(options.address, options.name, options.only)
        header = ""
    if options.sabotage:
        runs = {key: [(label, changed(answer)) for label, answer in steps] for key, steps in runs.items()}
    if options.write:
        with open(options.write, "w") as file:
            file.write(header + answers.write(runs))
        if os.path.abspath(options.write) == KEPT:
            return check("the answers are written", True)
    with open(KEPT) as file:
        wanted = {key: answer for key, answer in answers.read(file.read()).items() if options.only in key[0]}
    rows = [] if options.kafka else intended.read()
    verdicts, used = intended.judge(wanted, runs, rows)
    for title, differences in verdicts.items():
        told = "; ".join(differences[:6]) + (f"; and {len(differences) - 6} more" if len(differences) > 6 else "")
        check(title, not differences, told)
    if not options.kafka and not options.only and not options.sabotage:
        unused = [row.text() for row in rows if row not in used]
        check("each intended difference is there", not unused, "; ".join(unused))


if __name__ == "__main__":
    parser = judge_arguments("--kafka")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--only", metavar="SCENARIO", default="")
    run_checks(differential, parser.parse_args())
