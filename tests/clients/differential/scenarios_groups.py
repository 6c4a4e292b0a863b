"""Groups: members, generations, offsets, what administrators ask of them."""

from registry import scenario
from scene import VERSIONS

PROTOCOLS = [{"name": "range", "metadata": "r"}, {"name": "roundrobin", "metadata": "rr"}]


def join_body(scene, group, member="", instance=None, protocols=None, **options):
    version = scene.version_of("JoinGroup")
    body = {"groupId": group, "sessionTimeoutMs": 10000, "rebalanceTimeoutMs": 10000, "memberId": member, "protocolType": "consumer",
            "protocols": PROTOCOLS if protocols is None else protocols, **options}
    if version < 1:
        body.pop("rebalanceTimeoutMs")
    if instance is not None:
        body["groupInstanceId"] = instance
    return body


def join(scene, group, on="main", label=None, **options):
    """(member id, generation): as a client does, which comes again with the id that it was given."""
    answer = scene.quiet("JoinGroup", join_body(scene, group, **options), on=on)
    if answer.get("errorCode") == 79:
        answer = scene.quiet("JoinGroup", join_body(scene, group, **{**options, "member": answer["memberId"]}), on=on)
    if label:
        scene.keep(f"JoinGroup: {label}", answer)
    return answer.get("memberId"), answer.get("generationId")


def sync_body(scene, group, member, generation, assignments=None, **options):
    body = {"groupId": group, "memberId": member, "generationId": generation,
            "assignments": [{"memberId": each, "assignment": share} for each, share in (assignments or {}).items()], **options}
    if scene.version_of("SyncGroup") >= 5:
        body = {"protocolType": "consumer", "protocolName": "range", **body}
    return body


def stable(scene, group, what="", on="main", **options):
    """A group of one member."""
    member, generation = join(scene, group, on=on, **options)
    scene.quiet("SyncGroup", sync_body(scene, group, member, generation, {member: "all" + what}), on=on)
    return member, generation


def committing(topic, offset=5, partition=0, group=None, member="", generation=-1, metadata="m", epoch=-1):
    return {"groupId": group, "memberId": member, "generationIdOrMemberEpoch": generation, "topics": [{"name": topic, "partitions": [
        {"partitionIndex": partition, "committedOffset": offset, "committedMetadata": metadata, "committedLeaderEpoch": epoch}]}]}


def commit(scene, group, topic, offset=5, partition=0, **options):
    return scene.quiet("OffsetCommit", committing(topic, offset, partition, group=group, **options), on="setup", version=8)


def described(scene, group, label):
    scene.keep(f"DescribeGroups: {label}", scene.quiet("DescribeGroups", {"groups": [group]}, on="setup"))


@scenario("find coordinator", "FindCoordinator")
def find_coordinator(scene):
    def ask(label, key, kind=0):
        body = {"coordinatorKeys": [key]} if scene.version >= 4 else {"key": key}
        scene.ask(label, "FindCoordinator", {**body, **({"keyType": kind} if scene.version >= 1 else {})})
    ask("of a group", scene.name("g"))
    ask("of nothing", "")
    if scene.version >= 1:
        ask("of a transactional id", scene.name("t"), 1)
        ask("of no transactional id", "", 1)
        for kind in (2, 3, -1):
            ask(f"of type {kind}", scene.name("g"), kind)
    if scene.version >= 4:
        for label, keys in (("two", [scene.name("a"), scene.name("b")]), ("none", []), ("one twice", [scene.name("a")] * 2)):
            scene.ask(label, "FindCoordinator", {"coordinatorKeys": keys, "keyType": 0})


@scenario("join a group", "JoinGroup")
def join_group(scene):
    group = scene.name("g")
    first = scene.ask("first", "JoinGroup", join_body(scene, group))
    if first.get("errorCode") == 79:
        scene.ask("first, with its id", "JoinGroup", join_body(scene, group, first["memberId"]))
    for label, body in (
            ("an unknown member", join_body(scene, scene.name("g2"), "nobody")),
            ("an unknown member of a group that there is", join_body(scene, group, "nobody")),
            ("an empty group", join_body(scene, "")),
            ("session timeout of 0", join_body(scene, scene.name("g3"), sessionTimeoutMs=0)),
            ("session timeout of 5999", join_body(scene, scene.name("g3"), sessionTimeoutMs=5999)),
            ("session timeout of -1", join_body(scene, scene.name("g3"), sessionTimeoutMs=-1)),
            ("session timeout of 1800001", join_body(scene, scene.name("g3"), sessionTimeoutMs=1800001)),
            ("no protocols", join_body(scene, scene.name("g4"), protocols=[])),
            ("an empty protocol type", join_body(scene, scene.name("g5"), protocolType="")),
            ("a protocol twice", join_body(scene, scene.name("g7"), protocols=[PROTOCOLS[0], PROTOCOLS[0]])),
            ("another protocol type", join_body(scene, group, protocolType="connect")),
            ("protocols that the others lack", join_body(scene, group, protocols=[{"name": "sticky", "metadata": ""}]))):
        answer = scene.ask(label, "JoinGroup", body, timeout_ms=500)
        if answer.get("errorCode") == 79:
            scene.ask(f"{label}, with its id", "JoinGroup", {**body, "memberId": answer["memberId"]}, timeout_ms=500)
    described(scene, group, "then")


@scenario("a group's life", "JoinGroup")
def group_life(scene):
    group = scene.name("g")
    described(scene, group, "before")
    one, generation = join(scene, group, label="one")
    described(scene, group, "joined")
    scene.ask("while it completes", "Heartbeat", {"groupId": group, "memberId": one, "generationId": generation})
    scene.ask("while it completes", "OffsetCommit", committing(scene.name("t"), group=group, member=one, generation=generation), version=8)
    scene.ask("one", "SyncGroup", sync_body(scene, group, one, generation, {one: "A"}))
    described(scene, group, "stable")
    scene.ask("the leader joins again", "JoinGroup", join_body(scene, group, one))
    generation += 1
    scene.ask("one", "SyncGroup", sync_body(scene, group, one, generation, {one: "B"}))
    # Another comes: the first is called by its heartbeat.
    entered = scene.quiet("JoinGroup", join_body(scene, group), on="two") if scene.version >= 4 else {"memberId": ""}
    scene.send("JoinGroup", join_body(scene, group, entered["memberId"]), on="two")
    scene.until(lambda: scene.quiet("Heartbeat", {"groupId": group, "memberId": one, "generationId": generation})["errorCode"] == 27)
    described(scene, group, "two wants to join")
    scene.ask("called", "Heartbeat", {"groupId": group, "memberId": one, "generationId": generation})
    scene.ask("called", "SyncGroup", sync_body(scene, group, one, generation))
    scene.ask("called", "OffsetCommit", committing(scene.name("t"), group=group, member=one, generation=generation), version=8)
    scene.ask("one comes", "JoinGroup", join_body(scene, group, one))
    two = scene.keep("JoinGroup: two", scene.receive(on="two")).get("memberId")
    generation += 1
    described(scene, group, "both joined")
    scene.send("SyncGroup", sync_body(scene, group, two, generation), on="two")
    scene.ask("the leader", "SyncGroup", sync_body(scene, group, one, generation, {one: "1", two: "2"}))
    scene.keep("SyncGroup: the other", scene.receive(on="two"))
    described(scene, group, "both stable")
    scene.ask("the other joins again as it was", "JoinGroup", join_body(scene, group, two), on="two")
    scene.ask("it syncs again", "SyncGroup", sync_body(scene, group, two, generation), on="two")
    scene.ask("an older generation", "Heartbeat", {"groupId": group, "memberId": two, "generationId": generation - 1})
    scene.ask("a newer generation", "Heartbeat", {"groupId": group, "memberId": two, "generationId": generation + 1})
    scene.ask("generation -1", "Heartbeat", {"groupId": group, "memberId": two, "generationId": -1})
    leaving = {"members": [{"memberId": two}]} if VERSIONS["LeaveGroup"][1] >= 3 else {"memberId": two}
    scene.ask("the other", "LeaveGroup", {"groupId": group, **leaving})
    described(scene, group, "the other has left")
    scene.ask("called", "Heartbeat", {"groupId": group, "memberId": one, "generationId": generation})
    scene.ask("one alone", "JoinGroup", join_body(scene, group, one))
    scene.ask("one", "LeaveGroup", {"groupId": group, "members": [{"memberId": one}]})
    described(scene, group, "all have left")
    join(scene, group, label="anew")


@scenario("static members", "JoinGroup", versions=range(5, 10))
def static_members(scene):
    group = scene.name("g")
    one, generation = join(scene, group, instance="i1", label="one")
    scene.ask("one", "SyncGroup", sync_body(scene, group, one, generation, {one: "A"}, groupInstanceId="i1"))
    described(scene, group, "one")
    again = scene.ask("the instance is there again", "JoinGroup", join_body(scene, group, instance="i1"), on="two")
    scene.ask("the old member", "Heartbeat", {"groupId": group, "memberId": one, "generationId": generation, "groupInstanceId": "i1"})
    scene.ask("the old member without its instance", "Heartbeat", {"groupId": group, "memberId": one, "generationId": generation})
    scene.ask("the old member", "SyncGroup", sync_body(scene, group, one, generation, groupInstanceId="i1"))
    scene.ask("the old member", "JoinGroup", join_body(scene, group, one, instance="i1"))
    scene.ask("the old member", "OffsetCommit", {**committing(scene.name("t"), group=group, member=one, generation=generation),
                                                "groupInstanceId": "i1"}, version=8)
    scene.ask("the old member", "LeaveGroup", {"groupId": group, "members": [{"memberId": one, "groupInstanceId": "i1"}]})
    now = {"memberId": again.get("memberId", ""), "generationId": again.get("generationId", -1)}
    scene.ask("the new member", "Heartbeat", {"groupId": group, **now, "groupInstanceId": "i1"})
    scene.ask("the new member", "SyncGroup", sync_body(scene, group, now["memberId"], now["generationId"], groupInstanceId="i1"))
    scene.ask("an unknown instance", "Heartbeat", {"groupId": group, **now, "groupInstanceId": "i9"})
    scene.ask("an unknown instance with an id", "JoinGroup", join_body(scene, group, "nobody", instance="i9"))
    scene.ask("an empty instance", "JoinGroup", join_body(scene, scene.name("g2"), instance=""))
    scene.ask("an unknown instance", "LeaveGroup", {"groupId": group, "members": [{"memberId": "", "groupInstanceId": "i9"}]})
    described(scene, group, "two")
    scene.ask("by its instance", "LeaveGroup", {"groupId": group, "members": [{"memberId": "", "groupInstanceId": "i1", "reason": "done"}]})
    described(scene, group, "it has left")


def in_each_state(scene, ask):
    """`ask` (label, group, member, generation) of groups in each state, and of members that are not theirs."""
    group, empty, completing = scene.name("stable"), scene.name("empty"), scene.name("completing")
    member, generation = stable(scene, group)
    join(scene, completing, on="completing")
    joined, its_generation = scene_member(scene, completing)
    commit(scene, empty, scene.topic("committed"))
    ask("an unknown group", scene.name("no-such"), "m", 1)
    ask("an unknown group, no member", scene.name("no-such"), "", -1)
    ask("an empty group", empty, "m", 1)
    ask("an empty group, no member", empty, "", -1)
    ask("no group", "", "m", 1)
    ask("an unknown member", group, "nobody", generation)
    ask("no member", group, "", generation)
    ask("no member, no generation", group, "", -1)
    ask("an older generation", group, member, generation - 1)
    ask("a newer generation", group, member, generation + 1)
    ask("a negative generation", group, member, -1)
    ask("a group that completes", completing, joined, its_generation)
    ask("right", group, member, generation)


def scene_member(scene, group):
    """Of a group of one."""
    answer = scene.quiet("DescribeGroups", {"groups": [group]}, on="setup")
    member = answer["groups"][0]["members"][0]["memberId"]
    return member, 1


@scenario("heartbeats", "Heartbeat")
def heartbeats(scene):
    in_each_state(scene, lambda label, group, member, generation: scene.ask(label, "Heartbeat", {
        "groupId": group, "memberId": member, "generationId": generation}))


@scenario("sync", "SyncGroup")
def syncs(scene):
    in_each_state(scene, lambda label, group, member, generation: scene.ask(label, "SyncGroup", sync_body(
        scene, group, member, generation)))
    group = scene.name("more")
    member, generation = join(scene, group)
    if scene.version >= 5:
        scene.ask("another protocol type", "SyncGroup", sync_body(scene, group, member, generation, protocolType="connect"))
        scene.ask("another protocol", "SyncGroup", sync_body(scene, group, member, generation, protocolName="sticky"))
        scene.ask("null protocol", "SyncGroup", sync_body(scene, group, member, generation, protocolType=None, protocolName=None))
    scene.ask("an assignment of a stranger", "SyncGroup", sync_body(scene, group, member, generation, {"nobody": "x"}))
    scene.ask("again", "SyncGroup", sync_body(scene, group, member, generation, {member: "x"}))


@scenario("leave", "LeaveGroup")
def leaves(scene):
    def body(group, *members):
        if scene.version >= 3:
            return {"groupId": group, "members": [{"memberId": each} for each in members]}
        return {"groupId": group, "memberId": members[0]}
    in_each_state(scene, lambda label, group, member, generation: scene.ask(label, "LeaveGroup", body(group, member)))
    group = scene.name("more")
    member, _ = stable(scene, group, on="more")
    if scene.version >= 3:
        scene.ask("none", "LeaveGroup", body(group))
        scene.ask("one that is not there and one that is", "LeaveGroup", body(group, "nobody", member))
        scene.ask("one twice", "LeaveGroup", body(group, member, member))


@scenario("describe groups", "DescribeGroups")
def describe_groups(scene):
    group, empty = scene.name("g"), scene.name("empty")
    stable(scene, group)
    commit(scene, empty, scene.topic("t"))
    for label, groups in (("stable", [group]), ("empty", [empty]), ("unknown", [scene.name("no-such")]), ("no name", [""]), ("none", []),
                          ("twice", [group, group]), ("several", [group, scene.name("no-such"), empty])):
        scene.ask(label, "DescribeGroups", {"groups": groups})
    if scene.version >= 3:
        scene.ask("operations", "DescribeGroups", {"groups": [group, scene.name("no-such")], "includeAuthorizedOperations": True})


@scenario("list groups", "ListGroups")
def list_groups(scene):
    stable(scene, scene.name("g"))
    commit(scene, scene.name("empty"), scene.topic("t"))
    join(scene, scene.name("connect"), on="connect", protocolType="connect")

    def ask(label, states=(), types=()):
        scene.ask(label, "ListGroups", {"statesFilter": list(states), "typesFilter": list(types)})
    ask("all")
    if scene.version >= 4:
        for states in (["Stable"], ["Empty"], ["stable"], ["Stable", "Empty"], ["CompletingRebalance"], ["Nothing"], [""], ["Dead"]):
            ask(f"states {states}", states)
    if scene.version >= 5:
        for types in (["classic"], ["Classic"], ["consumer"], ["CLASSIC", "share"], ["nothing"], [""]):
            ask(f"types {types}", types=types)


@scenario("commit offsets", "OffsetCommit")
def commit_offsets(scene):
    topic = scene.topic("t", 2)

    def ask(label, group, member="", generation=-1, **options):
        name = options.pop("name", topic)
        scene.ask(label, "OffsetCommit", committing(name, group=group, member=member, generation=generation, **options))
    in_each_state(scene, ask)
    group = scene.name("simple")
    ask("by nobody", group)
    ask("a negative offset", group, offset=-1)
    ask("offset -5", group, offset=-5)
    ask("beyond the end", group, offset=1 << 60)
    ask("null metadata", group, metadata=None)
    ask("metadata of 4096", group, metadata="m" * 4096)
    ask("metadata of 4097", group, metadata="m" * 4097)
    ask("an unknown topic", group, name=scene.name("no-such"))
    ask("an invalid topic", group, name="a/b")
    ask("an empty topic", group, name="")
    ask("a partition that there is not", group, partition=7)
    ask("a negative partition", group, partition=-1)
    ask("a leader epoch", group, epoch=3)
    ask("a negative leader epoch", group, epoch=-3)
    scene.ask("nothing", "OffsetCommit", {"groupId": group, "generationIdOrMemberEpoch": -1, "topics": []})
    both = committing(topic, group=group)
    both["topics"][0]["partitions"] *= 2
    scene.ask("a partition twice", "OffsetCommit", both)
    if scene.version in (2, 3, 4):
        scene.ask("a retention", "OffsetCommit", {**committing(topic, group=group), "retentionTimeMs": 1000})
    scene.ask("then", "OffsetFetch", {"groups": [{"groupId": group, "topics": None}]}, version=8)


@scenario("fetch offsets", "OffsetFetch")
def fetch_offsets(scene):
    topic, group = scene.topic("t", 3), scene.name("g")
    commit(scene, group, topic, 5)
    commit(scene, group, topic, 7, 1, metadata="", epoch=2)
    member, generation = stable(scene, scene.name("members"))

    def ask(label, name, topics, **options):
        if scene.version >= 8:
            wanted = None if topics is None else [{"name": each, "partitionIndexes": partitions} for each, partitions in topics]
            one = {"groupId": name, "topics": wanted}
            if scene.version >= 9:
                one.update({key: options.pop(key) for key in ("memberId", "memberEpoch") if key in options})
            scene.ask(label, "OffsetFetch", {"groups": [one], **options})
        else:
            wanted = None if topics is None else [{"name": each, "partitionIndexes": partitions} for each, partitions in topics]
            scene.ask(label, "OffsetFetch", {"groupId": name, "topics": wanted, **options})
    ask("of two partitions", group, [(topic, [0, 1])])
    ask("one without", group, [(topic, [2])])
    ask("a partition that there is not", group, [(topic, [7, -1])])
    ask("an unknown topic", group, [(scene.name("no-such"), [0])])
    ask("an invalid topic", group, [("a/b", [0])])
    ask("none", group, [])
    ask("no partitions", group, [(topic, [])])
    ask("a partition twice", group, [(topic, [0, 0])])
    ask("an unknown group", scene.name("no-such"), [(topic, [0])])
    ask("no group", "", [(topic, [0])])
    if scene.version >= 2:
        ask("all", group, None)
        ask("all of an unknown group", scene.name("no-such"), None)
    if scene.version >= 7:
        ask("stable ones", group, [(topic, [0])], requireStable=True)
    if scene.version >= 8:
        scene.ask("two groups", "OffsetFetch", {"groups": [{"groupId": each, "topics": None} for each in (group, scene.name("no-such"))]})
        scene.ask("a group twice", "OffsetFetch", {"groups": [{"groupId": group, "topics": None}] * 2})
        scene.ask("no groups", "OffsetFetch", {"groups": []})
    if scene.version >= 9:
        ask("by a member", scene.name("members"), [(topic, [0])], memberId=member, memberEpoch=generation)
        ask("by an unknown member", scene.name("members"), [(topic, [0])], memberId="nobody", memberEpoch=generation)
        ask("by another epoch", scene.name("members"), [(topic, [0])], memberId=member, memberEpoch=generation + 5)
        ask("by a member of an unknown group", scene.name("no-such"), [(topic, [0])], memberId="m", memberEpoch=1)


@scenario("delete groups", "DeleteGroups")
def delete_groups(scene):
    topic, group, busy = scene.topic("t"), scene.name("g"), scene.name("busy")
    commit(scene, group, topic)
    stable(scene, busy)
    for label, groups in (("one", [group]), ("it is gone", [group]), ("unknown", [scene.name("no-such")]), ("with members", [busy]),
                          ("no name", [""]), ("none", [])):
        scene.ask(label, "DeleteGroups", {"groupsNames": groups})
    commit(scene, group, topic)
    scene.ask("one twice", "DeleteGroups", {"groupsNames": [group, group]})
    commit(scene, group, topic)
    scene.ask("one good, one not", "DeleteGroups", {"groupsNames": [group, busy]})
    scene.ask("after", "OffsetFetch", {"groups": [{"groupId": group, "topics": None}]}, version=8)


@scenario("delete offsets", "OffsetDelete")
def delete_offsets(scene):
    topic, other, group, busy = scene.topic("t", 2), scene.topic("u"), scene.name("g"), scene.name("busy")
    for name in (topic, other):
        commit(scene, group, name)
    # A consumer's subscription: version 0, one topic, no user data.
    subscription = "\0\0\0\0\0\1\0" + chr(len(topic)) + topic + "\0\0\0\0"
    member, generation = join(scene, busy, protocols=[{"name": "range", "metadata": subscription}])
    scene.quiet("SyncGroup", sync_body(scene, busy, member, generation, {member: "A"}))
    for name in (topic, other):
        commit(scene, busy, name, member=member, generation=generation)

    def ask(label, name, topics):
        asked = [{"name": each, "partitions": [{"partitionIndex": index} for index in partitions]} for each, partitions in topics]
        scene.ask(label, "OffsetDelete", {"groupId": name, "topics": asked})
    ask("one", group, [(topic, [0])])
    ask("it is gone", group, [(topic, [0])])
    ask("one without", group, [(topic, [1])])
    ask("a partition that there is not", group, [(topic, [9, -1])])
    ask("an unknown topic", group, [(scene.name("no-such"), [0])])
    ask("none", group, [])
    ask("an unknown group", scene.name("no-such"), [(topic, [0])])
    ask("no group", "", [(topic, [0])])
    ask("of a topic that is subscribed", busy, [(topic, [0])])
    ask("of one that is not", busy, [(other, [0])])
    ask("of both", busy, [(topic, [0]), (other, [0])])
    ask("the last", group, [(other, [0])])
    described(scene, group, "after the last")
