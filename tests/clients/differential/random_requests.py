"""Sequences of requests drawn by a seed. Some are scenarios, whose answers are kept (registry.py); any can be held against Apache Kafka:

    random_requests.py HOST:PORT [--kafka HOST:PORT] [--seed N] [--count N]

runs so many seeds on both (an Apache Kafka is started if none is named), and tells the first that differs, shrunk: requests are left out as
long as the answers still differ.

A sequence is drawn before it runs, and knows no answers: what a request needs of them (a producer id, the next sequence number, a
member id) is named by a slot, whose content is what the same broker answered. So both get the same requests.
"""

import argparse
import os
import random
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import answers  # noqa: E402
from registry import scenario  # noqa: E402
from scene import VERSIONS, Broker, Scene, Wire, produced  # noqa: E402

LENGTH = 25
KEPT_SEEDS = range(1, 31)
TOPICS = {"a": 2, "b": 1, "compacted": 1}
SLOTS = ("x", "y", "idempotent")  # producers: two with a transactional id, one without
# Meant to differ (docs/reference/differences.md), and in too many answers to be rows here.
LEFT_OUT = ("lastTimestamp", "logAppendTimeMs")


class Player:
    """Runs a sequence on one broker."""

    def __init__(self, scene):
        self.scene = scene
        self.producers, self.sequences, self.members, self.leaders = {}, {}, {}, {}
        for name, partitions in TOPICS.items():
            scene.topic(name, partitions, {"cleanup.policy": "compact"} if name == "compacted" else None)

    def name(self, what):
        return self.scene.name(what)

    def identity(self, slot):
        return None if slot == "idempotent" else self.name(slot)

    def producer(self, slot, epochs=0):
        known = self.producers.get(slot, {"producerId": (1 << 40) + SLOTS.index(slot), "epoch": 0})  # one that nobody was given
        return {"producerId": known["producerId"], "epoch": known["epoch"] + epochs}

    def play(self, request):
        answer = getattr(self, request["do"])(**{key: value for key, value in request.items() if key not in ("do", "version")},
                                              ask=lambda api, body: self.ask(request, api, body))
        return answer

    def ask(self, request, api, body):
        oldest, newest = VERSIONS[api]
        answer = self.scene.quiet(api, body, version=max(oldest, newest - request["version"]))
        self.scene.keep(f"{api}: {' '.join(str(value) for key, value in request.items() if key != 'do')}", left_out(answer))
        return answer

    def settled(self, slot):
        """Markers are written after the answer: until then a coordinator only puts its clients off."""
        if slot == "idempotent":
            return
        self.scene.until(lambda: "Prepare" not in self.scene.quiet("DescribeTransactions", {"transactionalIds": [self.identity(slot)]},
                                                                   on="setup")["transactionStates"][0]["transactionState"])

    # --- Requests

    def init_producer(self, ask, slot, known):
        body = {"transactionalId": self.identity(slot), "transactionTimeoutMs": 60000}
        if known and slot in self.producers and slot != "idempotent":
            producer = self.producer(slot)
            body.update(producerId=producer["producerId"], producerEpoch=producer["epoch"])
        answer = ask("InitProducerId", body)
        self.settled(slot)
        if answer.get("errorCode") == 0:
            self.producers[slot] = {"producerId": answer["producerId"], "epoch": answer["producerEpoch"]}
            self.sequences = {key: value for key, value in self.sequences.items() if key[0] != slot}

    def produce(self, ask, slot, topic, partition, count, shift, epochs, codec):
        keyed = [["k" if topic == "compacted" or i % 2 else None, f"v{i}"] for i in range(count)]
        batch = self.scene.batch(keyed, compression=codec)
        key = (slot, topic, partition)
        if slot is not None:
            following = self.sequences.get(key, 0)
            batch.update(self.producer(slot, epochs), sequence=max(0, following + shift) if following else 0,
                         transactional=slot != "idempotent")
        answer = ask("Produce", produced(self.name(topic), {"batches": [batch]}, partition, self.identity(slot) if slot else None))
        if slot is not None and shift == 0 and epochs == 0 and [0] == [each["errorCode"] for topic in answer.get("responses", [])
                                                                       for each in topic["partitionResponses"]]:
            self.sequences[key] = self.sequences.get(key, 0) + count

    def add_partitions(self, ask, slot, topic, partitions, epochs):
        producer = self.producer(slot, epochs)
        ask("AddPartitionsToTxn", {
            "v3AndBelowTransactionalId": self.identity(slot), "v3AndBelowProducerId": producer["producerId"],
            "v3AndBelowProducerEpoch": producer["epoch"], "v3AndBelowTopics": [{"name": self.name(topic), "partitions": partitions}]})

    def add_offsets(self, ask, slot, group, epochs):
        producer = self.producer(slot, epochs)
        ask("AddOffsetsToTxn", {"transactionalId": self.identity(slot), "producerId": producer["producerId"],
                                "producerEpoch": producer["epoch"], "groupId": self.name(group)})

    def commit_in_transaction(self, ask, slot, group, topic, partition, offset, epochs):
        producer = self.producer(slot, epochs)
        ask("TxnOffsetCommit", {"transactionalId": self.identity(slot), "groupId": self.name(group), "producerId": producer["producerId"],
                                "producerEpoch": producer["epoch"], "topics": committed(self.name(topic), partition, offset)})

    def end(self, ask, slot, commit, epochs):
        producer = self.producer(slot, epochs)
        ask("EndTxn", {"transactionalId": self.identity(slot), "producerId": producer["producerId"], "producerEpoch": producer["epoch"],
                       "committed": commit})
        self.settled(slot)

    def fetch(self, ask, topic, partition, offset, isolation, size):
        version = {"maxWaitMs": 0, "minBytes": 0, "maxBytes": 1 << 20, "isolationLevel": isolation}
        identity = self.scene.topic_id(self.name(topic)) if topic in TOPICS else "8-cV2ZyFQAKmEgQ3OBb3Jg"
        wanted = {"partitions": [{"partition": partition, "fetchOffset": offset, "partitionMaxBytes": size}]}
        ask("Fetch", {**version, "topics": [{"topicId": identity, **wanted}]})

    def list_offsets(self, ask, topic, partition, timestamp, isolation):
        if timestamp > 0:
            timestamp = self.scene.time_ms + timestamp
        ask("ListOffsets", {"replicaId": -1, "isolationLevel": isolation, "topics": [{"name": self.name(topic), "partitions": [
            {"partitionIndex": partition, "timestamp": timestamp}]}]})

    def delete_records(self, ask, topic, partition, offset):
        ask("DeleteRecords", {"timeoutMs": 5000, "topics": [{"name": self.name(topic), "partitions": [
            {"partitionIndex": partition, "offset": offset}]}]})

    def join(self, ask, group, slot):
        """One joins; where that calls the others, they come, once they are called: so no member is waited for, and none comes too early."""
        members = self.members.setdefault(group, {})
        state = self.state(group)
        is_new = slot not in members
        if is_new:
            answer = self.scene.quiet("JoinGroup", self.join_body(group, ""), on=f"{group}-{slot}")
            members[slot] = (answer["memberId"], -1)
        others = [each for each in members if each != slot]
        self.scene.send("JoinGroup", self.join_body(group, members[slot][0]), on=f"{group}-{slot}")
        calls = others and (is_new or (state == "Stable" and self.leaders.get(group) == members[slot][0]))
        if calls:
            self.scene.until(lambda: self.state(group) == "PreparingRebalance")
            for each in others:
                self.scene.send("JoinGroup", self.join_body(group, members[each][0]), on=f"{group}-{each}")
        for each in [slot, *(others if calls else [])]:
            answer = self.scene.keep(f"JoinGroup: {group} {slot}, {each}", self.scene.receive(on=f"{group}-{each}", timeout_ms=12000))
            if answer.get("errorCode") == 0:
                members[each] = (answer["memberId"], answer["generationId"])
                self.leaders[group] = answer["leader"]
            elif answer.get("errorCode") == 25:
                del members[each]

    def state(self, group):
        return self.scene.quiet("DescribeGroups", {"groups": [self.name(group)]}, on="setup", version=5)["groups"][0]["groupState"]

    def join_body(self, group, member):
        return {"groupId": self.name(group), "sessionTimeoutMs": 30000, "rebalanceTimeoutMs": 10000, "memberId": member,
                "protocolType": "consumer", "protocols": [{"name": "range", "metadata": "m"}]}

    def member(self, group, slot, generations=0):
        identity, generation = self.members.get(group, {}).get(slot, ("nobody", 1))
        return {"memberId": identity, "generationId": generation + generations}

    def sync(self, ask, group, generations):
        members = self.members.get(group, {})
        shares = [{"memberId": identity, "assignment": slot} for slot, (identity, _) in members.items()]
        for slot in members:
            self.scene.send("SyncGroup", {"groupId": self.name(group), **self.member(group, slot, generations), "protocolType": "consumer",
                                          "protocolName": "range", "assignments": shares}, on=f"{group}-{slot}")
        for slot in members:
            self.scene.keep(f"SyncGroup: {group} {slot} {generations}", self.scene.receive(on=f"{group}-{slot}"))

    def heartbeat(self, ask, group, slot, generations):
        ask("Heartbeat", {"groupId": self.name(group), **self.member(group, slot, generations)})

    def leave(self, ask, group, slot):
        answer = ask("LeaveGroup", {"groupId": self.name(group), "members": [{"memberId": self.member(group, slot)["memberId"]}]})
        if "cannot" not in answer:
            self.members.get(group, {}).pop(slot, None)

    def commit_offset(self, ask, group, slot, topic, partition, offset, generations):
        member = self.member(group, slot, generations) if slot else {"memberId": "", "generationId": -1}
        ask("OffsetCommit", {"groupId": self.name(group), "memberId": member["memberId"],
                             "generationIdOrMemberEpoch": member["generationId"], "topics": committed(self.name(topic), partition, offset)})

    def fetch_offsets(self, ask, group, stable):
        ask("OffsetFetch", {"groups": [{"groupId": self.name(group), "topics": None}], "requireStable": stable})

    def delete_offsets(self, ask, group, topic, partition):
        ask("OffsetDelete", {"groupId": self.name(group), "topics": [{"name": self.name(topic), "partitions": [
            {"partitionIndex": partition}]}]})

    def describe_group(self, ask, group):
        ask("DescribeGroups", {"groups": [self.name(group)]})

    def delete_group(self, ask, group):
        ask("DeleteGroups", {"groupsNames": [self.name(group)]})

    def describe_producers(self, ask, topic, partition):
        ask("DescribeProducers", {"topics": [{"name": self.name(topic), "partitionIndexes": [partition]}]})

    def describe_transaction(self, ask, slot):
        ask("DescribeTransactions", {"transactionalIds": [self.identity(slot)]})

    def leader_epoch(self, ask, topic, partition, epoch, current):
        ask("OffsetForLeaderEpoch", {"topics": [{"topic": self.name(topic), "partitions": [
            {"partition": partition, "leaderEpoch": epoch, "currentLeaderEpoch": current}]}]})


def committed(topic, partition, offset):
    return [{"name": topic, "partitions": [{"partitionIndex": partition, "committedOffset": offset, "committedLeaderEpoch": -1,
                                            "committedMetadata": ""}]}]


def left_out(answer):
    if isinstance(answer, dict):
        between = answer.get("groupState") in ("PreparingRebalance", "CompletingRebalance")
        return {key: [{**each, "memberAssignment": ""} for each in value] if between and key == "members" else left_out(value)
                for key, value in answer.items() if key not in LEFT_OUT}
    return [left_out(each) for each in answer] if isinstance(answer, list) else answer


def draw(seed):
    """The requests of a seed."""
    dice = random.Random(seed)
    one = dice.choice

    def place():
        topic = one(("a", "a", "a", "b", "compacted", "none"))
        return {"topic": topic, "partition": one((0, 0, 0, 1, -1) if topic == "a" else (0, 0, 0, 0, 5))}

    def slot():
        return {"slot": one(("x", "x", "x", "y")), "epochs": one((0, 0, 0, 0, 0, -1, 1))}

    group = lambda: {"group": one(("g", "g", "h"))}  # noqa: E731
    offset = lambda: one((0, 1, 2, 3, 5, 8, 100, -1))  # noqa: E731
    choices = (
        (6, lambda: {"do": "produce", "slot": one((None, None, "idempotent", "x", "x", "x", "y")), **place(), "count": one((1, 2, 3)),
                     "shift": one((0, 0, 0, 0, -1, -2, 1)), "epochs": one((0, 0, 0, 0, 0, 1)),
                     "codec": one(("none", "none", "gzip", "lz4", "zstd"))}),
        (3, lambda: {"do": "init_producer", "slot": one(SLOTS), "known": one((False, False, True))}),
        (5, lambda: {"do": "add_partitions", **slot(), "topic": one(("a", "a", "b", "none")), "partitions": one(([0], [0, 1], [0], [5]))}),
        (2, lambda: {"do": "add_offsets", **slot(), **group()}),
        (2, lambda: {"do": "commit_in_transaction", **slot(), **group(), **place(), "offset": abs(offset())}),
        (4, lambda: {"do": "end", **slot(), "commit": one((True, False))}),
        (5, lambda: {"do": "fetch", **place(), "offset": offset(), "isolation": one((0, 1, 1)), "size": one((1, 100, 1 << 20))}),
        (3, lambda: {"do": "list_offsets", **place(), "timestamp": one((-1, -1, -2, -3, -4, 1, 2, 5)), "isolation": one((0, 1))}),
        (2, lambda: {"do": "delete_records", **place(), "offset": offset()}),
        (3, lambda: {"do": "join", **group(), "slot": one(("1", "2"))}),
        (3, lambda: {"do": "sync", **group(), "generations": one((0, 0, 0, -1))}),
        (2, lambda: {"do": "heartbeat", **group(), "slot": one(("1", "2")), "generations": one((0, 0, 1))}),
        (1, lambda: {"do": "leave", **group(), "slot": one(("1", "2"))}),
        (3, lambda: {"do": "commit_offset", **group(), "slot": one((None, "1", "2")), **place(), "offset": abs(offset()),
                     "generations": one((0, 0, 0, -1))}),
        (2, lambda: {"do": "fetch_offsets", **group(), "stable": one((True, False))}),
        (1, lambda: {"do": "delete_offsets", **group(), **place()}),
        (1, lambda: {"do": "delete_group", **group()}),
        (2, lambda: {"do": "describe_group", **group()}),
        (1, lambda: {"do": "describe_producers", **place()}),
        (1, lambda: {"do": "describe_transaction", "slot": one(("x", "y"))}),
        (1, lambda: {"do": "leader_epoch", **place(), "epoch": one((0, 1, -1)), "current": one((0, 1, -1))}))
    weights = [weight for weight, _ in choices]
    # How many versions below the newest: most clients are new.
    return [{**dice.choices([make for _, make in choices], weights)[0](), "version": one((0, 0, 0, 0, 1, 1, 2))} for _ in range(LENGTH)]


def play(scene, requests):
    player = Player(scene)
    for request in requests:
        player.play(request)


for kept in KEPT_SEEDS:
    scenario(f"random sequence {kept}")(lambda scene, seed=kept: play(scene, draw(seed)))


# --- By hand, on both


def plain(broker, requests):
    scene = Scene(broker, "random")
    try:
        play(scene, requests)
    except RuntimeError as error:
        scene.keep("stuck", {"why": str(error)})
    finally:
        scene.end()
    normaliser = answers.Normaliser(scene.prefix, scene.topics, scene.time_ms)
    return [(label, normaliser.plain(answer)) for label, answer in scene.steps]


def first_difference(brokers, requests):
    kafka, ours = (plain(broker, requests) for broker in brokers)
    for one, other in zip(kafka, ours):
        found = [each for each in answers.differences(one[1], other[1]) if one[0] == other[0] and not each[0].endswith("rrorMessage")]
        if one[0] != other[0] or found:
            return one[0], other[0], found
    return None


def shrunk(brokers, requests):
    """Fewer requests that still differ."""
    place = 0
    while place < len(requests):
        fewer = requests[:place] + requests[place + 1:]
        if first_difference(brokers, fewer):
            requests = fewer
        else:
            place += 1
    return requests


def compare(kafka_address, options):
    wire = Wire()
    name = uuid.uuid4().hex[:8]
    brokers = Broker(wire, kafka_address, f"diff-k{name}", 0.1), Broker(wire, options.address, f"diff-t{name}")
    differing = 0
    for seed in range(options.seed, options.seed + options.count):
        difference = first_difference(brokers, draw(seed))
        if not difference:
            continue
        differing += 1
        again = first_difference(brokers, draw(seed))
        if not again:
            print(f"seed {seed}: {difference}, but not again")
            continue
        requests = shrunk(brokers, draw(seed))
        label, other, found = first_difference(brokers, requests) or again
        print(f"seed {seed}: {label}{'' if label == other else ' / ' + other}")
        for field, kafka, ours in found:
            print(f"  {field}: Kafka {kafka}, here {ours}", flush=True)
        for request in requests:
            print(f"    {request}", flush=True)
    print(f"{options.count} sequences of {LENGTH} requests, {differing} differ")
    wire.close()
    return 1 if differing else 0


def main():
    from apache_kafka import ApacheKafka

    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--kafka", metavar="HOST:PORT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    if options.kafka:
        return compare(options.kafka, options)
    with ApacheKafka({"group.initial.rebalance.delay.ms": "100"}, heap="512M") as kafka:
        return compare(kafka.address, options)


if __name__ == "__main__":
    sys.exit(main())
