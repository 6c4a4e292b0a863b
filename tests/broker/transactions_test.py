#!/usr/bin/env python3
"""Transactions of a client that we did not write (librdkafka), against the running program: what consumers and SQL see, across kill -9.

TRIPOS_PROGRAM: the built program. Skipped (77) without confluent-kafka.
"""

import sys
import unittest
import uuid

try:
    import confluent_kafka
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    sys.exit(77)

from tripos import TriposTest


class Transactions(TriposTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--set", "group.initial.rebalance.delay.ms=50")

    @property
    def bootstrap(self):
        return self.server.kafka

    def kill_and_restart(self):
        self.server.kill()
        self.server.start()

    def stop_and_restart(self):
        self.assertEqual(self.server.stop(), 0)
        self.server.start()

    def create(self, *names, partitions=1):
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for made in admin.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
            made.result(10)

    def producer(self, name, **settings):
        producer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, "transactional.id": name, **settings})
        producer.init_transactions(30)
        return producer

    def consumer(self, group, **settings):
        common = {"bootstrap.servers": self.bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
        return confluent_kafka.Consumer({**common, **settings})

    def read(self, topic, isolation="read_committed"):
        consumer = self.consumer(str(uuid.uuid4()), **{"isolation.level": isolation, "enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, 0, 0)])
        values = []
        while True:
            message = consumer.poll(10)
            self.assertIsNotNone(message)
            if message.error():
                self.assertEqual(message.error().code(), confluent_kafka.KafkaError._PARTITION_EOF)
                break
            values.append(message.value().decode())
        consumer.close()
        return values

    def rows(self, topic):
        return [row[0] for row in self.server.rows(f"SELECT n FROM {topic} ORDER BY n")]

    def messages(self, topic):
        return self.server.rows(f"SELECT count(*) FROM {topic}_messages")[0][0]

    def test_consumers_and_sql_see_what_was_committed(self):
        self.create("a", "b")
        producer = self.producer("exam")
        expected = []
        for number in range(9):
            producer.begin_transaction()
            for topic in ("a", "b"):
                producer.produce(topic, f'{{"n":{number}}}')
            if number % 3 == 1:
                producer.flush(10)
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)
                expected.append(number)
        values = [f'{{"n":{number}}}' for number in expected]
        numbers = list(expected)
        for topic in ("a", "b"):
            self.assertEqual(self.read(topic), values)
            self.assertEqual(len(self.read(topic, "read_uncommitted")), 9)
            self.assertEqual(self.rows(topic), numbers)
            self.assertEqual(self.messages(topic), len(numbers))

        producer.begin_transaction()
        producer.produce("a", '{"n":100}')
        producer.flush(10)
        self.assertEqual(self.rows("a"), numbers)  # open: not seen
        self.server.run("batch", "run", "a")
        self.assertEqual(self.rows("a"), numbers)  # out of Parquet now
        self.kill_and_restart()
        self.assertEqual(self.rows("a"), numbers)
        self.assertEqual(self.read("a"), values)
        self.producer("exam")  # ends what is open
        self.assertEqual(self.rows("a"), numbers)
        heir = self.producer("exam")
        heir.begin_transaction()
        heir.produce("a", '{"n":200}')
        heir.commit_transaction(30)
        self.assertEqual(self.rows("a"), numbers + [200])
        self.stop_and_restart()
        self.assertEqual(self.rows("a"), numbers + [200])
        self.assertEqual(self.read("a"), values + ['{"n":200}'])

    def test_a_zombie_is_fenced(self):
        self.create("t")
        old = self.producer("exam")
        old.begin_transaction()
        old.produce("t", '{"n":1}')
        old.flush(10)
        young = self.producer("exam")
        young.begin_transaction()
        young.produce("t", '{"n":2}')
        young.commit_transaction(30)
        with self.assertRaises(confluent_kafka.KafkaException) as raised:
            old.commit_transaction(30)
        self.assertTrue(raised.exception.args[0].fatal() or raised.exception.args[0].txn_requires_abort())
        self.assertEqual(self.read("t"), ['{"n":2}'])

    def test_exactly_once_from_topic_to_topic(self):
        self.create("from", "to")
        plain = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap})
        for number in range(200):
            plain.produce("from", f'{{"n":{number}}}')
        self.assertEqual(plain.flush(30), 0)
        seen = 0
        for attempt in range(4):
            consumer = self.consumer("copy", **{"enable.auto.commit": False, "session.timeout.ms": 6000})
            consumer.subscribe(["from"])
            producer = self.producer("copy")
            for turn in range(3):
                messages = consumer.consume(20, timeout=20)
                self.assertEqual(len(messages), 20)
                producer.begin_transaction()
                for message in messages:
                    producer.produce("to", message.value())
                producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
                if turn == 2:
                    producer.flush(10)
                    producer.abort_transaction(30)
                else:
                    producer.commit_transaction(30)
                    seen += 20
            consumer.close()
            if attempt == 1:
                self.kill_and_restart()
        self.assertEqual(self.read("to"), [f'{{"n":{number}}}' for number in range(seen)])


if __name__ == "__main__":
    unittest.main()
