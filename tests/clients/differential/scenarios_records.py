"""Records: produce, fetch and its sessions, offsets, deletion."""

from registry import scenario
from scene import produced

NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
STRANGE_ID = "8-cV2ZyFQAKmEgQ3OBb3Jg"


def batches(*each):
    return {"batches": list(each)}


@scenario("produce", "Produce")
def produce(scene):
    topic, elsewhere = scene.topic("t", 60), scene.topic("e", 2)
    good = batches(scene.batch(["a", "b"]))

    def ask(label, records=good, wait_ms=3000, **options):
        """In a partition of its own, so that what becomes of one says nothing of the others."""
        partition = scene.labels["partition"] = scene.labels.get("partition", -1) + 1
        scene.ask(label, "Produce", produced(topic, records, partition, **options), timeout_ms=wait_ms)
        fetch_all(scene, topic, partition, label=f"after {label}")

    def ask_of(label, name, partition=0):
        scene.ask(label, "Produce", produced(name, good, partition))
    ask("two records", good)
    ask("acks=1", good, acks=1)
    ask("acks=5", good, acks=5)
    ask("acks=-2", good, acks=-2)
    ask("a timeout of 0", good, timeout_ms=0)
    ask("a negative timeout", good, timeout_ms=-1)
    ask_of("an unknown topic", scene.name("no-such"))
    ask_of("an invalid topic", "a/b")
    ask_of("an empty topic", "")
    ask_of("a partition that there is not", topic, 99)
    ask_of("a negative partition", topic, -1)
    ask_of("an internal topic", "__consumer_offsets")
    ask("null records", None, wait_ms=300)
    ask("no batch", batches())
    ask("two batches", batches(scene.batch(["a"]), scene.batch(["b"])))
    ask("a batch without records", batches(scene.batch([])))
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        ask(codec, batches(scene.batch(["a", "b"], compression=codec)))
    for magic in (0, 1):
        ask(f"magic {magic}", batches(scene.batch(["a"], magic=magic)))
    ask("magic 3", batches(scene.batch(["a"], patch=[[16, "03"]])))
    ask("a wrong checksum", batches(scene.batch(["a", "b"], crc=False)))
    ask("a cut batch", batches(scene.batch(["a", "b"], cut=3)))
    ask("cut in the header", batches(scene.batch(["a", "b"], cut=30)))
    ask("a good batch and one cut", batches(scene.batch(["a", "b"]), scene.batch(["c"], cut=3)))
    ask("a length that is too big", batches(scene.batch(["a"], patch=[[8, "7fffffff"]])))
    ask("a length that is too small", batches(scene.batch(["a"], patch=[[8, "00000001"]])))
    ask("a negative length", batches(scene.batch(["a"], patch=[[8, "ffffffff"]])))
    ask("more records told than there are", batches(scene.batch(["a", "b"], patch=[[57, "00000003"]])))
    ask("fewer records told than there are", batches(scene.batch(["a", "b"], patch=[[57, "00000001"]])))
    ask("no records told", batches(scene.batch(["a", "b"], patch=[[57, "00000000"]])))
    ask("-1 records told", batches(scene.batch(["a", "b"], patch=[[57, "ffffffff"]])))
    ask("a last offset delta that is too big", batches(scene.batch(["a", "b"], patch=[[23, "00000005"]])))
    ask("a last offset delta that is too small", batches(scene.batch(["a", "b"], patch=[[23, "00000000"]])))
    ask("a negative last offset delta", batches(scene.batch(["a"], patch=[[23, "ffffffff"]])))
    ask("an unknown codec", batches(scene.batch(["a"], patch=[[21, "0005"]])))
    ask("a codec that it is not", batches(scene.batch(["a"], patch=[[21, "0001"]])))
    ask("log append time", batches(scene.batch(["a"], timestampType="LogAppendTime")))
    ask("a base offset", batches(scene.batch(["a"], baseOffset=77)))
    ask("a control batch", batches({"control": "commit", "patch": [[21, "0020"]]}))
    ask("a control batch of a transaction", batches({"control": "abort"}))
    ask("attributes that are not used", batches(scene.batch(["a"], patch=[[21, "ff00"]])))
    ask("the time of delete horizon", batches(scene.batch(["a"], patch=[[21, "0040"]])))
    ask("a negative timestamp", batches(scene.batch([[None, "a", -1]])))
    ask("a timestamp of -5", batches(scene.batch(["a"], patch=[[27, "fffffffffffffffb"], [35, "fffffffffffffffb"]])))
    ask("a wrong max timestamp", batches(scene.batch(["a", "b"], patch=[[35, "0000000000000001"]])))
    ask("keys, null values, headers", batches(scene.batch([["k", "v", 5, [["h", "x"], ["h", None]]], [None, None]])))
    ask("a transactional batch without an id", batches(scene.batch(["a"], producerId=1, epoch=0, sequence=0, transactional=True)))
    ask("a producer without a sequence", batches(scene.batch(["a"], patch=[[43, "0000000000000007"]])))
    scene.ask("two partitions, one bad", "Produce", {"acks": -1, "timeoutMs": 1000, "topicData": [{"name": elsewhere, "partitionData": [
        {"index": 1, "records": good}, {"index": 9, "records": good}]}]})
    scene.ask("a partition twice", "Produce", {"acks": -1, "timeoutMs": 1000, "topicData": [{"name": elsewhere, "partitionData": [
        {"index": 1, "records": good}, {"index": 1, "records": good}]}]})
    scene.ask("nothing", "Produce", {"acks": -1, "timeoutMs": 1000, "topicData": []})
    scene.ask("a topic without partitions", "Produce", {"acks": -1, "timeoutMs": 1000, "topicData": [{"name": topic, "partitionData": []}]})
    fetch_all(scene, elsewhere, 1)


def fetch_all(scene, topic, partition=0, isolation=0, label="what is there"):
    wanted = {"topic": topic, "partitions": [{"partition": partition, "fetchOffset": 0, "partitionMaxBytes": 10000000}]}
    answer = scene.quiet("Fetch", {"replicaId": -1, "maxWaitMs": 0, "minBytes": 0, "maxBytes": 10000000, "isolationLevel": isolation,
                                   "topics": [wanted]}, on="setup", version=12)
    scene.keep(f"Fetch: {label}", answer)


@scenario("produce without an answer", "Produce")
def produce_unanswered(scene):
    topic = scene.topic("t")
    good = batches(scene.batch(["a"]))
    # What comes after on the same connection tells whether it was closed.
    for label, name, records, partition in (
            ("good", topic, good, 0), ("an unknown topic", scene.name("no-such"), good, 0),
            ("a partition that there is not", topic, good, 5), ("a wrong checksum", topic, batches(scene.batch(["b"], crc=False)), 0)):
        connection = f"acks 0 {label}"
        scene.send("Produce", produced(name, records, partition, acks=0), on=connection, answered=False)
        scene.ask(f"after {label}", "DescribeCluster", {}, on=connection, version=0)
    scene.wait_for_end(topic, 1)
    fetch_all(scene, topic)


@scenario("produce to topics with limits", "Produce", versions=(3, 8, 11))
def produce_limited(scene):
    def ask(label, name, *each):
        scene.ask(label, "Produce", produced(name, batches(*each)))
        fetch_all(scene, name, label=f"after {label}")
    small = scene.topic("small", configs={"max.message.bytes": "200"})
    ask("a batch that is too large", small, scene.batch(["x" * 300]))
    ask("a batch that is as large as it may be", small, scene.batch(["x" * (200 - 69)]))
    ask("one byte more", small, scene.batch(["x" * (200 - 68)]))
    ask("too large, but compressed it is not", small, scene.batch(["x" * 3000], compression="gzip"))
    compacted = scene.topic("compacted", configs={"cleanup.policy": "compact"})
    ask("no key where it is compacted", compacted, scene.batch(["a"]))
    ask("a key and no key", compacted, scene.batch([["k", "a"], [None, "b"]]))
    ask("keys", compacted, scene.batch([["k", "a"], ["l", None]]))
    ask("an empty key", compacted, scene.batch([["", "a"]]))
    appended = scene.topic("appended", configs={"message.timestamp.type": "LogAppendTime"})
    ask("the broker's time", appended, scene.batch(["a", "b"]))
    ask("the broker's time, compressed", appended, scene.batch(["a", "b"], compression="lz4"))
    bounded = scene.topic("bounded", configs={"message.timestamp.before.max.ms": "1000", "message.timestamp.after.max.ms": "1000"})
    ask("too early", bounded, scene.batch([[None, "a", 1]]))
    ask("too late", bounded, scene.batch([[None, "a", 9_000_000_000_000]]))
    ask("one of two too late", bounded, scene.batch([[None, "a", 1], [None, "b", 9_000_000_000_000]]))
    ask("no time", bounded, scene.batch([[None, "a", -1]]))
    for codec in ("gzip", "uncompressed", "zstd"):
        stored = scene.topic(f"codec-{codec}", configs={"compression.type": codec})
        ask(f"plain, stored as {codec}", stored, scene.batch(["a", "b"]))
        ask(f"lz4, stored as {codec}", stored, scene.batch(["a", "b"], compression="lz4"))
    replicas = scene.topic("isr", configs={"min.insync.replicas": "2"})
    ask("too few replicas", replicas, scene.batch(["a"]))
    scene.ask("too few replicas, acks=1", "Produce", produced(replicas, batches(scene.batch(["a"])), acks=1))


@scenario("idempotent producer", "Produce", versions=(3, 5, 9, 11))
def idempotent(scene):
    topic = scene.topic("t", 2)
    producer = scene.producer()

    def ask(label, sequence, values=("a",), epoch=0, partition=0, **options):
        batch = scene.batch(list(values), **{**producer, "sequence": sequence, "epoch": epoch, **options})
        scene.ask(label, "Produce", produced(topic, batches(batch), partition))
    ask("does not begin with 0", 5, partition=1)
    ask("begins with 0", 0)
    ask("the same again", 0)
    ask("goes on", 1, ("b", "c"))
    ask("the same again, shorter", 1, ("b",))
    ask("the same again, longer", 1, ("b", "c", "d"))
    ask("a gap", 4)
    ask("goes on, no gap", 3)
    for sequence in range(4, 9):
        ask("on", sequence)
    ask("one of the last five", 4)
    ask("older than the last five", 0)
    ask("an epoch that is newer, sequence 3", 3, epoch=1)
    ask("an epoch that is newer, sequence 0", 0, epoch=1)
    ask("the old epoch", 9)
    ask("the old epoch, sequence 0", 0)
    ask("a negative sequence", -2, epoch=1)
    ask("a negative epoch", 0, epoch=-2)
    ask("another producer, unknown", 0, producerId=producer["producerId"] + 100001)
    scene.ask("two batches of a producer", "Produce", produced(topic, batches(
        scene.batch(["a"], **{**producer, "epoch": 1, "sequence": 1}), scene.batch(["b"], **{**producer, "epoch": 1, "sequence": 2}))))
    fetch_all(scene, topic)
    scene.ask("of it", "DescribeProducers", {"topics": [{"name": topic, "partitionIndexes": [0]}]})


@scenario("fetch", "Fetch")
def fetch(scene):
    topic = scene.topic("t", 2)
    for value in ("a", "b", "c"):
        scene.produce(topic, [value, value + value])
    topic_id, by_id = scene.topic_id(topic), scene.version >= 13

    def wanted(partition=0, offset=0, **more):
        return {"partition": partition, "fetchOffset": offset, "partitionMaxBytes": 1000000, **more}

    def ask(label, *partitions, name=None, identity=None, retry=True, **options):
        named = {"topicId": identity or topic_id} if by_id else {"topic": topic if name is None else name}
        scene.ask(label, "Fetch", {**({"replicaId": -1} if scene.version < 15 else {}), "maxWaitMs": 0, "minBytes": 1, "maxBytes": 10000000,
                                   "topics": [{**named, "partitions": list(partitions)}], **options}, retry=retry)
    ask("all", wanted())
    ask("read committed", wanted(), isolationLevel=1)
    ask("isolation level 2", wanted(), isolationLevel=2)
    ask("within a batch", wanted(offset=3))
    ask("the end", wanted(offset=6))
    ask("beyond the end", wanted(offset=7))
    ask("a negative offset", wanted(offset=-1))
    ask("an empty partition", wanted(1))
    ask("two partitions", wanted(), wanted(1))
    ask("a partition that there is not", wanted(5))
    ask("a negative partition", wanted(-1))
    ask("a partition twice", wanted(), wanted(offset=4))
    ask("one byte", wanted(partitionMaxBytes=1))
    ask("no byte", wanted(partitionMaxBytes=0))
    ask("-1 bytes", wanted(partitionMaxBytes=-1))
    ask("one byte in all", wanted(), maxBytes=1)
    ask("no byte in all", wanted(), maxBytes=0)
    ask("one batch", wanted(partitionMaxBytes=75))
    ask("two batches and a part", wanted(partitionMaxBytes=170))
    ask("more than there is", wanted(), minBytes=1000000, maxWaitMs=50)
    ask("at the end, a wait", wanted(offset=6), maxWaitMs=50)
    ask("a negative wait", wanted(offset=6), maxWaitMs=-1)
    for epoch in (0, 1, -1, -2):
        ask(f"leader epoch {epoch}", wanted(currentLeaderEpoch=epoch))
    if scene.version >= 12:
        for epoch, offset in ((0, 6), (0, 3), (1, 6), (-1, 6), (0, 0), (5, 0)):
            ask(f"last fetched epoch {epoch} at {offset}", wanted(offset=offset, lastFetchedEpoch=epoch))
    if by_id:
        ask("an unknown topic", wanted(), identity=STRANGE_ID)
        ask("no topic id", wanted(), identity=NO_TOPIC_ID)
    else:
        ask("an unknown topic", wanted(), name=scene.name("no-such"))
        ask("an invalid topic", wanted(), name="a/b")
        ask("an empty topic", wanted(), name="")
    ask("a log start offset", wanted(logStartOffset=3))
    if scene.version < 15:
        ask("a replica", wanted(), replicaId=1, retry=False)
        ask("another replica", wanted(), replicaId=7, retry=False)
        ask("a debugger", wanted(), replicaId=-2)
    scene.ask("nothing", "Fetch", {"maxWaitMs": 0, "minBytes": 1, "topics": []})


@scenario("fetch sessions", "Fetch", versions=range(7, 18))
def fetch_sessions(scene):
    topic, other = scene.topic("t", 2), scene.topic("u")
    by_id = scene.version >= 13
    ids = {each: scene.topic_id(each) for each in (topic, other)}

    def ask(label, session, epoch, *partitions, forget=(), name=topic):
        named = lambda each: {"topicId": ids.get(each, each)} if by_id else {"topic": each}  # noqa: E731
        return scene.ask(label, "Fetch", {
            "maxWaitMs": 0, "minBytes": 0, "maxBytes": 1000000, "sessionId": session, "sessionEpoch": epoch,
            "topics": [{**named(name), "partitions": [{"partition": partition, "fetchOffset": offset, "partitionMaxBytes": 100000}
                                                      for partition, offset in partitions]}] if partitions else [],
            "forgottenTopicsData": [{**named(name), "partitions": list(forget)}] if forget else []})
    ask("no session", 0, -1, (0, 0))
    session = ask("a new one", 0, 0, (0, 0), (1, 0)).get("sessionId", 0)
    ask("nothing is new", session, 1)
    scene.produce(topic, ["a"])
    ask("a record came", session, 2)
    ask("it is still there", session, 3)
    ask("read on", session, 4, (0, 1))
    ask("the same epoch again", session, 4)
    ask("an epoch left out", session, 7)
    ask("the right one", session, 5)
    ask("another topic joins", session, 6, (0, 0), name=other)
    ask("one is forgotten", session, 7, forget=[1])
    ask("what it never had is forgotten", session, 8, forget=[9])
    ask("beyond the end", session, 9, (0, 99))
    ask("at the end again", session, 10, (0, 1))
    ask("a partition that there is not joins", session, 11, (7, 0))
    ask("an unknown topic joins", session, 12, (0, 0), name=STRANGE_ID if by_id else scene.name("no-such"))
    ask("another session", session + 1000000, 1)
    ask("another session, to be closed", session + 1000000, -1, (0, 0))
    ask("closed", session, -1, (0, 0))
    ask("it is gone", session, 13)
    ask("session 0, epoch 1", 0, 1, (0, 0))
    ask("session 0, epoch -2", 0, -2, (0, 0))
    replaced = ask("a new one", 0, 0, (0, 0)).get("sessionId", 0)
    ask("replaced by a new one", replaced, 0, (0, 0))
    ask("the replaced one", replaced, 1)
    empty = ask("a new one of nothing", 0, 0).get("sessionId", 0)
    ask("the empty one", empty, 1)


@scenario("list offsets", "ListOffsets")
def list_offsets(scene):
    topic = scene.topic("t", 2)
    scene.produce(topic, [[None, "a", 1000], [None, "b", 3000], [None, "c", 2000]])
    scene.produce(topic, [[None, "d", 3000], [None, "e", 2500]])

    def ask(label, timestamp, name=topic, partition=0, **options):
        epoch = {"currentLeaderEpoch": options.pop("epoch")} if "epoch" in options else {}
        scene.ask(label, "ListOffsets", {"replicaId": -1, "topics": [{"name": name, "partitions": [
            {"partitionIndex": partition, "timestamp": timestamp, **epoch}]}], **options})
    for timestamp in (-1, -2, -3, -4, -5, -6, -7, 0, 1000, 1001, 2000, 2500, 3000, 3001):
        ask(f"timestamp {timestamp}", timestamp)
        ask(f"timestamp {timestamp}, an empty partition", timestamp, partition=1)
    for timestamp in (-1, -2, -3, 2000):
        ask(f"timestamp {timestamp}, read committed", timestamp, isolationLevel=1)
    ask("isolation level 3", -1, isolationLevel=3)
    ask("an unknown topic", -1, scene.name("no-such"))
    ask("an invalid topic", -1, "a/b")
    ask("an empty topic", -1, "")
    ask("a partition that there is not", -1, partition=7)
    ask("a negative partition", -1, partition=-1)
    for epoch in (0, 1, -1):
        ask(f"leader epoch {epoch}", -1, epoch=epoch)
        ask(f"leader epoch {epoch}, earliest", -2, epoch=epoch)
    ask("a replica", -1, replicaId=1)
    ask("a debugger", -1, replicaId=-2)
    scene.ask("a partition twice", "ListOffsets", {"replicaId": -1, "topics": [{"name": topic, "partitions": [
        {"partitionIndex": 0, "timestamp": -1}, {"partitionIndex": 0, "timestamp": -2}]}]})
    scene.ask("nothing", "ListOffsets", {"replicaId": -1, "topics": []})


@scenario("leader epochs", "OffsetForLeaderEpoch")
def leader_epochs(scene):
    topic = scene.topic("t", 2)
    scene.produce(topic, ["a", "b"])

    def ask(label, epoch, current=-1, name=topic, partition=0, replica=-1):
        scene.ask(label, "OffsetForLeaderEpoch", {**({"replicaId": replica} if scene.version >= 3 else {}), "topics": [{
            "topic": name, "partitions": [{"partition": partition, "currentLeaderEpoch": current, "leaderEpoch": epoch}]}]})
    for epoch in (0, 1, -1, -2, 100):
        ask(f"epoch {epoch}", epoch)
    ask("of an empty partition", 0, partition=1)
    ask("the current one is older", 0, 0)
    ask("the current one is newer", 0, 1)
    ask("the current one is -2", 0, -2)
    ask("an unknown topic", 0, name=scene.name("no-such"))
    ask("an invalid topic", 0, name="a/b")
    ask("a partition that there is not", 0, partition=5)
    ask("a negative partition", 0, partition=-1)
    ask("a replica", 0, replica=1)
    ask("a debugger", 0, replica=-2)


@scenario("delete records", "DeleteRecords")
def delete_records(scene):
    topic = scene.topic("t", 2)
    scene.produce(topic, ["a", "b"])
    scene.produce(topic, ["c", "d"])

    def ask(label, offset, name=topic, partition=0, timeout_ms=10000):
        scene.ask(label, "DeleteRecords", {"timeoutMs": timeout_ms, "topics": [{"name": name, "partitions": [
            {"partitionIndex": partition, "offset": offset}]}]})
    ask("nothing", 0)
    ask("within a batch", 1)
    fetch_all(scene, topic)
    ask("below the start", 0)
    ask("again", 1)
    ask("beyond the end", 5)
    ask("offset -2", -2)
    ask("a batch", 2, timeout_ms=0)
    fetch_all(scene, topic)
    ask("all", -1)
    fetch_all(scene, topic)
    ask("all again", -1)
    ask("an empty partition", -1, partition=1)
    ask("an empty partition beyond", 1, partition=1)
    ask("an unknown topic", 0, scene.name("no-such"))
    ask("an invalid topic", 0, "a/b")
    ask("a partition that there is not", 0, partition=5)
    ask("a negative partition", 0, partition=-1)
    ask("an internal topic", 0, "__consumer_offsets")
    compacted = scene.topic("compacted", configs={"cleanup.policy": "compact"})
    scene.produce(compacted, [["k", "v"]])
    ask("of a compacted topic", 1, compacted)
    both = scene.topic("both", configs={"cleanup.policy": "compact,delete"})
    scene.produce(both, [["k", "v"]])
    ask("of a topic that is compacted and deleted", 1, both)
    scene.ask("a partition twice", "DeleteRecords", {"timeoutMs": 1000, "topics": [{"name": both, "partitions": [
        {"partitionIndex": 0, "offset": 1}, {"partitionIndex": 0, "offset": 0}]}]})
    scene.ask("none", "DeleteRecords", {"timeoutMs": 1000, "topics": []})
