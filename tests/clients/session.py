"""A scripted session whose transcript is held against Apache Kafka's: session.py HOST:PORT NAME [--sabotage] [--kafka] [--write FILE]

The same steps (session_steps.py) run unchanged on any broker. apache_kafka_session.txt is the transcript of Apache Kafka, one node;
docs/reference/differences.md names the lines that are meant to differ. Each step is a check: it says, line by line, what it said there,
or what the table has instead; a row of the table that no step needs is a failure too.
--kafka: the session runs on Apache Kafka, started for it, whose transcript must be the one kept here. --write: the transcript, to FILE.
--sabotage: another retention than the steps say, and the last line kept back of all that is sent; what tells of them must fail.
"""

import os

import session_text
from apache_kafka import ApacheKafka, version
from checks import HERE, check, judge_arguments, run_checks
from session_steps import run_session

KEPT = os.path.join(HERE, "apache_kafka_session.txt")
DIFFERENCES = os.path.join(HERE, "..", "..", "docs", "reference", "differences.md")


def read(path):
    with open(path) as file:
        return file.read()


# Of these steps the control is made.
TELLING = ("kafka-topics --describe --topic session-topic", "kafka-console-consumer --topic session-messages",
           "kafka-get-offsets --topic session-messages --time latest")


def transcript_of(address, name, sabotage=False):
    transcript = session_text.Transcript(name, address)
    run_session(transcript, sabotage)
    return transcript


def session(options):
    if options.kafka:
        with ApacheKafka({"group.initial.rebalance.delay.ms": "100"}, heap="512M") as kafka:
            transcript = transcript_of(kafka.address, options.name)
        header = f"# Apache Kafka {version()}, one node, in the scripted session. Made by session.py --kafka --write.\n"
    else:
        transcript = transcript_of(options.address, options.name, options.sabotage)
        header = ""
    if options.write:
        with open(options.write, "w") as file:
            file.write(header + transcript.text())
        if not os.path.exists(KEPT):
            return
    wanted, used = session_text.parse(read(KEPT)), set()
    table = {} if options.kafka else session_text.parse_differences(read(DIFFERENCES))
    wanted = session_text.apply(wanted, table, used)
    found = session_text.parse(transcript.text())  # what is compared is what a reader sees
    if options.sabotage:
        titles = [title for title, _ in found if title.startswith(TELLING) and " --partition " not in title]
        wanted, found = ([step for step in steps if step[0] in titles] for steps in (wanted, found))
        for passed, title, why in session_text.compare(wanted, found):
            check(title, passed, why)
        return
    verdicts = session_text.compare(wanted, found)
    for passed, title, why in verdicts:
        check(title, passed, why)
    if not options.kafka:
        unused = [" / ".join(str(part) for part in row) for row in table.keys() - used]
        check("each intended difference is there", not unused, "; ".join(unused))


if __name__ == "__main__":
    parser = judge_arguments("--kafka")
    parser.add_argument("--write", metavar="FILE")
    run_checks(session, parser.parse_args())
