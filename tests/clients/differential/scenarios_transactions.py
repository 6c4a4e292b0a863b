"""Producer ids and transactions."""

from registry import scenario
from scene import produced
from scenarios_records import fetch_all


def add_partitions(scene, identity, producer, topics, **options):
    return {"v3AndBelowTransactionalId": identity, "v3AndBelowProducerId": producer["producerId"],
            "v3AndBelowProducerEpoch": producer["epoch"],
            "v3AndBelowTopics": [{"name": name, "partitions": list(partitions)} for name, partitions in topics], **options}


def add_offsets(identity, producer, group):
    return {"transactionalId": identity, "producerId": producer["producerId"], "producerEpoch": producer["epoch"], "groupId": group}


def end(identity, producer, committed=True):
    return {"transactionalId": identity, "producerId": producer["producerId"], "producerEpoch": producer["epoch"], "committed": committed}


def offsets(identity, producer, group, topic, offset=5, partition=0, **options):
    offsets_of_topic = {"name": topic, "partitions": [{"partitionIndex": partition, "committedOffset": offset, "committedLeaderEpoch": -1,
                                                       "committedMetadata": ""}]}
    return {"transactionalId": identity, "groupId": group, "producerId": producer["producerId"], "producerEpoch": producer["epoch"],
            "topics": [offsets_of_topic], **options}


def changed(producer, ids=0, epochs=0):
    return {"producerId": producer["producerId"] + ids, "epoch": producer["epoch"] + epochs}


def described(scene, identity, label):
    answer = scene.quiet("DescribeTransactions", {"transactionalIds": [identity]}, on="setup")
    scene.keep(f"DescribeTransactions: {label}", answer)


@scenario("producer ids", "InitProducerId")
def producer_ids(scene):
    def ask(label, identity, timeout_ms=60000, **options):
        return scene.ask(label, "InitProducerId", {"transactionalId": identity, "transactionTimeoutMs": timeout_ms, **options})
    ask("idempotent", None)
    ask("an empty id", "")
    ask("a timeout of 0, idempotent", None, 0)
    for timeout_ms in (0, -1, 1, 900000, 900001, 2147483647):
        ask(f"a timeout of {timeout_ms}", scene.name(f"t{timeout_ms}"), timeout_ms)
    answer = ask("first", scene.name("a"))
    ask("again", scene.name("a"))
    answer = ask("once more", scene.name("a"))
    if scene.version >= 3 and "producerId" in answer:
        current = {"producerId": answer["producerId"], "producerEpoch": answer["producerEpoch"]}
        ask("as the one it is", scene.name("a"), **current)
        ask("as the one it was", scene.name("a"), **current)
        ask("as an older one", scene.name("a"), producerId=current["producerId"], producerEpoch=0)
        ask("as a newer one", scene.name("a"), producerId=current["producerId"], producerEpoch=77)
        ask("as another producer", scene.name("a"), producerId=current["producerId"] + 100000, producerEpoch=0)
        ask("an id without an epoch", scene.name("a"), producerId=current["producerId"], producerEpoch=-1)
        ask("an epoch without an id", scene.name("a"), producerId=-1, producerEpoch=3)
        ask("an unknown one as a producer", scene.name("b"), **current)
        ask("idempotent as a producer", None, **current)
        ask("idempotent as an unknown producer", None, producerId=1 << 50, producerEpoch=4)
        ask("idempotent with an epoch at its end", None, producerId=current["producerId"], producerEpoch=32767)


@scenario("add partitions to transactions", "AddPartitionsToTxn")
def add_partitions_to_txn(scene):
    topic, identity = scene.topic("t", 3), scene.name("x")
    producer = scene.producer(identity)

    def ask(label, topics, name=identity, who=producer):
        scene.ask(label, "AddPartitionsToTxn", add_partitions(scene, name, who, topics))
    ask("none", [])
    ask("one", [(topic, [0])])
    described(scene, identity, "one")
    ask("the same again", [(topic, [0])])
    ask("two", [(topic, [0, 1])])
    ask("an unknown topic", [(scene.name("no-such"), [0])])
    ask("one good, one that there is not", [(topic, [2, 7])])
    ask("a negative partition", [(topic, [-1])])
    ask("an invalid topic", [("a/b", [0])])
    ask("an internal topic", [("__transaction_state", [0])])
    ask("an unknown transactional id", [(topic, [0])], scene.name("no-such"))
    ask("an empty transactional id", [(topic, [0])], "")
    ask("another producer", [(topic, [0])], who=changed(producer, ids=1000))
    ask("an older epoch", [(topic, [0])], who=changed(producer, epochs=-1))
    ask("a newer epoch", [(topic, [0])], who=changed(producer, epochs=1))
    ask("a partition twice", [(topic, [0, 0])])
    described(scene, identity, "all")


@scenario("end transactions", "EndTxn")
def end_txn(scene):
    topic, identity = scene.topic("t"), scene.name("x")
    producer = scene.producer(identity)

    def ask(label, committed=True, name=identity, who=producer, markers=None):
        scene.ask(label, "EndTxn", end(name, who, committed))
        if markers is not None:
            scene.wait_for_end(topic, markers)
            scene.until(lambda: "Prepare" not in scene.quiet("DescribeTransactions", {"transactionalIds": [identity]}, on="setup")[
                "transactionStates"][0]["transactionState"])
        described(scene, identity, label)
    begin = lambda: scene.quiet("AddPartitionsToTxn", add_partitions(scene, identity, producer, [(topic, [0])]), on="setup")  # noqa: E731
    ask("commit what was not begun")
    ask("abort what was not begun", False)
    begin()
    ask("an unknown id", name=scene.name("no-such"))
    ask("an empty id", name="")
    ask("another producer", who=changed(producer, ids=1000))
    ask("an older epoch", who=changed(producer, epochs=-1))
    ask("a newer epoch", who=changed(producer, epochs=1))
    ask("commit without records", markers=1)
    ask("commit again")
    ask("abort what was committed", False)
    begin()
    scene.wait_for_end(topic, 1)
    ask("abort", False, markers=2)
    ask("abort again", False)
    ask("commit what was aborted")
    fetch_all(scene, topic)


@scenario("transactions", "Produce", versions=(3, 7, 9, 11))
def transactions(scene):
    topic, identity = scene.topic("t", 2), scene.name("x")
    producer = scene.producer(identity)

    def ask(label, sequence, partition=0, name=identity, who=producer, transactional=True):
        batch = scene.batch([label[:1], label[1:2]], **who, sequence=sequence, transactional=transactional)
        scene.ask(label, "Produce", produced(topic, {"batches": [batch]}, partition, name))

    def begin(who, *partitions):
        scene.quiet("AddPartitionsToTxn", add_partitions(scene, identity, who, [(topic, partitions)]), on="setup")
    begin(producer, 0)
    ask("first", 0)
    ask("again", 0)
    ask("second", 2)
    scene.keep("ListOffsets: stable, high", list(scene.ends(topic)))
    fetch_all(scene, topic, isolation=1, label="committed while it is open")
    scene.ask("open", "DescribeProducers", {"topics": [{"name": topic, "partitionIndexes": [0, 1]}]})
    described(scene, identity, "open")
    scene.ask("abort", "EndTxn", end(identity, producer, False))
    scene.wait_for_end(topic, 5)
    fetch_all(scene, topic, isolation=1, label="committed after an abort")
    fetch_all(scene, topic, isolation=0, label="all after an abort")
    ask("after the end", 4)
    begin(producer, 0, 1)
    ask("next transaction", 4)
    ask("next transaction, other partition", 0, 1)
    scene.ask("commit", "EndTxn", end(identity, producer, True))
    scene.wait_for_end(topic, 8)
    fetch_all(scene, topic, isolation=1, label="committed after a commit")
    scene.ask("ended", "DescribeProducers", {"topics": [{"name": topic, "partitionIndexes": [0, 1]}]})
    # Another producer takes the id while a transaction is open: it is aborted, the old one is fenced.
    begin(producer, 0)
    ask("to be fenced", 6)
    newer = scene.producer(identity)
    scene.wait_for_end(topic, 11)
    ask("fenced", 8)
    scene.ask("fenced", "AddPartitionsToTxn", add_partitions(scene, identity, producer, [(topic, [0])]))
    scene.ask("fenced", "EndTxn", end(identity, producer, True))
    scene.ask("fenced", "AddOffsetsToTxn", add_offsets(identity, producer, scene.name("g")))
    scene.ask("fenced", "InitProducerId", {"transactionalId": identity, "transactionTimeoutMs": 1000, "producerId": producer["producerId"],
                                           "producerEpoch": producer["epoch"]})
    begin(newer, 0)
    ask("the newer one", 0, who=newer)
    scene.ask("commit", "EndTxn", end(identity, newer, True))
    scene.wait_for_end(topic, 14)
    fetch_all(scene, topic, isolation=1, label="at last")
    described(scene, identity, "at last")


@scenario("bad batches of transactions", "Produce", versions=(3, 8, 11))
def bad_transactions(scene):
    topic = scene.topic("t", 30)

    def ask(label, sequence=2, ids=0, epochs=0, name=None, transactional=True, begun=True, added=True, partition_added=True):
        """Each has a producer and a partition of its own."""
        partition = scene.labels["partition"] = scene.labels.get("partition", -1) + 1
        identity = scene.name(f"x{partition}")
        scene.producer(identity)
        producer = scene.producer(identity)  # its epoch is 1
        if added:
            scene.quiet("AddPartitionsToTxn", add_partitions(scene, identity, producer, [(topic, [partition if partition_added else 29])]),
                        on="setup")
        if begun:
            scene.produce(topic, ["a", "b"], partition, identity, **producer, sequence=0, transactional=True)
        batch = scene.batch(["c"], **changed(producer, ids, epochs), sequence=sequence, transactional=transactional)
        scene.ask(label, "Produce", produced(topic, {"batches": [batch]}, partition, {None: identity, "": None}.get(name, name)))
        fetch_all(scene, topic, partition, label=f"after {label}")
    ask("good")
    ask("a gap", 7)
    ask("a sequence that was there, another batch", 1)
    ask("no partition was added", 0, begun=False, added=False)
    ask("another partition was added", 0, begun=False, partition_added=False)
    ask("an older epoch", epochs=-1)
    ask("an older epoch, not begun", 0, epochs=-1, begun=False)
    ask("a newer epoch", 0, epochs=1)
    ask("a newer epoch, not begun", 0, epochs=1, begun=False)
    ask("another producer", 0, ids=100000)
    ask("another producer, not begun", 0, ids=100000, begun=False)
    ask("another transactional id", name=scene.name("other"))
    ask("another transactional id, not begun", 0, name=scene.name("other"), begun=False)
    ask("no transactional id", name="")
    ask("no transactional id, not begun", 0, name="", begun=False)
    ask("not transactional", transactional=False)
    ask("not transactional, not begun", 0, transactional=False, begun=False)
    ask("not begun, does not begin with 0", 4, begun=False)


@scenario("add offsets to transactions", "AddOffsetsToTxn")
def add_offsets_to_txn(scene):
    identity, group = scene.name("x"), scene.name("g")
    producer = scene.producer(identity)

    def ask(label, name=identity, who=producer, its_group=group):
        scene.ask(label, "AddOffsetsToTxn", add_offsets(name, who, its_group))
    ask("an unknown id", scene.name("no-such"))
    ask("an empty id", "")
    ask("another producer", who=changed(producer, ids=1000))
    ask("an older epoch", who=changed(producer, epochs=-1))
    ask("a newer epoch", who=changed(producer, epochs=1))
    ask("no group", its_group="")
    ask("good")
    ask("again")


@scenario("offsets in transactions", "TxnOffsetCommit")
def txn_offset_commit(scene):
    topic, identity, group = scene.topic("t", 2), scene.name("x"), scene.name("g")
    producer = scene.producer(identity)

    def ask(label, name=identity, who=producer, its_group=group, **options):
        scene.ask(label, "TxnOffsetCommit", offsets(name, who, its_group, options.pop("of", topic), **options))

    def seen(label):
        for stable in (False, True):
            answer = scene.quiet("OffsetFetch", {"groups": [{"groupId": group, "topics": [{"name": topic, "partitionIndexes": [0, 1]}]}],
                                                 "requireStable": stable}, on="setup", version=8)
            scene.keep(f"OffsetFetch: {label}, stable {stable}", answer)
    ask("before the group was added")
    scene.quiet("AddOffsetsToTxn", add_offsets(identity, producer, group), on="setup")
    ask("good")
    seen("open")
    ask("an unknown id", scene.name("no-such"))
    ask("another producer", who=changed(producer, ids=1000))
    ask("an older epoch", who=changed(producer, epochs=-1))
    ask("a newer epoch", who=changed(producer, epochs=1))
    ask("no group", its_group="")
    ask("another group", its_group=scene.name("other"))
    ask("an unknown topic", of=scene.name("no-such"))
    ask("a partition that there is not", partition=8)
    ask("a negative offset", offset=-1, partition=1)
    if scene.version >= 3:
        ask("an unknown member", memberId="nobody", generationId=1)
        ask("a generation without a member", generationId=1)
        ask("an unknown instance", memberId="nobody", generationId=1, groupInstanceId="i")
    seen("open still")
    scene.ask("commit", "EndTxn", end(identity, producer, True))
    scene.until(lambda: scene.quiet("OffsetFetch", {"groups": [{"groupId": group, "topics": None}], "requireStable": True}, on="setup",
                                    version=8)["groups"][0]["topics"])
    seen("committed")
    producer2 = scene.producer(identity)
    scene.quiet("AddOffsetsToTxn", add_offsets(identity, producer2, group), on="setup")
    ask("to be aborted", who=producer2, offset=9)
    scene.ask("abort", "EndTxn", end(identity, producer2, False))
    scene.until(lambda: 88 not in scene_codes(scene, group, topic))
    seen("aborted")
    scene.ask("with it", "DescribeGroups", {"groups": [group]})


def scene_codes(scene, group, topic):
    answer = scene.quiet("OffsetFetch", {"groups": [{"groupId": group, "topics": [{"name": topic, "partitionIndexes": [0]}]}],
                                         "requireStable": True}, on="setup", version=8)
    return [each["errorCode"] for each in answer["groups"][0]["topics"][0]["partitions"]]


@scenario("describe transactions", "DescribeTransactions")
def describe_transactions(scene):
    topic, identity = scene.topic("t"), scene.name("x")
    producer = scene.producer(identity)
    for label, names in (("empty", [identity]), ("unknown", [scene.name("no-such")]), ("no name", [""]), ("none", []),
                         ("twice", [identity, identity]), ("two", [identity, scene.name("no-such")])):
        scene.ask(label, "DescribeTransactions", {"transactionalIds": names})
    scene.quiet("AddPartitionsToTxn", add_partitions(scene, identity, producer, [(topic, [0])]), on="setup")
    scene.ask("ongoing", "DescribeTransactions", {"transactionalIds": [identity]})


@scenario("list transactions", "ListTransactions")
def list_transactions(scene):
    topic, identity = scene.topic("t"), scene.name("x")
    producer = scene.producer(identity)
    scene.producer(scene.name("empty"))
    scene.quiet("AddPartitionsToTxn", add_partitions(scene, identity, producer, [(topic, [0])]), on="setup")

    def ask(label, states=(), producers=(), duration=-1):
        duration = {"durationFilter": duration} if scene.version >= 1 else {}
        scene.ask(label, "ListTransactions", {"stateFilters": list(states), "producerIdFilters": list(producers), **duration})
    ask("all")
    for states in (["Ongoing"], ["Empty"], ["ongoing"], ["Ongoing", "Empty"], ["Nothing"], ["Ongoing", "Nothing"], [""],
                   ["CompleteCommit"]):
        ask(f"states {states}", states)
    ask("of a producer", producers=[producer["producerId"]])
    ask("of an unknown producer", producers=[1 << 50])
    ask("of a producer and a state that it has not", ["Empty"], [producer["producerId"]])
    if scene.version >= 1:
        ask("of a day", duration=24 * 3600 * 1000)
        ask("of no time", duration=0)
        ask("of -2", duration=-2)
    scene.quiet("EndTxn", end(identity, producer, True))
    scene.wait_for_end(topic, 1)
    scene.until(lambda: "Prepare" not in scene.quiet("DescribeTransactions", {"transactionalIds": [identity]}, on="setup")[
        "transactionStates"][0]["transactionState"])
    ask("committed", ["CompleteCommit"])


@scenario("describe producers", "DescribeProducers")
def describe_producers(scene):
    topic = scene.topic("t", 2)
    producer = scene.producer()
    scene.produce(topic, ["a", "b"], **producer, sequence=0)
    for label, topics in (("one", [(topic, [0])]), ("none in it", [(topic, [1])]), ("a partition that there is not", [(topic, [0, 7])]),
                          ("a negative partition", [(topic, [-1])]), ("an unknown topic", [(scene.name("no-such"), [0])]),
                          ("an invalid topic", [("a/b", [0])]), ("none", []), ("no partitions", [(topic, [])]),
                          ("a partition twice", [(topic, [0, 0])])):
        scene.ask(label, "DescribeProducers", {"topics": [{"name": name, "partitionIndexes": partitions} for name, partitions in topics]})
