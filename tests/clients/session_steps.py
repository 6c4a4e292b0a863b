"""The steps of the scripted session: Kafka's console tools, transactional producers (Java and librdkafka), a group of two members of whom
one is killed. The same on every broker: nothing here asks which one it is.
"""

import json
import os
import re
import tempfile

from checks import wait
from groups import Member
from kafka_tools import KafkaTools

# A stack of calls tells where in a tool an error came out: the errors themselves are the broker's.
STACK = r"^(?!at [\w.$/]+\(|\.\.\. \d+ more|Caused by: )"


def partitions_in_order(said):
    """Of kafka-log-dirs, whose partitions stand as they lie in a hash map: another order for other names."""
    return re.sub(r'(?<="partitions":\[)[^\]]*', lambda found: ",".join(sorted(re.split(r"(?<=\}),", found[0]))), said)


class Session:
    def __init__(self, transcript, sabotage=False):
        self.transcript, self.sabotage = transcript, sabotage
        self.name, self.address = transcript.name, transcript.address
        self.tools = KafkaTools(self.address)

    def tool(self, tool, *arguments, stdin="", note="", arrange=lambda said: said, **shown):
        told, fed_lines = arguments, stdin
        if self.sabotage:  # other things are done than the title says
            told = [word.replace("=3600000", "=3600001") for word in arguments]
            fed_lines = stdin[:stdin.rfind("\n", 0, -1) + 1]
        code, said = self.tools.run(tool, *told, stdin=fed_lines)
        fed = f" < {len(stdin.splitlines())} lines" if stdin else ""
        shown.setdefault("only", STACK)
        self.transcript.add(f"{tool} {' '.join(arguments)}{fed}{note}", arrange(said), end=f"exit code {code}", **shown)

    def listed(self, tool, *arguments):
        """A list of all that there is: of it, what is this session's."""
        self.tool(tool, *arguments, only="session", ordered=False)

    def consume(self, topic, count, *arguments, ordered=False):
        self.tool("kafka-console-consumer", "--topic", topic, "--max-messages", str(count), "--timeout-ms", "10000", *arguments,
                  ordered=ordered)

    def say(self, what, found):
        self.transcript.add(what, json.dumps(found, sort_keys=True))


def topics(session):
    topic = f"{session.name}-topic"
    session.tool("kafka-topics", "--create", "--topic", topic, "--partitions", "2", "--replication-factor", "1", "--config",
                 "retention.ms=3600000", "--config", "max.message.bytes=2000")
    session.tool("kafka-topics", "--create", "--topic", topic)
    session.tool("kafka-topics", "--create", "--topic", topic, "--if-not-exists")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}!", "--partitions", "1")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}-none", "--partitions", "0")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}-bad", "--config", "retention.ms=soon")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}-bad", "--config", "no.such.config=1")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}.a")
    session.tool("kafka-topics", "--create", "--topic", f"{topic}_a")
    session.listed("kafka-topics", "--list")
    session.tool("kafka-topics", "--describe", "--topic", topic)
    session.tool("kafka-topics", "--describe", "--topic", f"{session.name}-no-such")
    session.tool("kafka-topics", "--alter", "--topic", topic, "--partitions", "3")
    session.tool("kafka-topics", "--alter", "--topic", topic, "--partitions", "1")
    session.tool("kafka-topics", "--describe", "--topic", topic)
    session.tool("kafka-reassign-partitions", "--list")


def configs(session):
    topic = f"{session.name}-topic"
    entity = ("--entity-type", "topics", "--entity-name", topic)
    session.tool("kafka-configs", *entity, "--alter", "--add-config", "retention.ms=7200000,cleanup.policy=[compact,delete]")
    session.tool("kafka-configs", *entity, "--describe")
    session.tool("kafka-configs", *entity, "--describe", "--all", ordered=False)
    session.tool("kafka-configs", *entity, "--alter", "--add-config", "segment.bytes=-1")
    session.tool("kafka-configs", *entity, "--alter", "--add-config", "cleanup.policy=keep")
    session.tool("kafka-configs", *entity, "--alter", "--add-config", "no.such.config=1")
    session.tool("kafka-configs", *entity, "--alter", "--delete-config", "retention.ms,cleanup.policy")
    session.tool("kafka-configs", *entity, "--describe")
    session.tool("kafka-configs", "--entity-type", "topics", "--entity-name", f"{session.name}-no-such", "--describe")
    session.tool("kafka-configs", "--entity-type", "brokers", "--entity-name", "1", "--alter", "--add-config", "log.retention.ms=86400000")
    session.tool("kafka-configs", "--entity-type", "brokers", "--entity-name", "1", "--describe", ordered=False)
    session.tool("kafka-configs", "--entity-type", "brokers", "--entity-name", "1", "--alter", "--delete-config", "log.retention.ms")
    session.tool("kafka-configs", "--entity-type", "brokers", "--entity-name", "1", "--alter", "--add-config", "node.id=7")


def messages(session):
    topic = f"{session.name}-messages"
    keyed = "".join(f"key {i}:value {i}\n" for i in range(20))
    read_keys = ("--from-beginning", "--property", "print.key=true", "--property", "print.offset=true", "--property",
                 "print.partition=true", "--property", "print.headers=true")
    session.tool("kafka-topics", "--create", "--topic", topic, "--partitions", "2")
    session.tool("kafka-console-producer", "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=:",
                 "--sync", stdin=keyed)
    session.consume(topic, 20, *read_keys)
    session.tool("kafka-console-producer", "--topic", topic, "--property", "parse.headers=true", "--property", "parse.key=true",
                 stdin="trace:one,origin:two\tkey 3\twith headers\n")
    session.consume(topic, 21, *read_keys, "--isolation-level", "read_committed")
    session.consume(topic, 2, "--partition", "0", "--offset", "1", ordered=True)
    for time in ("latest", "earliest", "1000"):
        session.tool("kafka-get-offsets", "--topic", topic, "--time", time, ordered=False)
    session.tool("kafka-get-offsets", "--topic-partitions", f"{topic}:1", "--time", "max-timestamp")
    session.tool("kafka-get-offsets", "--topic", f"{session.name}-no-such")
    session.tool("kafka-log-dirs", "--describe", "--topic-list", topic, "--broker-list", "1", ordered=False, arrange=partitions_in_order,
                 hide=((r'"logDir":"[^"]*"', '"logDir":"DIRECTORY"'), (r'"partition":"(?!' + session.name + r'|session)[^"]*"', "")))
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        session.tool("kafka-console-producer", "--topic", topic, "--compression-codec", codec, "--property", "parse.key=true",
                     "--property", "key.separator=:", stdin=f"1:{codec} one\n2:{codec} two\n")
    session.consume(topic, 29, "--from-beginning")
    session.tool("kafka-console-producer", "--topic", f"{session.name}-topic", "--sync", "--producer-property", "max.request.size=100000",
                 stdin="x" * 5000 + "\n", hide=((r"x{5000}", "X5000"), (r"with key.*bytes with error", "with error")))
    session.tool("kafka-get-offsets", "--topic", f"{session.name}-topic", ordered=False)
    session.tool("kafka-console-producer", "--topic", f"{session.name}-topic!", stdin="to nobody\n",
                 hide=((r"correlation id \d+", "correlation id N"),))


def delete_records(session):
    topic = f"{session.name}-messages"
    for before in (3, 2, 1000, -1):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "offsets.json")
            with open(path, "w") as file:
                json.dump({"partitions": [{"topic": topic, "partition": 0, "offset": before}], "version": 1}, file)
            session.tool("kafka-delete-records", "--offset-json-file", path, note=f" < offset {before}", hide=((folder, "FOLDER"),))
        session.tool("kafka-get-offsets", "--topic", topic, "--time", "earliest", ordered=False)
    session.consume(topic, 1, "--partition", "1", "--offset", "earliest")


def groups(session):
    topic, group = f"{session.name}-grouped", f"{session.name}-group"
    session.tool("kafka-topics", "--create", "--topic", topic, "--partitions", "2")
    session.tool("kafka-console-producer", "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=:",
                 stdin="".join(f"{i}:{i}\n" for i in range(40)))
    session.consume(topic, 40, "--from-beginning", "--group", group)
    session.listed("kafka-consumer-groups", "--list")
    session.listed("kafka-consumer-groups", "--list", "--state", "--type")
    session.listed("kafka-groups", "--list")
    described = ("--describe", "--group", group)
    session.tool("kafka-consumer-groups", *described, ordered=False)
    for extra in (["--members"], ["--members", "--verbose"], ["--state"], ["--offsets", "--verbose"]):
        session.tool("kafka-consumer-groups", *described, *extra, ordered=False)
    reset = ("--reset-offsets", "--group", group, "--topic", topic)
    session.tool("kafka-consumer-groups", *reset, "--shift-by", "-3", "--dry-run", ordered=False)
    session.tool("kafka-consumer-groups", *reset, "--to-offset", "5", "--execute", ordered=False)
    session.tool("kafka-consumer-groups", *reset, "--to-datetime", "2001-01-01T00:00:00.000", "--execute", ordered=False)
    session.tool("kafka-consumer-groups", "--reset-offsets", "--group", group, "--topic", f"{session.name}-no-such", "--to-earliest",
                 "--execute", ordered=False)
    session.tool("kafka-consumer-groups", "--delete-offsets", "--group", group, "--topic", f"{topic}:1", ordered=False)
    session.tool("kafka-consumer-groups", *described, ordered=False)
    session.tool("kafka-consumer-groups", "--describe", "--group", f"{session.name}-no-such")
    session.tool("kafka-consumer-groups", "--delete", "--group", f"{session.name}-no-such")
    two_members(session, topic, group)
    session.tool("kafka-consumer-groups", "--delete", "--group", group)
    session.listed("kafka-consumer-groups", "--list")


def two_members(session, topic, group):
    hide = ((r"rdkafka-[0-9a-f-]{36}", "rdkafka-MEMBER"),)
    members = [Member("confluent", session.address, group, topic) for _ in range(2)]
    try:
        shared = wait(lambda: sorted(len(member.assigned or []) for member in members) == [1, 1])
        session.say("a group of two members of librdkafka: each has a partition", shared)
        for extra in (["--members", "--verbose"], ["--state"]):
            session.tool("kafka-consumer-groups", "--describe", "--group", group, *extra, hide=hide, ordered=False)
        session.tool("kafka-consumer-groups", "--delete", "--group", group)
        session.tool("kafka-consumer-groups", "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute")
        session.tool("kafka-consumer-groups", "--delete-offsets", "--group", group, "--topic", f"{topic}:0", ordered=False)
        members[1].kill()
        session.say("one is killed: the other has both", wait(lambda: members[0].assigned == [0, 1]))
        session.tool("kafka-console-producer", "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=:",
                     stdin="1:after\n")
        session.say("it gets what comes then", wait(lambda: "after" in [message[2] for message in members[0].messages]))
        session.tool("kafka-consumer-groups", "--describe", "--group", group, "--members", "--verbose", hide=hide, ordered=False)
        members[0].leave()
        session.tool("kafka-consumer-groups", "--describe", "--group", group, ordered=False)
        told = [message for member in members for message in member.messages]
        session.say("partition, offset and value of all that they got",
                    sorted({(p, o, v) for p, o, v in told if v != "after"}) + [[v for _, _, v in told].count("after")])
    finally:
        for member in members:
            member.kill()


def transactions(session):
    from confluent_kafka import KafkaException, Producer

    topic, transactional_id = f"{session.name}-transactions", f"{session.name}-transactional"
    session.tool("kafka-topics", "--create", "--topic", topic, "--partitions", "1")

    def producer():
        made = Producer({"bootstrap.servers": session.address, "transactional.id": transactional_id})
        made.init_transactions(60)
        return made

    def send(made, *values):
        for value in values:
            made.produce(topic, value)
        made.flush(60)

    def told(*arguments, **shown):
        session.tool("kafka-transactions", *arguments, **shown)

    describe = ("describe", "--transactional-id", transactional_id)
    producers = ("describe-producers", "--topic", topic, "--partition", "0")
    # Of producer ids and times only that they are there.
    times = ((r"\b\d{13}\b", "TIME"), (r"(?<= )\d+(?= ms\b)", "N"))
    hide_describe = (*times, (r"^(\d+)\s+(\S*transactional)\s+\d+\s+", r"\1 \2 PRODUCER "), (r"TIME\s+\d+\s", "TIME AGE "))
    hide_producers = (*times, (r"^\d+(?=\s+\d+\s+-?\d+\s+\d+\s+TIME)", "PRODUCER"), (r"^\d+(?=\s+\d+\s+\d+\s+-?\d+\s+TIME)", "PRODUCER"))
    hide_list = ((r"(transactional\s+\d+\s+)\d+", r"\1PRODUCER"),)

    first = producer()
    first.begin_transaction()
    send(first, b"one", b"two")
    told("list", hide=hide_list, only="session|^Trans")
    told(*describe, hide=hide_describe)
    told(*producers, hide=hide_producers)
    session.tool("kafka-get-offsets", "--topic", topic)
    first.commit_transaction(60)
    first.begin_transaction()
    send(first, b"never")
    first.abort_transaction(60)
    first.begin_transaction()
    send(first, b"three")
    second = producer()
    try:
        send(first, b"fenced")
        first.commit_transaction(60)
        session.say("the older producer of the id commits", "it could")
    except KafkaException as error:
        session.say("the older producer of the id commits", {"fatal": error.args[0].fatal(), "error": error.args[0].name()})
    second.begin_transaction()
    send(second, b"four")
    second.commit_transaction(60)
    told("list", hide=hide_list, only="session|^Trans")
    told(*describe, hide=hide_describe)
    told(*producers, hide=hide_producers)
    told("describe", "--transactional-id", f"{session.name}-no-such")
    told("find-hanging", "--broker-id", "1", "--max-transaction-timeout", "1")
    session.consume(topic, 3, "--from-beginning", "--isolation-level", "read_committed", ordered=True)
    session.consume(topic, 5, "--from-beginning", "--isolation-level", "read_uncommitted", ordered=True)
    session.tool("kafka-get-offsets", "--topic", topic)
    copied(session, topic)


def copied(session, topic):
    """Kafka's own read-process-write: offsets and records in one transaction."""
    target, group = f"{session.name}-copied", f"{session.name}-copier"
    session.tool("kafka-topics", "--create", "--topic", target, "--partitions", "1")
    session.tool("transactional-message-copier", "--transactional-id", f"{session.name}-copies", "--input-topic", topic, "--output-topic",
                 target, "--input-partition", "0", "--consumer-group", group, "--transaction-size", "2", "--max-messages", "3",
                 hide=((r'"time":"[^"]*"', '"time":TIME'), (r'"time":\d+', '"time":TIME')), only="^(?!.*ProcessLoop)")
    session.consume(target, 3, "--from-beginning", "--isolation-level", "read_committed", ordered=True)
    session.tool("kafka-consumer-groups", "--describe", "--group", group, ordered=False)
    session.tool("kafka-producer-perf-test", "--topic", target, "--num-records", "500", "--record-size", "10", "--throughput", "-1",
                 "--transactional-id", f"{session.name}-perf", "--transaction-duration-ms", "100000",
                 hide=((r"(records sent), .*", r"\1"),))
    session.consume(target, 503, "--from-beginning", "--isolation-level", "read_committed", "--formatter",
                    "org.apache.kafka.tools.consumer.NoOpMessageFormatter")


def ending(session):
    session.tool("kafka-cluster", "cluster-id")
    session.tool("kafka-features", "describe")
    session.tool("kafka-topics", "--delete", "--topic", f"{session.name}-no-such")
    session.tool("kafka-topics", "--delete", "--topic", f"{session.name}-topic.*")
    session.listed("kafka-topics", "--list")


def run_session(transcript, sabotage=False):
    session = Session(transcript, sabotage)
    parts = (topics, configs, messages, delete_records, groups, transactions, ending)
    try:
        for part in (topics, messages) if sabotage else parts:
            part(session)
    finally:
        session.tools.close()
