"""Spark's structured streaming against a running broker: spark_streams.py HOST:PORT NAME [--kill-broker] [--sabotage]

Streams with checkpoints that are stopped and started again, a partition that is added, records that are deleted before they were read,
transactions, an aggregation written back to Kafka. --kill-broker: only a stream whose broker is killed, a Tripos of this program's own.
--sabotage: of what is produced a message is kept back.
"""

import collections
import os
import tempfile
import threading
import time

import checks
from checks import PARTITIONS, check, judge_arguments, run_checks, wait
from own_server import OwnServer
from spark_session import FIRST_MS, Source, expected, fields, numbered, rows, said, session

PATIENCE_S = 120


class Query:
    """A stream of a topic's records into Parquet files, with its checkpoint: what is read once counts once."""

    def __init__(self, source, folder, topic, **options):
        self.source, self.topic, self.options = source, topic, options
        self.checkpoint, self.files = os.path.join(folder, f"{topic}-checkpoint"), os.path.join(folder, f"{topic}-files")
        self.query = None

    def _writer(self, **options):
        frame = self.source.stream(self.topic, **{**self.options, **options}).select("partition", "offset", "key", "value", "timestamp")
        return frame.writeStream.format("parquet").option("path", self.files).option("checkpointLocation", self.checkpoint)

    def all_there_is(self, **options):
        """Reads up to what is there now, and ends; raises what the stream ended of."""
        query = self._writer(**options).trigger(availableNow=True).start()
        try:
            if not query.awaitTermination(PATIENCE_S):
                raise RuntimeError(f"the stream did not end within {PATIENCE_S} s")
        finally:
            query.stop()
        return rows(self.source.spark.read.parquet(self.files))

    def start(self):
        self.query = self._writer().trigger(processingTime="300 milliseconds").start()

    def stop(self):
        self.query.stop()

    def found(self):
        if self.query.exception() is not None:
            raise RuntimeError(str(self.query.exception()))
        try:
            return rows(self.source.spark.read.parquet(self.files))
        except Exception as error:  # noqa: BLE001: there is no file before the first batch
            if "PATH_NOT_FOUND" in str(error) or "UNABLE_TO_INFER_SCHEMA" in str(error):
                return []
            raise


def same(name, wanted, found):
    check(f"stream: {name}", found == wanted, said(wanted, found))


def restarts(source, name, folder):
    topic = numbered(source.address, name, 200)
    query = Query(source, folder, topic.name, maxOffsetsPerTrigger="60", minPartitions="6")
    same("what is there at its first start", expected(range(200)), query.all_there_is())
    topic.produce(200, fields)
    same("started again, it goes on at its checkpoint: none twice, none missing", expected(range(400)), query.all_there_is())
    if not checks.sabotage:  # of nothing, nothing is kept back
        same("started again with nothing new", expected(range(400)), query.all_there_is())

    stopping = threading.Event()

    def produce():
        while not stopping.is_set():
            topic.produce(20, fields)
            time.sleep(0.05)

    producer = threading.Thread(target=produce)
    producer.start()
    seen = 400
    try:
        for _ in range(3):
            query.start()
            wait(lambda seen=seen: len(query.found()) > seen + 50)
            query.stop()
            seen = len(query.found())
    finally:
        stopping.set()
        producer.join()
    same("stopped and started again in the midst of a producer's work", expected(range(topic.produced)), query.all_there_is())


def added_partition(source, name, folder):
    from confluent_kafka.admin import AdminClient, NewPartitions

    topic = numbered(source.address, name, 40)
    query = Query(source, folder, topic.name, startingOffsets="latest")
    query.start()
    # It begins at the latest offsets that it sees: what is produced from then on is awaited, until one of it comes.
    probes = []

    def probe():
        topic.produce(PARTITIONS, fields)
        probes.append(topic.produced)
        time.sleep(0.5)
        return query.found()

    wait(probe)
    first = min((row[1] * PARTITIONS + row[0] for row in query.found()), default=topic.produced) // PARTITIONS * PARTITIONS
    admin = AdminClient({"bootstrap.servers": source.address})
    admin.create_partitions([NewPartitions(topic.name, PARTITIONS + 1)])[topic.name].result(30)
    count = 29 if checks.sabotage else 30
    end = time.monotonic() + 30
    while PARTITIONS not in topic.producer.list_topics(topic.name, timeout=10).topics[topic.name].partitions and time.monotonic() < end:
        time.sleep(0.1)
    for i in range(count):
        topic.producer.produce(topic.name, f"new{i}".encode(), key=b"new", timestamp=FIRST_MS + i, partition=PARTITIONS)
    topic.produce(40, fields)
    wanted = expected(range(first, topic.produced)) + [(PARTITIONS, i, "new", f"new{i}", FIRST_MS + i) for i in range(30)]
    wait(lambda: len(query.found()) >= len(wanted))
    found = query.found()
    query.stop()
    same("startingOffsets latest, then a partition that is added, from its beginning", wanted, found)


def deleted_records(source, name, folder):
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    topic = numbered(source.address, name, 200)
    query = Query(source, folder, topic.name)
    before = query.all_there_is()
    topic.produce(200, fields)
    if not checks.sabotage:
        # Five records of partition 1 that were not read: 50 were.
        cut = TopicPartition(topic.name, 1, 55)
        admin = AdminClient({"bootstrap.servers": source.address})
        admin.delete_records([cut])[cut].result(30)
    try:
        query.all_there_is(failOnDataLoss="true")
        told = "nothing"
    except Exception as error:  # noqa: BLE001: Py4J's, of a class that is Java's
        told = str(error)
    check("stream: records that were deleted before they were read, failOnDataLoss: it ends and says so",
          before == expected(range(200)) and "failOnDataLoss" in told, told[:300])
    wanted = [row for row in expected(range(400)) if not (row[0] == 1 and 50 <= row[1] < 55)]
    same("the same without failOnDataLoss: the others, once each", wanted, query.all_there_is(failOnDataLoss="false"))


def transactions(source, name, folder):
    from confluent_kafka import Producer

    topic = checks.Topic(source.address, name)
    query = Query(source, folder, topic.name, maxOffsetsPerTrigger="17", **{"kafka.isolation.level": "read_committed"})
    producer = Producer({"bootstrap.servers": source.address, "transactional.id": topic.name})
    producer.init_transactions(30)
    wanted, counts = [], [0] * PARTITIONS

    def send(commit):
        producer.begin_transaction()
        for i in range(20):
            partition = i % PARTITIONS
            if not (checks.sabotage and i == 10):
                producer.produce(topic.name, f"{i}".encode(), key=f"key{i}".encode(), timestamp=FIRST_MS + i, partition=partition)
            if commit:
                wanted.append((partition, counts[partition], f"key{i}", f"{i}", FIRST_MS + i))
            counts[partition] += 1
        producer.flush(30)
        for partition in range(PARTITIONS):
            counts[partition] += 1  # the marker of its end
        if commit is not None:
            producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    for commit in (True, False, True, False, False, True):
        send(commit)
    same("read_committed, small batches: nothing of aborted transactions, markers are no loss", sorted(wanted), query.all_there_is())
    send(None)
    same("read_committed: an open transaction is not waited for", sorted(wanted), query.all_there_is())
    producer.abort_transaction(30)
    send(True)
    same("read_committed: started again after its abort", sorted(wanted), query.all_there_is())


def aggregation(source, name, folder):
    topic, counts = numbered(source.address, name, 300), checks.Topic(source.address, f"{name}-counts")

    def run():
        frame = source.stream(topic.name, maxOffsetsPerTrigger="80").selectExpr("CAST(CAST(value AS STRING) AS INT) % 7 AS rest")
        written = frame.groupBy("rest").count().selectExpr("CAST(rest AS STRING) AS key", "CAST(count AS STRING) AS value")
        query = written.writeStream.outputMode("update").format("kafka").option("kafka.bootstrap.servers", source.address).option(
            "topic", counts.name).option("checkpointLocation", os.path.join(folder, "aggregation")).trigger(availableNow=True).start()
        try:
            if not query.awaitTermination(PATIENCE_S):
                raise RuntimeError(f"the stream did not end within {PATIENCE_S} s")
        finally:
            query.stop()
        last = {}
        for row in source.batch(counts.name).selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "partition", "offset").collect():
            last[row[0]] = max(last.get(row[0], 0), int(row[1]))
        return sorted(last.items())

    def wanted():
        return sorted(collections.Counter(str(number % 7) for number in range(topic.produced)).items())

    same("groupBy and count, written to Kafka: the last count of each key", wanted(), run())
    topic.produce(300, fields)
    same("and after it was started again with its state", wanted(), run())


def broker_killed(source, own, name, folder):
    topic = numbered(source.address, name, 200, **{"enable.idempotence": True, "message.timeout.ms": 60_000})
    query = Query(source, folder, topic.name)
    query.start()
    wait(lambda: query.found())
    for _ in range(3):
        topic.produce(200, fields)
        before = len(query.found())
        producing = threading.Thread(target=topic.produce, args=(2000, fields))
        producing.start()
        wait(lambda before=before: len(query.found()) > before, 10)
        own.kill()
        own.start()
        producing.join()
    wanted = expected(range(topic.produced))
    wait(lambda: len(query.found()) >= len(wanted))
    time.sleep(1)
    found = query.found()
    query.stop()
    same("the broker is killed three times: each record once, at its offset", wanted, found)
    same("and the stream is started again", wanted, query.all_there_is())


def streams(options):
    own = OwnServer() if options.kill_broker else None
    try:
        source = Source(session(options.name), own.address if own else options.address)
        with tempfile.TemporaryDirectory(prefix="spark-streams-") as folder:
            if own:
                broker_killed(source, own, options.name, folder)
            else:
                for part in (restarts, added_partition, deleted_records, transactions, aggregation):
                    try:
                        part(source, f"{options.name}-{part.__name__}", folder)
                    except Exception as error:  # noqa: BLE001: the others go on
                        check(f"stream: {part.__name__} ran to its end", False, f"{type(error).__name__}: {error}"[:800])
            source.spark.stop()
    finally:
        if own:
            own.remove()


if __name__ == "__main__":
    chosen = judge_arguments("--kill-broker").parse_args()
    checks.sabotage = chosen.sabotage
    run_checks(streams, chosen)
