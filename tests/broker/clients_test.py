#!/usr/bin/env python3
"""Clients that we did not write, against a running broker: confluent-kafka (librdkafka), kafka-python, kcat.

TRIPOS_PROGRAM: the built program, which is started for the run; or TRIPOS_KAFKA: the address of a broker that runs (also Apache Kafka,
which must give the same results). A client that is not installed is skipped, and said so. --sabotage: a control, in which each test must
fail: of what is produced a message is kept back, a topic has a partition less, nothing is too large.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

try:
    import confluent_kafka
    import confluent_kafka.admin
except ImportError:
    confluent_kafka = None
try:
    import kafka
    import kafka.admin
except ImportError:
    kafka = None

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
sabotage = False


def setUpModule():
    global bootstrap, server, directory
    server = None
    bootstrap = os.environ.get("TRIPOS_KAFKA")
    if bootstrap:
        return
    directory = tempfile.TemporaryDirectory(prefix="tripos-clients-")
    command = [os.environ["TRIPOS_PROGRAM"], "serve", "--data", directory.name, "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0",
               "--set", "group.initial.rebalance.delay.ms=100"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if found := re.match(r"kafka\s+(\S+)", line):
            bootstrap = found[1]
            break


def tearDownModule():
    if server:
        server.terminate()
        code = server.wait(timeout=30)
        server.stdout.close()
        directory.cleanup()
        if code != 0:
            raise AssertionError(f"the server ended with {code}")


def fresh(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def sent(messages):
    """All of them; in a control without the one in the middle."""
    messages = list(messages)
    if sabotage:
        del messages[len(messages) // 2]
    return messages


def patience(seconds=30):
    return 3 if sabotage else seconds


@unittest.skipUnless(confluent_kafka, "confluent-kafka is not installed")
class Librdkafka(unittest.TestCase):
    def producer(self, **settings):
        return confluent_kafka.Producer({"bootstrap.servers": bootstrap, **settings})

    def produce(self, topic, values, **settings):
        refused = []
        producer = self.producer(**settings)
        for value in sent(values):
            producer.produce(topic, value, on_delivery=lambda error, _: error and refused.append(error))
            producer.poll(0)
        self.assertEqual(producer.flush(30), 0)
        self.assertEqual(refused, [])

    @contextlib.contextmanager
    def consumer(self, group, **settings):
        consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                                             "session.timeout.ms": 6000, **settings})
        try:
            yield consumer
        finally:
            consumer.close()

    def consume(self, consumer, count):
        values = []
        end = time.monotonic() + patience()
        while len(values) < count and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message is None:
                continue
            self.assertIsNone(message.error())
            values.append(message.value())
        return values

    def test_all_codecs_and_acks(self):
        for codec in CODECS:
            for acks in ("1", "all"):
                topic = fresh(f"rd-{codec}")
                values = [f"{codec} {i}".encode() * 20 for i in range(500)]
                self.produce(topic, values, **{"compression.type": codec, "acks": acks})
                with self.consumer(fresh("g")) as consumer:
                    consumer.subscribe([topic])
                    self.assertEqual(self.consume(consumer, 500), values)

    def test_without_acknowledgement(self):
        topic = fresh("rd-acks0")
        self.produce(topic, [b"x"] * 100, acks="0")
        with self.consumer(fresh("g")) as consumer:
            consumer.subscribe([topic])
            self.assertEqual(len(self.consume(consumer, 100)), 100)

    def test_idempotent_producer(self):
        topic = fresh("rd-idempotent")
        values = [str(i).encode() for i in range(2000)]
        self.produce(topic, values, **{"enable.idempotence": True, "linger.ms": 1, "batch.num.messages": 50})
        with self.consumer(fresh("g")) as consumer:
            consumer.subscribe([topic])
            self.assertEqual(self.consume(consumer, 2000), values)

    def test_headers_keys_and_times(self):
        topic = fresh("rd-fields")
        producer = self.producer()
        headers = dict(sent([("trace", b"abc"), ("none", None)]))
        producer.produce(topic, b"v", key=b"k", headers=headers, timestamp=1517141411123)
        producer.produce(topic, None, key=b"k")
        self.assertEqual(producer.flush(10), 0)
        with self.consumer(fresh("g")) as consumer:
            consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
            first = consumer.poll(10)
            self.assertEqual((first.key(), first.value(), first.timestamp()[1]), (b"k", b"v", 1517141411123))
            self.assertEqual(sorted(first.headers()), [("none", None), ("trace", b"abc")])
            self.assertIsNone(consumer.poll(10).value())

    def test_a_group_goes_on_where_it_committed(self):
        topic, group = fresh("rd-commit"), fresh("g")
        self.produce(topic, [b"1", b"2", b"3", b"4"])
        with self.consumer(group, **{"enable.auto.commit": False}) as consumer:
            consumer.subscribe([topic])
            self.assertEqual(self.consume(consumer, 2), [b"1", b"2"])
            consumer.commit(offsets=[confluent_kafka.TopicPartition(topic, 0, 2)], asynchronous=False)
        with self.consumer(group) as consumer:
            consumer.subscribe([topic])
            self.assertEqual(self.consume(consumer, 2), [b"3", b"4"])

    def test_offsets_and_times(self):
        topic = fresh("rd-offsets")
        producer = self.producer()
        for second in sent(range(5)):
            producer.produce(topic, b"v", timestamp=1_500_000_000_000 + 1000 * second)
        producer.flush(10)
        with self.consumer(fresh("g")) as consumer:
            self.assertEqual(consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), timeout=10), (0, 5))
            asked = [confluent_kafka.TopicPartition(topic, 0, 1_500_000_002_500)]
            self.assertEqual(consumer.offsets_for_times(asked, timeout=10)[0].offset, 3)

    def test_admin(self):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
        topic = fresh("rd-admin")
        new = confluent_kafka.admin.NewTopic(topic, num_partitions=3 - sabotage, replication_factor=1, config={"retention.ms": "-1"})
        admin.create_topics([new])[topic].result(10)
        self.assertEqual(len(admin.list_topics(topic, timeout=10).topics[topic].partitions), 3)
        with self.assertRaises(confluent_kafka.KafkaException) as refused:
            admin.create_topics([new])[topic].result(10)
        self.assertEqual(refused.exception.args[0].code(), confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS)
        resource = confluent_kafka.admin.ConfigResource(confluent_kafka.admin.ConfigResource.Type.TOPIC, topic)
        configs = admin.describe_configs([resource])[resource].result(10)
        self.assertEqual(configs["retention.ms"].value, "-1")
        self.assertFalse(configs["retention.ms"].is_default)
        self.assertTrue(configs["segment.bytes"].is_default)
        admin.delete_topics([topic])[topic].result(10)
        self.assertNotIn(topic, admin.list_topics(timeout=10).topics)

    def test_deleted_records(self):
        topic = fresh("rd-deleted")
        self.produce(topic, [str(i).encode() for i in range(10)])
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
        partition = confluent_kafka.TopicPartition(topic, 0, 4)
        deleted = admin.delete_records([partition])[partition].result(30)
        self.assertEqual(deleted.low_watermark, 4)
        with self.consumer(fresh("g")) as consumer:
            self.assertEqual(consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), timeout=10), (4, 10))
            consumer.subscribe([topic])
            self.assertEqual(self.consume(consumer, 6), [str(i).encode() for i in range(4, 10)])
        partition.offset = 11
        with self.assertRaises(confluent_kafka.KafkaException) as refused:
            admin.delete_records([partition])[partition].result(30)
        self.assertEqual(refused.exception.args[0].code(), confluent_kafka.KafkaError.OFFSET_OUT_OF_RANGE)

    def test_a_message_that_is_too_large(self):
        topic = fresh("rd-large")
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([confluent_kafka.admin.NewTopic(topic, 1, 1, config={"max.message.bytes": "1000"})])[topic].result(10)
        told = []
        producer = self.producer()
        producer.produce(topic, b"x" * (200 if sabotage else 2000), on_delivery=lambda error, _: told.append(error))
        producer.flush(10)
        self.assertEqual(told[0].code(), confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE)


@unittest.skipUnless(kafka, "kafka-python is not installed")
class KafkaPython(unittest.TestCase):
    def test_produce_and_consume(self):
        for codec in (None, "gzip"):
            topic = fresh("kp")
            producer = kafka.KafkaProducer(bootstrap_servers=bootstrap, compression_type=codec)
            futures = [producer.send(topic, f"{i}".encode(), key=b"k") for i in sent(range(300))]
            offsets = [future.get(30).offset for future in futures]
            producer.close()
            self.assertEqual(offsets, list(range(300)))
            consumer = kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=fresh("g"),
                                           consumer_timeout_ms=10000)
            values = []
            for message in consumer:
                values.append(message.value)
                if len(values) == 300:
                    break
            consumer.close()
            self.assertEqual(values, [f"{i}".encode() for i in range(300)])

    def test_two_members_share_a_topic(self):
        topic, group = fresh("kp-group"), fresh("g")
        admin = kafka.admin.KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([kafka.admin.NewTopic(topic, 4 - sabotage, 1)])
        consumers = [kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group, session_timeout_ms=6000) for _ in range(2)]
        assigned = [set(), set()]
        end = time.monotonic() + patience()

        def poll(index):
            while time.monotonic() < end and not all(len(each) == 2 for each in assigned):
                consumers[index].poll(timeout_ms=200)
                assigned[index] = {each.partition for each in consumers[index].assignment()}

        threads = [threading.Thread(target=poll, args=(index,)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(assigned[0] | assigned[1], {0, 1, 2, 3})
        self.assertEqual([len(each) for each in assigned], [2, 2])
        for consumer in consumers:
            consumer.close()
        admin.close()


class Kcat(unittest.TestCase):
    def kcat(self, *arguments, stdin=None):
        return subprocess.run(["kcat", "-b", bootstrap, *arguments], input=stdin, capture_output=True, check=True, timeout=60).stdout

    def produced(self, *lines):
        topic = fresh("kcat")
        self.kcat("-P", "-t", topic, stdin=b"".join(line + b"\n" for line in sent(lines)))
        return topic

    def test_query_for_a_time(self):
        topic = self.produced(b"a", b"b")
        self.assertIn(b"offset 2", self.kcat("-Q", "-t", f"{topic}:0:-1"))
        self.assertIn(b"offset 0", self.kcat("-Q", "-t", f"{topic}:0:0"))

    def test_the_last_messages(self):
        topic = self.produced(b"a", b"b", b"c")
        self.assertEqual(self.kcat("-C", "-t", topic, "-o", "-2", "-e", "-q"), b"b\nc\n")
        self.assertEqual(self.kcat("-C", "-t", topic, "-o", "1", "-c", "1", "-q"), b"b\n")


if __name__ == "__main__":
    if "--sabotage" in sys.argv:
        sys.argv.remove("--sabotage")
        sabotage = True
    unittest.main(verbosity=2)
