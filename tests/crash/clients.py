"""The clients of a run, over librdkafka (confluent-kafka), which we did not write. Each is a thread that puts into the history what it
was told. All random choices come from the run's seed and the client's name.

A client survives a killed server: it tries again, or makes itself anew. What it can't know it says to be unknown.
"""

import json
import logging
import random
import threading
import time
import urllib.error

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

SETTLE_MAX_S = 60  # what a client may take to end its last work, with the server up
SESSION_TIMEOUT_MS = 6000  # the least that the server allows
TRANSACTION_TIMEOUT_MS = 10_000
RECORDS_A_READ = 200
SILENCE = logging.getLogger("librdkafka")  # of servers that are gone, and producers that are fenced: all of it is meant
SILENCE.addHandler(logging.NullHandler())
SILENCE.propagate = False


class Client(threading.Thread):
    def __init__(self, run, name):
        super().__init__(name=name, daemon=True)
        self.run_of = run
        self.random = random.Random(f"{run.seed}/{name}")
        self.failure = None

    def run(self):
        try:
            self.work()
        except Exception as error:  # noqa: BLE001: told at the end of the run
            self.failure = error

    def work(self):
        raise NotImplementedError

    @property
    def stopping(self):
        return self.run_of.stopping.is_set()

    @property
    def history(self):
        return self.run_of.history

    def pause(self, longest_s):
        self.run_of.stopping.wait(self.random.uniform(0, longest_s))

    def settings(self, **more):
        quick = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 20, "retry.backoff.max.ms": 200,
                 "logger": SILENCE, "error_cb": lambda error: None}
        return {"bootstrap.servers": self.run_of.server.kafka, **quick, **more}

    def value(self, producer, number):
        # JSON with some weight; `v` is what the history knows it by.
        return json.dumps({"v": f"{producer}-{number}", "fill": "x" * self.random.randrange(self.random.choice((10, 1000)))})


def value_of(message):
    return json.loads(message.value())["v"]


class Sender(Client):
    """What writers share: records that are numbered, and what became of each."""

    def __init__(self, run, name):
        super().__init__(run, name)
        self.number = 0
        self.incarnation = 0
        self.producer = None

    @property
    def producer_name(self):
        return f"{self.name}.{self.incarnation}"

    def renew(self, **settings):
        self.incarnation += 1
        self.producer = Producer(self.settings(**{"enable.idempotence": True, "message.timeout.ms": 60_000,
                                                  "linger.ms": self.random.choice((0, 1, 5, 20)),
                                                  "compression.type": self.random.choice(("none", "lz4", "zstd", "gzip", "snappy")),
                                                  **settings}))

    def send(self, topic, partition, transaction=None):
        event = {"producer": self.producer_name, "number": self.number, "topic": topic, "partition": partition,
                 "value": f"{self.producer_name}-{self.number}", "transaction": transaction, "begin": time.monotonic(), "end": None,
                 "outcome": "unknown"}  # until more is known
        event = self.history.add("write", **event)
        value = self.value(self.producer_name, self.number)
        self.number += 1

        def delivered(error, message):
            event["end"] = time.monotonic()
            if error is None:
                event.update(outcome="ok", offset=message.offset())
            elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                event["outcome"] = "failed"
            # Else: even what was purged from the client's queue may have been sent before, on a connection that broke.

        while True:
            try:
                return self.producer.produce(self.run_of.topics[topic], value, partition=partition, on_delivery=delivered)
            except BufferError:
                self.producer.poll(0.1)


class IdempotentWriter(Sender):
    def work(self):
        self.renew()
        while not self.stopping:
            for _ in range(self.random.randint(1, 40)):
                self.send("plain", self.random.randrange(self.run_of.partitions["plain"]))
            self.producer.poll(0)
            self.pause(0.08)
            if self.random.random() < 0.01:  # another process takes over
                self.producer.flush(SETTLE_MAX_S)
                self.renew()
        if self.producer.flush(SETTLE_MAX_S) > 0:
            raise RuntimeError("records were neither acknowledged nor refused in time")


class Transactional(Sender):
    """What is common to those with transactions: asking again while that helps."""

    def again(self, what):
        """Calls until it is done. Raises KafkaException if that can't be, TimeoutError if it takes too long."""
        last = time.monotonic() + SETTLE_MAX_S
        while True:
            try:
                return what()
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                if time.monotonic() > last:
                    raise TimeoutError(f"{self.name}: {error}") from error

    def renew_in_turn(self):
        """A new producer of the same transactional id: whatever the old one had open is aborted when this returns."""
        while True:
            self.renew(**{"transactional.id": f"{self.run_of.name}-{self.name}", "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                          "message.timeout.ms": TRANSACTION_TIMEOUT_MS})
            try:
                return self.again(lambda: self.producer.init_transactions(10))
            except KafkaException:
                self.pause(0.2)  # a fatal error: another producer

    def end(self, commit):
        """committed, aborted, or unknown, after which the producer is of no use."""
        try:
            if commit:
                self.again(lambda: self.producer.commit_transaction(10))
                return "committed"
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                return "unknown"
        try:
            self.again(lambda: self.producer.abort_transaction(10))
            return "aborted"
        except KafkaException:
            return "unknown"


class TransactionalWriter(Transactional):
    TOPICS = ("left", "right")

    def work(self):
        self.renew_in_turn()
        count = 0
        while not self.stopping:
            count += 1
            self.transact(f"{self.run_of.name}-{self.name}-{count}")
            self.pause(0.05)
        self.renew_in_turn()  # ends what may be open

    def transact(self, identity):
        # Until more is known; also if the library never comes back.
        event = self.history.add("transaction", id=identity, begin=time.monotonic(), decided=float("inf"), end=float("inf"),
                                 outcome="unknown")
        try:
            self.producer.begin_transaction()
            for _ in range(self.random.randint(1, 12)):
                topic = self.random.choice(self.TOPICS)
                self.send(topic, self.random.randrange(self.run_of.partitions[topic]), identity)
                if self.random.random() < 0.1:
                    self.pause(0.2)
            kind = self.random.random()
            if kind < 0.08:  # the process dies; its heir aborts
                if self.random.random() < 0.5:
                    self.producer.flush(1)
                self.forsake()
                outcome = "aborted"
            else:
                commit = kind < 0.75
                event["decided"] = time.monotonic() if commit else float("inf")
                outcome = self.end(commit)
                if outcome == "unknown":
                    self.forsake()
        except KafkaException:  # begin or produce: fatal, or to be aborted
            outcome = self.end(False)
            if outcome == "unknown":
                self.forsake()
                outcome = "aborted"  # nobody has asked for a commit
        event.update(end=time.monotonic(), outcome=outcome)

    def forsake(self):
        self.producer.purge()
        self.renew_in_turn()


class Copier(Transactional):
    """Copies `plain` to `copied`, exactly once, as a member of a group."""

    def work(self):
        while not self.stopping:
            self.renew_in_turn()
            consumer = Consumer(self.settings(**{"group.id": f"{self.run_of.name}-copiers", "auto.offset.reset": "earliest",
                                                 "enable.auto.commit": False, "isolation.level": "read_committed",
                                                 "session.timeout.ms": SESSION_TIMEOUT_MS}))
            consumer.subscribe([self.run_of.topics["plain"]])
            try:
                while not self.stopping and self.copy(consumer):
                    pass
            finally:
                consumer.close()
        self.renew_in_turn()

    def copy(self, consumer):
        """False: begin anew."""
        try:
            messages = [message for message in consumer.consume(self.random.randint(1, 200), timeout=0.5) if message.error() is None]
            if not messages:
                return True
            self.producer.begin_transaction()
            for message in messages:
                self.producer.produce(self.run_of.topics["copied"], message.value(),
                                      partition=message.partition() % self.run_of.partitions["copied"])
            positions = consumer.position(consumer.assignment())
            self.again(lambda: self.producer.send_offsets_to_transaction(
                [each for each in positions if each.offset >= 0], consumer.consumer_group_metadata(), 10))
            return self.end(self.random.random() < 0.9) == "committed"
        except KafkaException:
            return False  # a new producer aborts what is open; the group's offsets say where to go on


class Member(Client):
    """Consumes `plain` in a group, at least once."""

    def work(self):
        group = f"{self.run_of.name}-readers"
        while not self.stopping:
            consumer = Consumer(self.settings(**{
                "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed",
                "session.timeout.ms": SESSION_TIMEOUT_MS,
                "partition.assignment.strategy": self.run_of.assignor}))
            consumer.subscribe([self.run_of.topics["plain"]])
            life = time.monotonic() + self.random.uniform(3, 30)
            while not self.stopping and time.monotonic() < life:
                begin = time.monotonic()
                messages = [message for message in consumer.consume(self.random.randint(1, 300), timeout=0.5) if message.error() is None]
                self.record(group, messages, begin)
                if messages and self.random.random() < 0.7:
                    self.commit(consumer, group, messages)
            if self.random.random() < 0.5:
                consumer.close()
            del consumer  # or it goes without a word

    def record(self, group, messages, begin):
        partitions = {}
        for message in messages:
            partitions.setdefault(message.partition(), []).append([message.offset(), value_of(message)])
        for partition, records in partitions.items():
            self.history.add("read", reader=self.name, group=group, isolation="committed", topic="plain", partition=partition,
                             **{"from": records[0][0]}, records=records, begin=begin, end=time.monotonic(), final=False)

    def commit(self, consumer, group, messages):
        ends = {}
        for message in messages:
            ends[message.partition()] = message.offset() + 1
        begin, outcome = time.monotonic(), "ok"
        try:
            answers = consumer.commit(offsets=[TopicPartition(self.run_of.topics["plain"], partition, end)
                                               for partition, end in ends.items()], asynchronous=False)
            errors = {answer.partition: answer.error for answer in answers}
        except KafkaException:
            outcome, errors = "unknown", {}
        for partition, end in ends.items():
            self.history.add("commit", group=group, topic="plain", partition=partition, offset=end, begin=begin, end=time.monotonic(),
                             outcome="unknown" if errors.get(partition) is not None else outcome)


class Reader(Client):
    """Reads partitions from some offset on, now and again, without a group."""

    def work(self):
        while not self.stopping:
            isolation = self.random.choice(("committed", "uncommitted"))
            topic = self.random.choice(("plain", "left", "right"))
            partition = self.random.randrange(self.run_of.partitions[topic])
            try:
                self.read(isolation, topic, partition)
            except KafkaException:
                pass
            self.pause(0.3)

    def read(self, isolation, topic, partition):
        consumer = Consumer(self.settings(**{"group.id": "none", "enable.auto.commit": False, "isolation.level": f"read_{isolation}"}))
        try:
            place = TopicPartition(self.run_of.topics[topic], partition)
            start, end = consumer.get_watermark_offsets(place, timeout=2)
            place.offset = start = self.random.randint(max(start, end - 2 * RECORDS_A_READ), end)
            begin = time.monotonic()
            consumer.assign([place])
            messages = [message for message in consumer.consume(self.random.randint(1, RECORDS_A_READ), timeout=1.0)
                        if message.error() is None]
            self.history.add("read", reader=self.name, isolation=isolation, topic=topic, partition=partition, **{"from": start},
                             records=[[message.offset(), value_of(message)] for message in messages], begin=begin,
                             end=time.monotonic(), final=False)
        finally:
            consumer.close()


class Watcher(Client):
    """Asks for the ends of all partitions, and for what the groups have committed."""

    SPECS = (("start", OffsetSpec.earliest(), "uncommitted"), ("high", OffsetSpec.latest(), "uncommitted"),
             ("stable", OffsetSpec.latest(), "committed"))

    def work(self):
        admin = AdminClient(self.settings())
        groups = {group: Consumer(self.settings(**{"group.id": f"{self.run_of.name}-{group}"})) for group in ("readers", "copiers")}
        while not self.stopping:
            try:
                self.watch_ends(admin)
                for group, consumer in groups.items():
                    self.watch_group(f"{self.run_of.name}-{group}", consumer)
            except KafkaException:
                pass
            self.pause(0.2)
        for consumer in groups.values():
            consumer.close()

    def watch_ends(self, admin):
        for which, spec, isolation in self.SPECS:
            wanted = {TopicPartition(self.run_of.topics[topic], partition): spec
                      for topic in ("plain", "left", "right", "copied") for partition in range(self.run_of.partitions[topic])}
            level = IsolationLevel.READ_COMMITTED if isolation == "committed" else IsolationLevel.READ_UNCOMMITTED
            begin = time.monotonic()
            for place, future in admin.list_offsets(wanted, isolation_level=level, request_timeout=3).items():
                try:
                    offset = future.result().offset
                except KafkaException:
                    continue
                if offset < 0:  # librdkafka's own word for: no answer
                    continue
                self.history.add("ends", topic=self.run_of.plain_name(place.topic), partition=place.partition, begin=begin,
                                 end=time.monotonic(), **{which: offset})

    def watch_group(self, group, consumer, last=False):
        topic = self.run_of.topics["plain"]
        begin = time.monotonic()
        answers = consumer.committed([TopicPartition(topic, partition) for partition in range(self.run_of.partitions["plain"])],
                                     timeout=20 if last else 2)
        for answer in answers:
            if answer.error is not None:
                if last:
                    raise KafkaException(answer.error)
                continue
            self.history.add("committed", group=group, topic="plain", partition=answer.partition,
                             offset=answer.offset if answer.offset >= 0 else None, begin=begin, end=time.monotonic(), final=last)


class Questioner(Client):
    """Asks for tables in SQL, and has snapshots made meanwhile."""

    def work(self):
        while not self.stopping:
            self.run_of.server.up.wait(1)
            try:
                if self.random.random() < 0.25:
                    topic = self.run_of.topics[self.random.choice(("plain", "left", "right"))]
                    self.run_of.server.post(f"/v1/batch?topic={topic}", "")
                else:
                    self.ask(self.random.choice((["plain"], ["left", "right"])))
            except (OSError, ValueError, KeyError, urllib.error.URLError):
                pass  # the server was killed under it
            self.pause(1.5)

    def ask(self, topics, last=False):
        begin = time.monotonic()
        statement = " UNION ALL ".join(f'SELECT v FROM {self.run_of.topics[topic]}' for topic in topics)
        answer = self.run_of.server.post("/v1/sql", statement)
        if "as_of" not in answer:
            raise ValueError(f"an answer that broke off: {answer.get('error')}")
        self.history.add("table", topics=topics, values=[row[0] for row in answer["rows"]], begin=begin, end=time.monotonic(), final=last)
