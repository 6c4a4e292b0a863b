"""Single requests to one broker, each answer kept: what a scenario (scenarios_*.py) is written with.

    scene = Scene(broker, "create topics", version=5)
    scene.ask("CreateTopics", {"topics": [{"name": scene.name("t")}]}, label="two at once")

A request that is under test is sent in the scene's version, any other in the newest that both brokers serve. Everything that a scenario
makes has a name of its own, scene.name(…), so that scenarios need no broker each.
"""

import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from apache_kafka import classpath  # noqa: E402

CLASSES = os.path.join(HERE, "..", "..", "..", "build", "clients", "differential")
ANSWER_MS = 3000
PATIENCE_S = 10

# What a client retries, since it passes: a leader that is not known yet; a coordinator that is loading, not available, not here; a
# transaction that is being completed.
PASSING = {6, 14, 15, 16, 51}

# The newest versions that Tripos and Apache Kafka 4.1 both serve, and the oldest.
VERSIONS = {
    "Produce": (3, 11), "Fetch": (4, 17), "ListOffsets": (1, 9), "Metadata": (0, 13), "OffsetCommit": (2, 9), "OffsetFetch": (1, 9),
    "FindCoordinator": (0, 5), "JoinGroup": (0, 9), "Heartbeat": (0, 4), "LeaveGroup": (0, 5), "SyncGroup": (0, 5),
    "DescribeGroups": (0, 6), "ListGroups": (0, 5), "ApiVersions": (0, 4), "CreateTopics": (2, 7), "DeleteTopics": (1, 6),
    "DeleteRecords": (0, 2), "InitProducerId": (0, 4), "OffsetForLeaderEpoch": (2, 4), "AddPartitionsToTxn": (0, 3),
    "AddOffsetsToTxn": (0, 3), "EndTxn": (0, 3), "TxnOffsetCommit": (0, 3), "DescribeConfigs": (1, 4), "AlterConfigs": (0, 2),
    "DescribeLogDirs": (1, 4), "CreatePartitions": (0, 3), "DeleteGroups": (0, 2), "IncrementalAlterConfigs": (0, 1),
    "ListPartitionReassignments": (0, 0), "OffsetDelete": (0, 0), "DescribeCluster": (0, 2), "DescribeProducers": (0, 0),
    "DescribeTransactions": (0, 0), "ListTransactions": (0, 1), "DescribeTopicPartitions": (0, 0),
}


class Wire:
    """Kafka's own messages, in a process of Java's (RawRequests.java)."""

    def __init__(self):
        jars = classpath()
        os.makedirs(CLASSES, exist_ok=True)
        subprocess.run(["javac", "-nowarn", "-Xlint:none", "-cp", jars, "-d", CLASSES, os.path.join(HERE, "RawRequests.java")], check=True,
                       stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{CLASSES}:{jars}",
                                         "RawRequests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, **command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError("RawRequests ended")
        return json.loads(said)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Broker:
    def __init__(self, wire, address, name, settle_s=0.0):
        """`name`: what all names of this run begin with; `settle_s`: see Scene.settle()."""
        self.wire, self.address, self.name, self.settle_s = wire, address, name, settle_s
        self.scenes = 0


def codes(answer):
    """Every error code in an answer."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key == "errorCode":
                yield value
            else:
                yield from codes(value)
    elif isinstance(answer, list):
        for each in answer:
            yield from codes(each)


class Scene:
    def __init__(self, broker, title, version=None, api=None):
        """`api`: the request that is under test, in `version`."""
        broker.scenes += 1
        self.broker, self.title, self.api, self.version = broker, title, api, version
        self.prefix = f"{broker.name}-{broker.scenes:05d}"
        self.steps = []  # (label, answer)
        self.labels = {}
        self.connections = set()
        self.topics = {}  # {id: name}
        self.time_ms = int(time.time() * 1000) - 3_600_000  # of records: a time that nothing else has, and that is not too old to keep

    def name(self, what):
        return f"{self.prefix}-{what}"

    def version_of(self, api):
        return self.version if api == self.api else VERSIONS[api][1]

    # --- Requests

    def send(self, api, body=None, on="main", version=None, client="client", answered=True):
        connection = f"{self.prefix}/{on}"
        self.connections.add(connection)
        return self.broker.wire.say(do="send", connection=connection, address=self.broker.address, api=api, client=client,
                                    answered=answered, time=self.time_ms, version=self.version_of(api) if version is None else version,
                                    body=body or {})

    def receive(self, on="main", timeout_ms=ANSWER_MS):
        said = self.broker.wire.say(do="receive", connection=f"{self.prefix}/{on}", timeout=timeout_ms)
        if "answer" not in said:  # what came after it would be another request's
            self.close(on)
        return said.get("answer", said)

    def close(self, on="main"):
        self.broker.wire.say(do="close", connection=f"{self.prefix}/{on}")

    def quiet(self, api, body=None, on="main", version=None, retry=True, timeout_ms=ANSWER_MS, client="client"):
        """The answer, which is not held against the other broker's."""
        end = time.monotonic() + PATIENCE_S
        while True:
            said = self.send(api, body, on, version, client)
            if "cannot" in said:
                return said
            answer = {"closed": True} if said.get("closed") else self.receive(on, timeout_ms)
            if not retry or not PASSING.intersection(codes(answer)) or time.monotonic() > end:
                return answer
            time.sleep(0.02)

    def keep(self, label, answer):
        self.labels[label] = self.labels.get(label, 0) + 1
        if self.labels[label] > 1:
            label = f"{label} ({self.labels[label]})"
        self.steps.append((label, answer))
        return answer

    def ask(self, label, api, body=None, **options):
        answer = self.quiet(api, body, **options)
        if "cannot" not in answer:  # the older versions of a request say less
            self.keep(f"{api}: {label}", answer)
        return answer

    def end(self):
        for connection in self.connections:
            self.broker.wire.say(do="close", connection=connection)

    # --- What scenarios begin with

    def until(self, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"{self.title}: what the scenario needs did not come")
            time.sleep(0.02)

    def topic(self, what, partitions=1, configs=None):
        """Its name; it is there and has leaders."""
        name = self.name(what)
        answer = self.quiet("CreateTopics", {"timeoutMs": 10000, "topics": [{
            "name": name, "numPartitions": partitions, "replicationFactor": 1,
            "configs": [{"name": key, "value": value} for key, value in (configs or {}).items()]}]}, on="setup", version=7)
        if answer["topics"][0]["errorCode"] != 0:
            raise RuntimeError(f"{self.title}: {answer}")
        self.wait_for_topic(name, partitions)
        return name

    def wait_for_topic(self, name, partitions):
        def led():
            topic = self.describe(name)
            return topic["errorCode"] == 0 and [each["errorCode"] for each in topic["partitions"]] == [0] * partitions
        self.until(led)
        for partition in range(partitions):
            self.ends(name, partition)

    def settle(self):
        """Kafka's brokers learn what their controller has answered a moment later, and nothing tells of it."""
        time.sleep(self.broker.settle_s)

    def describe(self, topic):
        found = self.quiet("Metadata", {"topics": [{"name": topic}], "allowAutoTopicCreation": False}, on="setup", version=12)["topics"][0]
        if found["errorCode"] == 0:
            self.topics[found["topicId"]] = topic
        return found

    def topic_id(self, topic):
        return self.describe(topic)["topicId"]

    def batch(self, values, **options):
        return {"records": [each if isinstance(each, list) else [None, each] for each in values], **options}

    def produce(self, topic, values, partition=0, transactional_id=None, acks=-1, on="setup", **batch):
        records = {"batches": [self.batch(values, **batch)]}
        return self.quiet("Produce", produced(topic, records, partition, transactional_id, acks), on=on, version=11)

    def producer(self, transactional_id=None, timeout_ms=60000, **options):
        """{"producerId": …, "epoch": …}, as a batch names them."""
        answer = self.quiet("InitProducerId", {"transactionalId": transactional_id, "transactionTimeoutMs": timeout_ms, **options},
                            on="setup", version=4)
        if answer["errorCode"] != 0:
            raise RuntimeError(f"{self.title}: {answer}")
        return {"producerId": answer["producerId"], "epoch": answer["producerEpoch"]}

    def ends(self, topic, partition=0):
        """(last stable offset, high watermark)"""
        found = []
        for isolation in (1, 0):
            answer = self.quiet("ListOffsets", {"replicaId": -1, "isolationLevel": isolation, "topics": [{
                "name": topic, "partitions": [{"partitionIndex": partition, "timestamp": -1}]}]}, on="setup", version=7)
            found.append(answer["topics"][0]["partitions"][0]["offset"])
        return tuple(found)

    def wait_for_end(self, topic, end, partition=0):
        """Until all up to `end` is stable: markers are written after EndTxn's answer."""
        self.until(lambda: self.ends(topic, partition) == (end, end))


def produced(topic, records, partition=0, transactional_id=None, acks=-1, timeout_ms=10000):
    return {"transactionalId": transactional_id, "acks": acks, "timeoutMs": timeout_ms, "topicData": [{
        "name": topic, "partitionData": [{"index": partition, "records": records}]}]}
