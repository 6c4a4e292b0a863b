"""Kafka's own command-line tools against a running broker: tools.py HOST:PORT NAME [--sabotage]

Topics, producers, consumers, groups, offsets, configurations, as an administrator uses them. NAME begins the names of topics and groups.
--sabotage: messages are kept back, something else is done than what is looked for, or what there is not is looked for.
"""

import os
import re
import subprocess
import sys

from confluent_kafka import Producer

import checks
from checks import HERE, PARTITIONS, Topic, check, run, run_checks, wait
from groups import Member


class Tools:
    def __init__(self, address):
        self.address = address
        classpath = run(os.path.join(HERE, "kafka_classpath"), timeout=600).stdout.strip()
        self.java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", classpath]

    def run(self, main, *arguments, stdin="", check_code=True):
        """What the tool says, its errors too."""
        done = subprocess.run([*self.java, main, "--bootstrap-server", self.address, *arguments], input=stdin, capture_output=True,
                              text=True, timeout=120)
        if check_code and done.returncode != 0:
            raise RuntimeError(f"{main} {' '.join(arguments)} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout if check_code else done.stdout + done.stderr

    def topics(self, *arguments, **options):
        return self.run("org.apache.kafka.tools.TopicCommand", *arguments, **options)

    def groups(self, *arguments, **options):
        return self.run("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", *arguments, **options)

    def produce(self, topic, text, *arguments):
        self.run("org.apache.kafka.tools.ConsoleProducer", "--topic", topic, *arguments, stdin=text)

    def consume(self, topic, count, *arguments):
        said = self.run("org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", topic, "--max-messages", str(count), "--timeout-ms",
                        "5000" if checks.sabotage else "30000", *arguments, check_code=False)
        return [line for line in said.splitlines() if not line.startswith(("Processed a total", "SLF4J"))]


def attempt(name, test):
    """A check that is a function; what it raises fails it alone."""
    try:
        test()
        check(name, True)
    except Exception as error:  # noqa: BLE001
        check(name, False, re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300])


def expect(expected, found):
    if expected != found:
        raise AssertionError(f"expected {expected!r:.200}, found {found!r:.200}")


def topics_and_messages(tools, name):
    topic = f"{name}-console"
    wrong = checks.sabotage
    another = f"{topic}-another" if wrong else topic

    def create():
        tools.topics("--create", "--topic", topic, "--partitions", str(2 - wrong), "--replication-factor", "1", "--config",
                     "retention.ms=3600000")
        if "already exists" not in tools.topics("--create", "--topic", another, check_code=False):
            raise AssertionError("created twice")
        tools.topics("--create", "--topic", topic, "--if-not-exists")
        if topic not in tools.topics("--list").split():
            raise AssertionError("it is not listed")

    def describe():
        described = tools.topics("--describe", "--topic", topic)
        expect(True, re.search(r"PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*retention.ms=3600000", described) is not None)
        expect(2, len(re.findall(r"Leader: \d+\s+Replicas: \d+\s+Isr: \d+", described)))

    def messages(codec):
        keyed = [f"key{i}:{codec} value {i}" for i in range(20)]
        tools.produce(topic, "\n".join(keyed[wrong:]) + "\n", "--compression-codec", codec, "--property", "parse.key=true",
                      "--property", "key.separator=:")
        got = tools.consume(topic, 20, "--group", f"{topic}-{codec}", "--from-beginning", "--property", "print.key=true",
                            "--property", "key.separator=:")
        delete_and_create()
        expect(sorted(keyed), sorted(got))

    def delete_and_create():
        tools.topics("--delete", "--topic", topic)
        expect(False, topic in tools.topics("--list").split())
        tools.topics("--create", "--topic", topic, "--partitions", "2")

    def offsets():
        tools.produce(topic, "a\nb\n" if wrong else "a\nb\nc\n")
        told = tools.run("org.apache.kafka.tools.GetOffsetShell", "--topic", topic, "--time", "latest")
        expect(3, sum(int(line.split(":")[2]) for line in told.split()))
        told = tools.run("org.apache.kafka.tools.GetOffsetShell", "--topic", topic, "--time", "earliest")
        expect([0, 0], [int(line.split(":")[2]) for line in told.split()])

    def configurations():
        entity = ("--entity-type", "topics", "--entity-name", topic)
        value = 7100000 if wrong else 7200000
        tools.run("kafka.admin.ConfigCommand", *entity, "--alter", "--add-config", f"retention.ms={value}")
        expect(True, "retention.ms=7200000" in tools.run("kafka.admin.ConfigCommand", *entity, "--describe"))
        tools.run("kafka.admin.ConfigCommand", *entity, "--alter", "--delete-config", "retention.ms")
        expect(False, "retention.ms=7200000" in tools.run("kafka.admin.ConfigCommand", *entity, "--describe"))

    attempt("kafka-topics: --create, --if-not-exists, --list", create)
    attempt("kafka-topics: --describe", describe)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        attempt(f"console-producer, console-consumer: keys and values, {codec}", lambda codec=codec: messages(codec))
    attempt("kafka-get-offsets: latest, earliest", offsets)
    attempt("kafka-configs: --alter, --describe", configurations)
    attempt("kafka-topics: --alter --partitions", lambda: (
        tools.topics("--alter", "--topic", topic, "--partitions", str(3 + wrong)),
        expect(True, "PartitionCount: 3" in tools.topics("--describe", "--topic", topic))))
    attempt("kafka-broker-api-versions", lambda: expect(True, f"Produce({99 if wrong else 0}): " in tools.run(
        "org.apache.kafka.tools.BrokerApiVersionsCommand")))
    attempt("kafka-log-dirs: --describe", lambda: expect(True, f'"{another}-0"' in tools.run(
        "org.apache.kafka.tools.LogDirsCommand", "--describe", "--topic-list", topic)))
    attempt("kafka-topics: --delete", lambda: (tools.topics("--delete", "--topic", another), expect(
        False, topic in tools.topics("--list").split())))


def groups(tools, name):
    topic = Topic(tools.address, name)
    topic.produce(100)
    group = f"{name}-group"
    wrong = checks.sabotage
    unknown = f"{group}-unknown" if wrong else group
    state = "Stable" if wrong else "Empty"

    def consume(group, count, *arguments):
        return [int(line) for line in tools.consume(topic.name, count, "--group", group, *arguments)]

    first = consume(group, 42 - wrong, "--from-beginning")
    check("console-consumer: --from-beginning --max-messages 42", len(set(first)) == 42, len(first))
    rest = consume(group, 58)
    check("console-consumer: the same group goes on", sorted(first + rest) == list(range(100)), f"{len(rest)} more")
    check("console-consumer: another group starts anew", sorted(consume(group + "-2", 100, "--from-beginning")) == list(range(100)))

    check("consumer-groups: --list", {unknown, group + "-2"} <= set(tools.groups("--list").split()))
    if wrong:
        topic.produce(3)  # two messages that nobody consumed
    described = tools.groups("--describe", "--group", group)
    lags = re.findall(rf"{group}\s+{topic.name}\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)", described)
    without_lag = len(lags) == PARTITIONS and all(lag == "0" for _, _, lag in lags)
    check("consumer-groups: --describe has each partition without lag", without_lag, described)
    check("consumer-groups: --describe --state", state in tools.groups("--describe", "--group", group, "--state"))
    check("consumer-groups: --list --state", re.search(rf"{group}\s+{state}", tools.groups("--list", "--state")) is not None)
    tools.groups("--reset-offsets", "--group", group, "--topic", topic.name, "--to-earliest", "--execute")
    check("consumer-groups: --reset-offsets --to-earliest", sorted(consume(group, 100)) == list(range(100)))
    if not wrong:
        tools.groups("--delete-offsets", "--group", group, "--topic", f"{topic.name}:0")
    left = re.findall(rf"{group}\s+{topic.name}\s+\d+", tools.groups("--describe", "--group", group))
    check("consumer-groups: --delete-offsets", len(left) == PARTITIONS - 1, left)
    member = Member("confluent", tools.address, group, topic.name)
    wait(lambda: member.assigned)
    described = tools.groups("--describe", "--group", group, "--members")
    is_told = re.search(rf"{group}\s+rdkafka-\S+\s+/\S+\s+rdkafka\s+{PARTITIONS + wrong}\b", described) is not None
    check("consumer-groups: --describe --members", is_told, described)
    refused = "not empty" in tools.groups("--delete", "--group", unknown, check_code=False)
    check("consumer-groups: a group with members is not deleted", refused)
    member.kill()
    check("consumer-groups: --delete", "successful" in tools.groups("--delete", "--group", f"{unknown}-2", check_code=False))
    check("consumer-groups: it is gone", group + "-2" not in tools.groups("--list").split())


def transactions(tools, name):
    topic, transactional_id = f"{name}-transactions", f"{name}-id"
    tools.topics("--create", "--topic", topic, "--partitions", "1")
    producer = Producer({"bootstrap.servers": tools.address, "transactional.id": transactional_id})
    producer.init_transactions(30)
    producer.begin_transaction()
    if not checks.sabotage:
        producer.produce(topic, b"open")
    producer.flush(30)

    def told(*arguments):
        return tools.run("org.apache.kafka.tools.TransactionsCommand", *arguments)

    listed = re.search(rf"{transactional_id}\s+\d+\s+(\d+)\s+Ongoing", told("list"))
    check("kafka-transactions: list", listed is not None)
    described = told("describe", "--transactional-id", transactional_id)
    check("kafka-transactions: describe", re.search(rf"Ongoing\s.*{topic}-0", described) is not None, described)
    producers = told("describe-producers", "--topic", topic, "--partition", "0")
    check("kafka-transactions: describe-producers tells where it began",
          listed is not None and re.search(rf"^{listed[1]}\s+0\s+.*\s0\s*$", producers, re.MULTILINE) is not None, producers)
    producer.commit_transaction(30)
    check("kafka-transactions: describe-producers after the end", re.search(r"None\s*$", told(
        "describe-producers", "--topic", topic, "--partition", "0")) is not None)


def all_tools(address, name):
    tools = Tools(address)
    transactions(tools, name)
    topics_and_messages(tools, name)
    groups(tools, name)


if __name__ == "__main__":
    checks.sabotage = sys.argv[3:] == ["--sabotage"]
    run_checks(all_tools, *sys.argv[1:3])
