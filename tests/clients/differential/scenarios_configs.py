"""Configs of topics and of brokers: describe, alter, alter incrementally."""

from registry import scenario

TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3
KEYS = ["retention.ms", "cleanup.policy", "max.message.bytes", "compression.type"]


def describe(kind, name, keys=None, **options):
    return {"resources": [{"resourceType": kind, "resourceName": name, "configurationKeys": keys}], **options}


@scenario("describe configs", "DescribeConfigs")
def describe_configs(scene):
    topic = scene.topic("t", configs={"retention.ms": "1000", "cleanup.policy": "compact"})
    ask = lambda label, body: scene.ask(label, "DescribeConfigs", body)  # noqa: E731
    ask("some keys", describe(TOPIC, topic, ["cleanup.policy", "max.message.bytes"]))
    ask("with synonyms", describe(TOPIC, topic, ["cleanup.policy", "max.message.bytes"], includeSynonyms=True))
    ask("with documentation", described := describe(TOPIC, topic, ["cleanup.policy"], includeDocumentation=False))
    ask("an unknown key", describe(TOPIC, topic, ["no.such.config", "cleanup.policy"]))
    keys = scene.quiet("DescribeConfigs", describe(TOPIC, topic, []))["results"][0]["configs"]
    scene.keep("DescribeConfigs: no keys, which are all", {"some": len(keys) > 20})  # which there are is the scripted session's
    ask("a key twice", describe(TOPIC, topic, ["cleanup.policy", "cleanup.policy"]))
    ask("an unknown topic", describe(TOPIC, scene.name("no-such"), KEYS))
    ask("an invalid topic", describe(TOPIC, "a/b", KEYS))
    ask("an empty topic", describe(TOPIC, "", KEYS))
    ask("a broker", describe(BROKER, "1", ["log.cleaner.threads", "message.max.bytes"]))
    ask("a broker, with synonyms", describe(BROKER, "1", ["message.max.bytes"], includeSynonyms=True))
    ask("another broker", describe(BROKER, "7", ["message.max.bytes"]))
    ask("a broker that is no number", describe(BROKER, "one", ["message.max.bytes"]))
    ask("the brokers' default", describe(BROKER, "", ["message.max.bytes"]))
    for kind in (0, 1, 3, 99, -1):
        ask(f"resources of type {kind}", describe(kind, topic, KEYS))
    ask("none", {"resources": []})
    ask("a topic twice", {"resources": described["resources"] * 2})
    ask("a topic and an unknown one", {"resources": described["resources"] + describe(TOPIC, scene.name("no-such"), KEYS)["resources"]})


@scenario("alter configs", "AlterConfigs")
def alter_configs(scene):
    topic = scene.topic("t", configs={"cleanup.policy": "compact"})

    def ask(label, *configs, kind=TOPIC, name=topic, validate_only=False):
        scene.ask(label, "AlterConfigs", {"validateOnly": validate_only, "resources": [
            {"resourceType": kind, "resourceName": name, "configs": [{"name": key, "value": value} for key, value in configs]}]})
        if kind == TOPIC and name == topic:
            scene.settle()
            scene.ask(f"after {label}", "DescribeConfigs", describe(TOPIC, topic, KEYS))
    ask("one, the others go", ("retention.ms", "1000"))
    ask("none, all go")
    ask("validate only", ("retention.ms", "1000"), validate_only=True)
    ask("validate only, bad", ("retention.ms", "x"), validate_only=True)
    ask("null", ("retention.ms", None))
    ask("unknown", ("no.such.config", "1"))
    ask("a good one and a bad one", ("retention.ms", "3000"), ("cleanup.policy", "x"))
    ask("one twice", ("retention.ms", "1000"), ("retention.ms", "2000"))
    ask("an unknown topic", ("retention.ms", "1000"), name=scene.name("no-such"))
    ask("an invalid topic", ("retention.ms", "1000"), name="a/b")
    ask("an empty topic", ("retention.ms", "1000"), name="")
    ask("another broker", ("log.retention.ms", "1000"), kind=BROKER, name="7")
    ask("a broker that is no number", ("log.retention.ms", "1000"), kind=BROKER, name="one")
    for kind in (0, 1, 3, 99):
        ask(f"resources of type {kind}", ("retention.ms", "1000"), kind=kind)
    resource = {"resourceType": TOPIC, "resourceName": topic, "configs": []}
    scene.ask("a resource twice", "AlterConfigs", {"resources": [resource, resource]}, timeout_ms=500)
    scene.ask("no resource", "AlterConfigs", {"resources": []}, on="other")


@scenario("alter configs incrementally", "IncrementalAlterConfigs")
def incremental(scene):
    topic = scene.topic("t", configs={"cleanup.policy": "compact"})

    def ask(label, *configs, kind=TOPIC, name=topic, validate_only=False):
        scene.ask(label, "IncrementalAlterConfigs", {"validateOnly": validate_only, "resources": [
            {"resourceType": kind, "resourceName": name,
             "configs": [{"name": key, "configOperation": operation, "value": value} for key, operation, value in configs]}]})
        if kind == TOPIC and name == topic:
            scene.settle()
            scene.ask(f"after {label}", "DescribeConfigs", describe(TOPIC, topic, KEYS))
    ask("set", ("retention.ms", SET, "1000"))
    ask("append", ("cleanup.policy", APPEND, "delete"))
    ask("append what is there", ("cleanup.policy", APPEND, "delete"))
    ask("append two", ("cleanup.policy", APPEND, "delete,compact"))
    ask("subtract", ("cleanup.policy", SUBTRACT, "compact"))
    ask("subtract what is not there", ("cleanup.policy", SUBTRACT, "compact"))
    ask("subtract the last", ("cleanup.policy", SUBTRACT, "delete"))
    ask("append to no list", ("retention.ms", APPEND, "1"))
    ask("subtract from no list", ("retention.ms", SUBTRACT, "1"))
    ask("delete", ("retention.ms", DELETE, None))
    ask("delete what is not set", ("retention.ms", DELETE, None))
    ask("delete with a value", ("cleanup.policy", DELETE, "compact"))
    ask("append to a default", ("cleanup.policy", APPEND, "compact"))
    ask("delete an unknown one", ("no.such.config", DELETE, None))
    ask("set an unknown one", ("no.such.config", SET, "1"))
    ask("set to null", ("retention.ms", SET, None))
    ask("set to nothing", ("retention.ms", SET, ""))
    ask("append null", ("cleanup.policy", APPEND, None))
    ask("append an unknown word", ("cleanup.policy", APPEND, "keep"))
    ask("append nothing", ("cleanup.policy", APPEND, ""))
    ask("operation 9", ("retention.ms", 9, "1"))
    ask("a key twice", ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
    ask("a key set and deleted", ("retention.ms", SET, "1"), ("retention.ms", DELETE, None))
    ask("a good one and a bad one", ("retention.ms", SET, "9000"), ("max.message.bytes", SET, "-1"))
    ask("validate only", ("retention.ms", SET, "5000"), validate_only=True)
    ask("validate only, bad", ("retention.ms", SET, "-9"), validate_only=True)
    ask("no configs")
    ask("an unknown topic", ("retention.ms", SET, "1"), name=scene.name("no-such"))
    ask("an invalid topic", ("retention.ms", SET, "1"), name="..")
    ask("an empty topic", ("retention.ms", SET, "1"), name="")
    for kind in (0, 1, 3, 99):
        ask(f"resources of type {kind}", ("retention.ms", SET, "1"), kind=kind)
    for name in ("7", "one"):
        ask(f"broker {name}", ("log.retention.ms", SET, "100000"), kind=BROKER, name=name)
    ask("an unknown key of a broker", ("no.such.config", SET, "1"), kind=BROKER, name="1")
    ask("a key of a broker that can't be changed", ("node.id", SET, "1"), kind=BROKER, name="1")
    ask("a bad value of a broker", ("log.retention.ms", SET, "x"), kind=BROKER, name="1")
    ask("validate only, a broker", ("log.retention.ms", SET, "1000"), kind=BROKER, name="1", validate_only=True)
    ask("all brokers", ("log.cleaner.backoff.ms", SET, "15000"), kind=BROKER, name="")
    ask("all brokers, deleted", ("log.cleaner.backoff.ms", DELETE, None), kind=BROKER, name="")
    resource = {"resourceType": TOPIC, "resourceName": topic, "configs": [{"name": "retention.ms", "configOperation": SET, "value": "1"}]}
    scene.ask("a resource twice", "IncrementalAlterConfigs", {"resources": [resource, resource]})
    scene.ask("no resource", "IncrementalAlterConfigs", {"resources": []}, on="other")
