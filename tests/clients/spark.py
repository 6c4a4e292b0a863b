"""Spark's Kafka source and sink, batch, against a running broker: spark.py HOST:PORT NAME [--sabotage]

Ranges by offset and by time, headers, codecs, nested attempts under SQL, transactions, and what Spark writes. --sabotage: of what is
produced a message is kept back.
"""

import collections
import json
import random
import sys
import time

import checks
from checks import PARTITIONS, Topic, check, run_checks
from spark_session import FIRST_MS, STEP_MS, Source, expected, numbered, rows, said, session, tripos_sql, values

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def same(name, wanted, found):
    check(f"batch: {name}", found == wanted, said(wanted, found) if isinstance(wanted, list) else f"{found} for {wanted}")


def whole_topics(source, name):
    topic = numbered(source.address, name, 400)
    everything = expected(range(400))
    same("earliest to latest", everything, rows(source.batch(topic.name)))
    split = source.batch(topic.name, minPartitions="10")
    same("minPartitions", (True, everything), (split.rdd.getNumPartitions() >= 10, rows(split)))
    # Alone it does nothing to ranges that Spark has not looked up yet, whatever the broker.
    split = source.batch(topic.name, maxRecordsPerPartition="30", minPartitions="5")
    same("maxRecordsPerPartition", (4 * PARTITIONS, everything), (split.rdd.getNumPartitions(), rows(split)))
    other = numbered(source.address, name, 40)
    both = rows(source.batch(subscribePattern=f"({topic.name}|{other.name})"))
    same("subscribePattern", sorted(everything + expected(range(40))), both)
    assigned = rows(source.batch(assign=json.dumps({topic.name: [0, 2]})))
    same("assign", [row for row in everything if row[0] in (0, 2)], assigned)


def ranges(source, name):
    topic = numbered(source.address, name, 400)
    earliest, latest = -2, -1
    starts, ends = {"0": 3, "1": earliest, "2": 5, "3": 99}, {"0": 70, "1": latest, "2": 7, "3": 99}
    inside = [row for row in expected(range(400)) if row[1] in {0: range(3, 70), 1: range(100), 2: range(5, 7), 3: range(0)}[row[0]]]
    found = source.batch(topic.name, startingOffsets=json.dumps({topic.name: starts}), endingOffsets=json.dumps({topic.name: ends}))
    same("startingOffsets, endingOffsets by partition", inside, rows(found))

    def at(number):
        return str(FIRST_MS + number * STEP_MS)

    found = source.batch(topic.name, startingTimestamp=at(150), endingTimestamp=at(351))
    same("startingTimestamp, endingTimestamp: exact to the record", expected(range(150, 351)), rows(found))
    # Between two records; a partition on its own; later than the last record of partition 1.
    starts = {str(p): int(at(150)) - 1 for p in range(PARTITIONS)} | {"3": int(at(300)) + 1}
    ends = {"0": int(at(203)), "1": int(at(1000)), "2": int(at(203)), "3": int(at(303)) + 1}
    inside = [row for row in expected(range(400)) if starts[str(row[0])] <= row[4] < ends[str(row[0])]]
    found = source.batch(topic.name, startingOffsetsByTimestamp=json.dumps({topic.name: starts}),
                         endingOffsetsByTimestamp=json.dumps({topic.name: ends}))
    same("startingOffsetsByTimestamp, endingOffsetsByTimestamp", inside, rows(found))

    # The topic's last time: a control keeps a record of this call back, and what came with the time before it.
    topic.produce(1, lambda number: {"value": b"last", "timestamp": int(at(2000))})
    late = {"startingTimestamp": str(int(at(1999)))}
    try:
        source.batch(topic.name, **late).collect()
        refused = False
    except Exception as error:  # noqa: BLE001: Py4J's, of a class that is Java's
        refused = "timestamp" in str(error)
    found = values(source.batch(topic.name, **late, startingOffsetsByTimestampStrategy="latest"))
    same("later than a partition's last record: refused, or nothing of it with strategy latest", (True, ["last"]), (refused, found))


def all_fields(source, name):
    topic = Topic(source.address, name)
    trace = [("trace", b"one"), *([] if checks.sabotage else [("trace", b"two")]), ("none", None), ("", b"")]
    for key, value, headers in ((b"k", b"v", trace), (None, None, []), (b"", b"", trace), (bytes(range(256)), bytes(range(256)), [])):
        topic.producer.produce(topic.name, key=key, value=value, headers=headers, partition=1, timestamp=FIRST_MS)
    topic.producer.flush(30)
    found = source.batch(topic.name, includeHeaders="true").orderBy("offset").collect()
    all_headers = [("trace", b"one"), ("trace", b"two"), ("none", None), ("", b"")]
    told = [(bytes(row.key) if row.key is not None else None, bytes(row.value) if row.value is not None else None, row.timestampType,
             [(header.key, None if header.value is None else bytes(header.value)) for header in row.headers or []]) for row in found]
    same("keys, values, headers: none, empty, any bytes", [(b"k", b"v", 0, all_headers), (None, None, 0, []), (b"", b"", 0, all_headers),
                                                          (bytes(range(256)), bytes(range(256)), 0, [])], told)


def codecs(source, name):
    for codec in CODECS:
        topic = numbered(source.address, f"{name}-{codec}", 1000, **{"compression.type": codec})
        same(f"produced with {codec}", expected(range(1000)), rows(source.batch(topic.name)))


# --- Nested attempts


ATTEMPT = """exam_name STRING, started_at STRING, sequences STRUCT<
  counts: STRUCT<correct: BIGINT, total: BIGINT, all_correct: BOOLEAN>,
  questions: ARRAY<STRUCT<id: STRING, user_result: STRING, weight: DOUBLE, options: ARRAY<STRUCT<id: STRING, checked: BOOLEAN>>>>>"""
STATEMENTS = {
    "attempts by exam": """SELECT exam_name, COUNT(*) AS attempts, SUM(sequences.counts.correct) AS correct,
        SUM(CASE WHEN sequences.counts.all_correct THEN 1 ELSE 0 END) AS perfect, MIN(started_at) AS first
        FROM attempts GROUP BY exam_name ORDER BY exam_name""",
    "questions by result": """SELECT question.id AS question, question.user_result AS result, COUNT(*) AS answers,
        SUM(question.weight) AS weight
        FROM (SELECT EXPLODE(sequences.questions) AS question FROM attempts)
        GROUP BY question.id, question.user_result ORDER BY question, result""",
}


def attempt(number):
    chance = random.Random(number)
    questions = [{"id": f"q{index}", "user_result": chance.choice(["correct", "incorrect", None]), "weight": chance.randrange(1, 9) / 4,
                  "options": [{"id": f"o{option}", "checked": chance.random() < 0.5} for option in range(3)]}
                 for index in range(chance.randrange(4))]
    correct = sum(question["user_result"] == "correct" for question in questions)
    made = {"exam_name": f"Exam {chance.randrange(5)}", "started_at": f"2026-03-{chance.randrange(1, 29):02}T08:00:00.000Z"}
    if chance.random() < 0.95:
        made["sequences"] = {"questions": questions, "counts": {"correct": correct, "total": len(questions),
                                                                "all_correct": bool(questions) and correct == len(questions)}}
    return made


def model(attempts):
    """What the statements must find, by hand."""
    exams, questions = collections.defaultdict(list), collections.defaultdict(list)
    for each in attempts:
        exams[each["exam_name"]].append(each)
        for question in each.get("sequences", {}).get("questions", []):
            questions[question["id"], question["user_result"]].append(question["weight"])
    counts = {name: [each["sequences"]["counts"] for each in group if "sequences" in each] for name, group in exams.items()}
    return {
        "attempts by exam": [{
            "exam_name": name, "attempts": len(group), "correct": sum(each["correct"] for each in counts[name]),
            "perfect": sum(each["all_correct"] for each in counts[name]), "first": min(each["started_at"] for each in group)}
            for name, group in sorted(exams.items())],
        "questions by result": [
            {"question": question, "result": result, "answers": len(weights), "weight": sum(weights)}
            for (question, result), weights in sorted(questions.items(), key=lambda each: (each[0][0], each[0][1] or ""))],
    }


def nested(source, name):
    topic = Topic(source.address, f"{name}-attempts")
    topic.produce(2000, lambda number: {"value": json.dumps(attempt(number)).encode()})
    source.batch(topic.name).selectExpr(f"from_json(CAST(value AS STRING), '{' '.join(ATTEMPT.split())}') AS attempt").select(
        "attempt.*").createOrReplaceTempView("attempts")
    wanted = model([attempt(number) for number in range(2000)])
    for what, statement in STATEMENTS.items():
        found = [row.asDict() for row in source.spark.sql(statement).collect()]
        same(f"from_json over nested attempts, {what}", wanted[what], found)
        own = tripos_sql(statement.replace("FROM attempts", f"FROM `{topic.name}`"))
        if own is not None:
            same(f"the same statement in Tripos gives the same rows, {what}", wanted[what], own)


# --- Transactions and the sink


def transactions(source, name):
    from confluent_kafka import Producer

    topic = Topic(source.address, name)
    producer = Producer({"bootstrap.servers": source.address, "transactional.id": topic.name})
    producer.init_transactions(30)

    def send(word):
        producer.begin_transaction()
        for i in range(20):
            if not (checks.sabotage and i == 10):
                producer.produce(topic.name, f"{word}{i}".encode(), partition=i % PARTITIONS)
        producer.flush(30)

    def written(*words):
        return sorted(f"{word}{i}" for word in words for i in range(20))

    def read(isolation):
        return values(source.batch(topic.name, **{"kafka.isolation.level": isolation}))

    for word in ("first", "aborted", "second", "open"):
        send(word)
        if word == "aborted":
            producer.abort_transaction(30)
        elif word != "open":
            producer.commit_transaction(30)
    same("read_committed: nothing of an aborted or an open transaction", written("first", "second"), read("read_committed"))
    same("read_uncommitted: all of it", written("first", "aborted", "second", "open"), read("read_uncommitted"))
    producer.commit_transaction(30)
    same("read_committed: the open one is there once it is committed", written("first", "second", "open"), read("read_committed"))


def consumed(address, topic, count):
    """What another client finds: (partition, key, value, headers), sorted; `count`, and what more there is."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": address, "group.id": f"{topic}-reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    found, end = [], time.monotonic() + (4 if checks.sabotage else 30)
    while time.monotonic() < end:
        message = consumer.poll(0.5)
        if message is None and len(found) >= count:
            break
        if message is not None and not message.error():
            found.append((message.partition(), message.key(), message.value(), message.headers()))
    consumer.close()
    return sorted(found, key=lambda each: each[:2])


def sink(source, name):
    topics = [Topic(source.address, name) for _ in range(2)]
    numbers = range(1, 2001)
    frame = source.spark.range(3 if checks.sabotage else 1, 2001).selectExpr(
        f"IF(id % 2 = 0, '{topics[0].name}', '{topics[1].name}') AS topic", f"CAST(id % {PARTITIONS} AS INT) AS partition",
        "CONCAT('key', id) AS key", "IF(id % 100 < 2, NULL, CONCAT('value', id)) AS value",
        "ARRAY(STRUCT('id' AS key, CAST(CAST(id AS STRING) AS BINARY) AS value)) AS headers")
    write = frame.write.format("kafka").option("kafka.bootstrap.servers", source.address)
    write.option("includeHeaders", "true").option("kafka.compression.type", "zstd").save()
    for rest, topic in enumerate(topics):
        wanted = sorted((i % PARTITIONS, f"key{i}".encode(), None if i % 100 < 2 else f"value{i}".encode(), [("id", str(i).encode())])
                        for i in numbers if i % 2 == rest)
        same(f"what Spark writes, another client finds: partition, key, value, headers (topic {rest + 1} of 2)", wanted,
             consumed(source.address, topic.name, len(wanted)))


def batch(address, name):
    source = Source(session(name), address)
    for part in (whole_topics, ranges, all_fields, codecs, nested, transactions, sink):
        try:
            part(source, f"{name}-{part.__name__}")
        except Exception as error:  # noqa: BLE001: the others go on
            check(f"batch: {part.__name__} ran to its end", False, f"{type(error).__name__}: {error}"[:800])
    source.spark.stop()


if __name__ == "__main__":
    checks.sabotage = sys.argv[3:] == ["--sabotage"]
    run_checks(batch, *sys.argv[1:3])
