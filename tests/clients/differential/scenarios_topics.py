"""Topics: create, delete, partitions, metadata, log directories, the cluster."""

from registry import scenario

NO_TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAA"
STRANGE_ID = "8-cV2ZyFQAKmEgQ3OBb3Jg"


def new(name, partitions=1, replicas=1, **more):
    return {"name": name, "numPartitions": partitions, "replicationFactor": replicas, **more}


def create(*topics, validate_only=False, timeout_ms=10000):
    return {"topics": list(topics), "timeoutMs": timeout_ms, "validateOnly": validate_only}


def ask_create(scene, label, *topics, **options):
    answer = scene.quiet("CreateTopics", create(*topics, **options))
    if "cannot" in answer:
        return
    for topic in answer.get("topics", ()):  # configs with their defaults are the scripted session's
        if topic.get("configs"):
            topic["configs"] = [each for each in topic["configs"] if each["configSource"] == 1] + ["and the defaults"]
    scene.keep(f"CreateTopics: {label}", answer)


@scenario("create topics", "CreateTopics")
def create_topics(scene):
    name = scene.name
    ask = lambda label, *topics, **options: ask_create(scene, label, *topics, **options)  # noqa: E731
    ask("one", new(name("one")))
    scene.wait_for_topic(name("one"), 1)
    ask("it is there", new(name("one")))
    ask("none")
    ask("two", new(name("two"), 2), new(name("three"), 3))
    ask("twice in one request", new(name("twice")), new(name("twice"), 2))
    ask("one good, one twice", new(name("good")), new(name("double")), new(name("double")))
    for what, bad in (("a dot", "."), ("two dots", ".."), ("empty", ""), ("a slash", name("a/b")), ("a space", name("a b")),
                      ("250 characters", name("x" * (250 - len(name(""))))), ("249 characters", name("y" * (249 - len(name(""))))),
                      ("not ASCII", name("ä"))):
        ask(f"a name: {what}", new(bad))
    ask("a name that collides", new(name("a.b")))
    scene.wait_for_topic(name("a.b"), 1)
    ask("a name that collides by its underscore", new(name("a_b")))
    ask("no partitions", new(name("p0"), 0))
    ask("-1 partitions: the default", new(name("p-1"), -1))
    ask("-2 partitions", new(name("p-2"), -2))
    ask("no replicas", new(name("r0"), 1, 0))
    ask("-1 replicas: the default", new(name("r-1"), 1, -1))
    ask("-2 replicas", new(name("r-2"), 1, -2))
    ask("validate only", new(name("valid")), validate_only=True)
    ask("validate only, it is there", new(name("one")), validate_only=True)
    ask("validate only, bad", new(name("valid"), 0), validate_only=True)
    ask("made after it was validated", new(name("valid")))
    ask("a timeout of 0", new(name("t0")), timeout_ms=0)
    ask("a negative timeout", new(name("t-1")), timeout_ms=-1)


@scenario("create topics: assignments", "CreateTopics")
def create_assigned(scene):
    ask = lambda label, topic: ask_create(scene, label, topic)  # noqa: E731
    at = lambda index, *brokers: {"partitionIndex": index, "brokerIds": list(brokers)}  # noqa: E731
    ask("to broker 1", new(scene.name("a"), -1, -1, assignments=[at(0, 1), at(1, 1)]))
    ask("with a number of partitions", new(scene.name("b"), 1, -1, assignments=[at(0, 1)]))
    ask("with a replication factor", new(scene.name("c"), -1, 1, assignments=[at(0, 1)]))
    ask("to a broker that there is not", new(scene.name("d"), -1, -1, assignments=[at(0, 7)]))
    ask("not from 0", new(scene.name("e"), -1, -1, assignments=[at(1, 1)]))
    ask("a gap", new(scene.name("f"), -1, -1, assignments=[at(0, 1), at(2, 1)]))
    ask("to a broker twice", new(scene.name("g"), -1, -1, assignments=[at(0, 1, 1)]))
    ask("to nobody", new(scene.name("h"), -1, -1, assignments=[at(0)]))
    ask("a partition twice", new(scene.name("i"), -1, -1, assignments=[at(0, 1), at(0, 1)]))
    ask("a negative partition", new(scene.name("j"), -1, -1, assignments=[at(-1, 1)]))


@scenario("create topics: configs", "CreateTopics")
def create_configured(scene):
    def ask(label, *configs):
        scene.labels.setdefault("names", 0)
        scene.labels["names"] += 1
        name = scene.name(f"c{scene.labels['names']}")
        ask_create(scene, label, new(name, configs=[{"name": key, "value": value} for key, value in configs]))
    ask("one that is good", ("retention.ms", "1000"))
    ask("two", ("cleanup.policy", "compact,delete"), ("max.message.bytes", "1000"))
    ask("unknown", ("no.such.config", "1"))
    ask("an empty name", ("", "1"))
    ask("null", ("retention.ms", None))
    ask("empty", ("retention.ms", ""))
    ask("not a number", ("retention.ms", "soon"))
    ask("with spaces", ("retention.ms", " 1000 "))
    ask("too small", ("retention.ms", "-2"))
    ask("too big for its type", ("max.message.bytes", "99999999999"))
    ask("an unknown word", ("cleanup.policy", "keep"))
    ask("upper case", ("cleanup.policy", "Compact"))
    ask("an empty list", ("cleanup.policy", ""))
    ask("a word twice", ("cleanup.policy", "delete,delete"))
    ask("a boolean", ("unclean.leader.election.enable", "yes"))
    ask("a boolean in capitals", ("unclean.leader.election.enable", "TRUE"))
    ask("a ratio above 1", ("min.cleanable.dirty.ratio", "1.5"))
    ask("a compression", ("compression.type", "zstd"))
    ask("an unknown compression", ("compression.type", "rar"))
    ask("one twice", ("retention.ms", "1000"), ("retention.ms", "2000"))
    ask("bounds that cross", ("min.compaction.lag.ms", "100"), ("max.compaction.lag.ms", "50"))
    ask("local retention above the whole", ("local.retention.ms", "2000"), ("retention.ms", "1000"))
    ask("a segment that is too small", ("segment.bytes", "10"))


@scenario("delete topics", "DeleteTopics")
def delete_topics(scene):
    # Versions up to 5 name topics in topicNames, later ones in topics, by name or id.
    def ask(label, *names, ids=(), timeout_ms=10000):
        if scene.version < 6:
            scene.ask(label, "DeleteTopics", {"topicNames": list(names), "timeoutMs": timeout_ms})
        else:
            scene.ask(label, "DeleteTopics", {"topics": [{"name": each} for each in names] + [
                {"name": None, "topicId": each} for each in ids], "timeoutMs": timeout_ms})
    a, b, c, d, e = (scene.topic(each) for each in "abcde")
    by_id = scene.topic_id(d)
    ask("one", a)
    scene.until(lambda: scene.describe(a)["errorCode"] == 3)
    ask("it is gone", a)
    ask("unknown", scene.name("no-such"))
    ask("none")
    ask("one twice", b, b)
    ask("two, one unknown", c, scene.name("no-such"))
    ask("invalid names", "", ".", scene.name("a/b"))
    if scene.version >= 6:
        ask("by id", ids=[by_id])
        ask("an unknown id", ids=[STRANGE_ID])
        ask("neither name nor id", ids=[NO_TOPIC_ID])
        scene.ask("both name and id", "DeleteTopics", {"topics": [{"name": e, "topicId": scene.topic_id(e)}], "timeoutMs": 10000})
        scene.ask("by name and by id", "DeleteTopics", {"topics": [{"name": e}, {"name": None, "topicId": scene.topic_id(e)}],
                                                        "timeoutMs": 10000})
    ask("a timeout of 0", scene.topic("f"), timeout_ms=0)


@scenario("create partitions", "CreatePartitions")
def create_partitions(scene):
    topic, other = scene.topic("t", 2), scene.topic("u", 2)

    def ask(label, *topics, validate_only=False, timeout_ms=10000):
        asked = [{"name": name, "count": count, "assignments": assignments} for name, count, assignments in topics]
        scene.ask(label, "CreatePartitions", {"topics": asked, "timeoutMs": timeout_ms, "validateOnly": validate_only})
    at = lambda *brokers: {"brokerIds": list(brokers)}  # noqa: E731
    ask("three", (topic, 3, None))
    scene.wait_for_topic(topic, 3)
    ask("as many as there are", (topic, 3, None))
    ask("fewer", (topic, 1, None))
    ask("0", (topic, 0, None))
    ask("-1", (topic, -1, None))
    ask("unknown topic", (scene.name("no-such"), 3, None))
    ask("an invalid topic", (".", 3, None))
    ask("none")
    ask("a topic twice", (topic, 4, None), (topic, 5, None))
    ask("validate only", (topic, 4, None), validate_only=True)
    ask("validate only, fewer", (topic, 2, None), validate_only=True)
    ask("assigned", (other, 3, [at(1)]))
    scene.wait_for_topic(other, 3)
    ask("too few assigned", (other, 5, [at(1)]))
    ask("too many assigned", (other, 4, [at(1), at(1)]))
    ask("no assignment, but a list", (other, 4, []))
    ask("assigned to another broker", (other, 4, [at(9)]))
    ask("assigned to nobody", (other, 4, [at()]))
    ask("assigned to a broker twice", (other, 4, [at(1, 1)]))
    ask("a timeout of 0", (other, 6, None), timeout_ms=0)


@scenario("metadata", "Metadata")
def metadata(scene):
    topic = scene.topic("t", 2)
    gone = scene.topic("gone")
    gone_id = scene.topic_id(gone)
    scene.quiet("DeleteTopics", {"topicNames": [gone], "timeoutMs": 10000}, version=5)
    scene.until(lambda: scene.describe(gone)["errorCode"] == 3)

    def ask(label, topics, auto=False, **options):
        wanted = None if topics is None else [{"name": each} if not isinstance(each, dict) else each for each in topics]
        scene.ask(label, "Metadata", {"topics": wanted, "allowAutoTopicCreation": auto, **options})
    ask("one topic", [topic])
    ask("one topic twice", [topic, topic])
    if scene.version > 0:
        ask("none", [])
    if scene.version >= 4:
        ask("unknown, not to be made", [scene.name("no-such")])
        ask("deleted", [gone])
        ask("invalid names", [scene.name("a/b"), ".", "..", scene.name("x" * 250)])
        ask("empty name", [""])
    ask("invalid names, to be made", [scene.name("a/b"), "..", scene.name("x" * 250)], auto=True)
    ask("operations", [topic], includeTopicAuthorizedOperations=True, includeClusterAuthorizedOperations=True)
    if scene.version >= 12:
        ask("by id", [{"name": None, "topicId": scene.topic_id(topic)}])
        ask("by an unknown id", [{"name": None, "topicId": STRANGE_ID}])
        ask("by the id of one deleted", [{"name": None, "topicId": gone_id}])
        ask("by no id", [{"name": None, "topicId": NO_TOPIC_ID}])
        ask("by name and id", [{"name": topic, "topicId": scene.topic_id(topic)}])
        ask("by name and another id", [{"name": topic, "topicId": STRANGE_ID}])
    if scene.version == 10 or scene.version == 11:
        ask("a null name", [{"name": None, "topicId": scene.topic_id(topic)}])


@scenario("describe topic partitions", "DescribeTopicPartitions")
def describe_topic_partitions(scene):
    a, b = scene.topic("a", 3), scene.topic("b", 2)

    def ask(label, topics, limit=2000, cursor=None):
        scene.ask(label, "DescribeTopicPartitions", {"topics": [{"name": each} for each in topics], "responsePartitionLimit": limit,
                                                     "cursor": cursor})
    at = lambda topic, partition: {"topicName": topic, "partitionIndex": partition}  # noqa: E731
    ask("two", [a, b])
    ask("unsorted", [b, a])
    ask("unknown", [scene.name("no-such")])
    ask("invalid", [".", scene.name("a/b")])
    ask("twice", [a, a])
    ask("a limit in a topic", [a, b], limit=2)
    ask("a limit at a topic's end", [a, b], limit=3)
    ask("a limit in the second", [a, b], limit=4)
    ask("a limit of 1", [a, b], limit=1)
    ask("a limit of 0", [a, b], limit=0)
    ask("a negative limit", [a, b], limit=-1)
    ask("a cursor", [a, b], cursor=at(a, 1))
    ask("a cursor and a limit", [a, b], limit=2, cursor=at(a, 1))
    ask("a cursor in the second", [a, b], cursor=at(b, 1))
    ask("a cursor beyond the partitions", [a, b], cursor=at(a, 7))
    ask("a negative cursor", [a, b], cursor=at(a, -1))
    ask("a cursor at an unknown topic", [a, b], cursor=at(scene.name("aa"), 0))
    ask("a cursor behind all", [a, b], cursor=at(scene.name("z"), 0))


@scenario("log directories", "DescribeLogDirs")
def log_directories(scene):
    topic = scene.topic("t", 2)
    for partition in (0, 1):
        scene.produce(topic, ["a", "b"], partition)

    def ask(label, *topics):
        asked = [{"topic": name, "partitions": list(partitions)} for name, partitions in topics]
        answer = scene.quiet("DescribeLogDirs", {"topics": asked})
        for each in answer["results"]:  # the disk's, not the broker's
            for key in ("totalBytes", "usableBytes"):
                if key in each:
                    each[key] = each[key] > 0
        scene.keep(f"DescribeLogDirs: {label}", answer)
    ask("two partitions", (topic, [0, 1]))
    ask("one", (topic, [1]))
    ask("one that there is not", (topic, [0, 7]))
    ask("a negative one", (topic, [-1]))
    ask("an unknown topic", (scene.name("no-such"), [0]))
    ask("none")
    ask("a topic without partitions", (topic, []))
    ask("a partition twice", (topic, [0, 0]))


@scenario("cluster", "DescribeCluster")
def cluster(scene):
    for operations in (False, True):
        scene.ask(f"operations {operations}", "DescribeCluster", {"includeClusterAuthorizedOperations": operations})
    for kind in (1, 2, 0, 3):
        scene.ask(f"endpoints of type {kind}", "DescribeCluster", {"endpointType": kind})
    scene.ask("fenced ones too", "DescribeCluster", {"includeFencedBrokers": True})


@scenario("reassignments", "ListPartitionReassignments")
def reassignments(scene):
    topic = scene.topic("t")
    for label, topics in (("all", None), ("none", []), ("one", [{"name": topic, "partitionIndexes": [0]}]),
                          ("unknown", [{"name": scene.name("no-such"), "partitionIndexes": [0]}]),
                          ("a partition that there is not", [{"name": topic, "partitionIndexes": [3, -1]}])):
        scene.ask(label, "ListPartitionReassignments", {"timeoutMs": 1000, "topics": topics})


@scenario("versions", "ApiVersions")
def versions(scene):
    def ask(label, body):
        answer = scene.quiet("ApiVersions", body)
        answer.pop("apiKeys", None)  # which requests there are is in docs/reference/kafka.md
        for key in ("supportedFeatures", "finalizedFeatures", "finalizedFeaturesEpoch"):
            answer.pop(key, None)
        scene.keep(f"ApiVersions: {label}", answer)
    ask("a client", {"clientSoftwareName": "judge", "clientSoftwareVersion": "1.0"} if scene.version >= 3 else {})
    if scene.version >= 3:
        ask("no name", {"clientSoftwareName": "", "clientSoftwareVersion": "1.0"})
        ask("a strange name", {"clientSoftwareName": "a b", "clientSoftwareVersion": "1.0"})
        ask("a strange version", {"clientSoftwareName": "judge", "clientSoftwareVersion": "-"})
        ask("a name with signs", {"clientSoftwareName": "a-b.c", "clientSoftwareVersion": "1-2.3"})
