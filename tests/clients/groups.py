"""Groups of real clients against a running broker: groups.py HOST:PORT [CLIENT…]

For each client: two members share a topic's partitions; one is killed, the other takes all of them and goes on where it was committed;
a third takes over a share, then leaves cleanly.
Then Kafka's own tools: console consumer (twice the same group, once another), consumer-groups.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PARTITIONS = 4
TIMEOUT_S = 60
failures = 0


def check(name, good, detail=""):
    global failures
    failures += not good
    print(f"{'pass' if good else 'FAIL'}  {name}{f'  ({detail})' if detail and not good else ''}", flush=True)
    return good


def run(*command, timeout=TIMEOUT_S, check_code=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check_code and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} … ended with {done.returncode}: {done.stderr[-2000:]}")
    return done


class Member:
    """A member in a process of its own; keeps what it was last assigned and all that it got."""

    def __init__(self, client, address, group, topic):
        self.assigned = None
        self.messages = []
        self.kcat = client == "kcat"
        if self.kcat:
            command = ["kcat", "-b", address, "-G", group, "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000",
                       "-X", "auto.commit.interval.ms=200", "-X", "auto.offset.reset=earliest", "-u", "-f", "%p %o %s\n", topic]
        else:
            command = [sys.executable, os.path.join(HERE, "member.py"), client, address, group, topic]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if self.kcat else self.errors, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        if self.kcat:
            threading.Thread(target=self.read_kcat_assignment, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if self.kcat:
                partition, offset, value = line.rstrip("\n").split(" ", 2)
                self.messages.append((int(partition), int(offset), value))
                continue
            told = json.loads(line)
            if "assigned" in told:
                self.assigned = told["assigned"]
            else:
                self.messages.append((told["partition"], told["offset"], told["value"]))

    def read_kcat_assignment(self):
        for line in self.process.stderr:
            if "assigned:" in line:
                self.assigned = sorted(int(p) for p in re.findall(r"\[(\d+)\]", line.split("assigned:")[1]))
            elif "revoked" in line:
                self.assigned = []

    def kill(self):
        self.process.kill()
        self.process.wait()

    def leave(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def wait(condition, seconds=TIMEOUT_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


class Topic:
    """A new topic with PARTITIONS partitions; produce() numbers its messages."""

    def __init__(self, address):
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient, NewTopic

        self.name = f"groups-{uuid.uuid4().hex[:8]}"
        self.produced = 0
        self.producer = Producer({"bootstrap.servers": address})
        admin = AdminClient({"bootstrap.servers": address})
        for future in admin.create_topics([NewTopic(self.name, PARTITIONS, 1)]).values():
            future.result(30)

    def produce(self, count):
        for _ in range(count):
            self.producer.produce(self.name, str(self.produced).encode(), partition=self.produced % PARTITIONS)
            self.produced += 1
        if self.producer.flush(30) != 0:
            raise RuntimeError("not all messages were acknowledged")


def values(*members):
    return sorted(int(message[2]) for member in members for message in member.messages)


def shares(*members):
    """All partitions are shared out among these, none twice, none idle."""
    lists = [member.assigned or [] for member in members]
    return all(lists) and sorted(sum(lists, [])) == list(range(PARTITIONS))


def committed(address, group, topic):
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": address, "group.id": group})
    found = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=20)
    consumer.close()
    return sum(max(0, p.offset) for p in found)


def group_of(client, address):
    topic = Topic(address)
    group = f"group-{client}-{uuid.uuid4().hex[:8]}"
    topic.produce(100)
    first = Member(client, address, group, topic.name)
    second = Member(client, address, group, topic.name)
    members = [first, second]
    try:
        check(f"{client}: two members share all partitions", wait(lambda: shares(first, second)), f"{first.assigned} {second.assigned}")
        check(f"{client}: they get each message", wait(lambda: set(values(first, second)) == set(range(100))),
              len(set(values(first, second))))
        check(f"{client}: what they got is committed", wait(lambda: committed(address, group, topic.name) == 100, 30))

        second.kill()
        topic.produce(100)
        check(f"{client}: one is killed, the other takes all partitions", wait(lambda: shares(first)), first.assigned)
        check(f"{client}: and gets all that follows", wait(lambda: set(range(100, 200)) <= set(values(first))), len(values(first)))
        check(f"{client}: goes on where it was committed", len(values(first, second)) == 200,
              f"{len(values(first, second))} messages for 200")

        third = Member(client, address, group, topic.name)
        members.append(third)
        check(f"{client}: a new member gets its share", wait(lambda: shares(first, third)), f"{first.assigned} {third.assigned}")
        third.leave()
        left = time.monotonic()
        check(f"{client}: it leaves, the other takes over", wait(lambda: shares(first)), first.assigned)
        check(f"{client}: without waiting for its session to end", time.monotonic() - left < 5, f"{time.monotonic() - left:.1f} s")
        topic.produce(50)
        check(f"{client}: nothing is lost", wait(lambda: set(values(first, second, third)) == set(range(250))),
              len(set(values(first, second, third))))
    finally:
        for member in members:
            member.kill()

    other = Member(client, address, group + "-2", topic.name)
    check(f"{client}: another group starts from the beginning", wait(lambda: set(values(other)) == set(range(250))), len(values(other)))
    other.kill()
    again = Member(client, address, group, topic.name)
    topic.produce(1)
    # The killed member's session has to end before its partitions are given to another.
    went_on = wait(lambda: 250 in values(again)) and len(values(again)) <= 51
    check(f"{client}: the first group goes on from its commits", went_on, values(again)[:5])
    again.kill()


def kafka_classpath():
    version = "4.1.0"
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tripos", "kafka-tools")
    listed = os.path.join(cache, f"classpath-{version}")
    if not os.path.exists(listed) or os.path.getsize(listed) == 0:
        os.makedirs(cache, exist_ok=True)
        with open(os.path.join(HERE, "..", "log", "pom.xml")) as source, open(os.path.join(cache, "pom.xml"), "w") as target:
            target.write(source.read().replace("KAFKA_VERSION", version))
        run("mvn", "-q", "-f", os.path.join(cache, "pom.xml"), "dependency:build-classpath", f"-Dmdep.outputFile={listed}", timeout=600)
    with open(listed) as source:
        return source.read().strip()


def java(address):
    classpath = kafka_classpath()

    def tool(main, *arguments, check_code=True):
        java_command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", classpath]
        return run(*java_command, main, "--bootstrap-server", address, *arguments, timeout=120, check_code=check_code)

    def consume(group, count, *arguments):
        done = tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", topic.name, "--group", group,
                    "--max-messages", str(count), "--timeout-ms", "30000", *arguments, check_code=False)
        return [int(line) for line in done.stdout.split()]

    def groups(*arguments, check_code=True):
        return tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", *arguments, check_code=check_code).stdout

    topic = Topic(address)
    topic.produce(100)
    group = f"console-{uuid.uuid4().hex[:8]}"
    first = consume(group, 42, "--from-beginning")
    check("console-consumer: --from-beginning --max-messages 42", len(set(first)) == 42, len(first))
    rest = consume(group, 58)
    check("console-consumer: the same group goes on", sorted(first + rest) == list(range(100)), f"{len(rest)} more")
    check("console-consumer: another group starts anew", sorted(consume(group + "-2", 100, "--from-beginning")) == list(range(100)))

    check("consumer-groups: --list", {group, group + "-2"} <= set(groups("--list").split()))
    described = groups("--describe", "--group", group)
    lags = re.findall(rf"{group}\s+{topic.name}\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)", described)
    without_lag = len(lags) == PARTITIONS and all(lag == "0" for _, _, lag in lags)
    check("consumer-groups: --describe has each partition without lag", without_lag, described)
    check("consumer-groups: --describe --state", "Empty" in groups("--describe", "--group", group, "--state"))
    check("consumer-groups: --list --state", re.search(rf"{group}\s+Empty", groups("--list", "--state")) is not None)
    groups("--reset-offsets", "--group", group, "--topic", topic.name, "--to-earliest", "--execute")
    check("consumer-groups: --reset-offsets --to-earliest", sorted(consume(group, 100)) == list(range(100)))
    groups("--delete-offsets", "--group", group, "--topic", f"{topic.name}:0")
    left = re.findall(rf"{group}\s+{topic.name}\s+\d+", groups("--describe", "--group", group))
    check("consumer-groups: --delete-offsets", len(left) == PARTITIONS - 1, left)
    member = Member("confluent", address, group, topic.name)
    wait(lambda: member.assigned)
    described = groups("--describe", "--group", group, "--members")
    is_told = re.search(rf"{group}\s+rdkafka-\S+\s+/\S+\s+rdkafka\s+{PARTITIONS}", described) is not None
    check("consumer-groups: --describe --members", is_told, described)
    check("consumer-groups: a group with members is not deleted", "not empty" in groups("--delete", "--group", group, check_code=False))
    member.kill()
    check("consumer-groups: --delete", "successful" in groups("--delete", "--group", group + "-2"))
    check("consumer-groups: it is gone", group + "-2" not in groups("--list").split())


def main():
    address, *clients = sys.argv[1:]
    for client in clients or ["kafka-python", "confluent", "confluent-cooperative", "kcat", "java"]:
        try:
            java(address) if client == "java" else group_of(client, address)
        except Exception as error:  # noqa: BLE001: one client's end must not hide the others'
            check(f"{client}: ran to the end", False, repr(error))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
