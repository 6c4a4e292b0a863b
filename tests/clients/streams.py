"""Kafka Streams, exactly-once v2, against a running broker: streams.py HOST:PORT NAME [--kill-broker] [--sabotage]

Words are counted (WordCount.java), every count is written. The application is killed in the middle of its work and started anew without its
state; with --kill-broker it is the broker that is killed, a Tripos of this program's own. A reader of committed records then must find for
each word 1, 2, 3 … n, in this order, where n is how often it was sent. --sabotage: one line is kept back.
"""

import collections
import os
import random
import struct
import subprocess
import tempfile
import time

from checks import HERE, check, judge_arguments, run, run_checks, wait
from own_server import OwnServer

CLASSES = os.path.join(HERE, "..", "..", "build", "clients", "streams")
WORDS = [f"word{i}" for i in range(40)]
LINES = 600


class Application:
    def __init__(self, address, name):
        jars = run(os.path.join(HERE, "kafka_classpath"), "programs_pom", timeout=900).stdout.strip()
        run("javac", "-nowarn", "-Xlint:none", "-cp", jars, "-d", CLASSES, os.path.join(HERE, "WordCount.java"), timeout=120)
        self.command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{CLASSES}:{jars}", "WordCount", address, name]
        self.start()

    def start(self):
        self.state = tempfile.TemporaryDirectory(prefix="streams-")
        self.process = subprocess.Popen([*self.command, self.state.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.state.cleanup()


class Counts:
    """What a reader of committed records finds, by word, in order."""

    def __init__(self, address, topic):
        from confluent_kafka import Consumer

        self.found = collections.defaultdict(list)
        self.consumer = Consumer({"bootstrap.servers": address, "group.id": f"{topic}-reader", "auto.offset.reset": "earliest",
                                  "isolation.level": "read_committed", "enable.auto.commit": False})
        self.consumer.subscribe([topic])

    def read(self):
        """How many there are by now."""
        while (message := self.consumer.poll(0.3)) is not None:
            if not message.error():
                self.found[message.key().decode()].append(struct.unpack(">q", message.value())[0])
        return sum(map(len, self.found.values()))


def streams(options):
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    own = OwnServer() if options.kill_broker else None
    address = own.address if own else options.address
    lines, counts = f"{options.name}-lines", f"{options.name}-counts"
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in (lines, counts)]).values():
        future.result(30)
    chosen = random.Random(7)
    sent = collections.Counter()
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True})

    def send(count):
        for i in range(count):
            words = chosen.choices(WORDS, k=5)
            sent.update(words)
            if options.sabotage and i == 0:
                continue
            producer.produce(lines, " ".join(words).encode(), key=str(i).encode())
        if producer.flush(60) != 0:
            raise RuntimeError("not all lines were acknowledged")

    application = Application(address, options.name)
    try:
        reader = Counts(address, counts)
        send(LINES)
        enough = 10 if options.sabotage else 300
        began = wait(lambda: reader.read() >= enough, 120)
        check("counting begins", began and not options.sabotage, reader.read())
        send(LINES)  # so that there is work under way when it is killed
        time.sleep(0.3)
        if own:
            own.kill()
            own.start()
        else:
            application.kill()
            application.start()
        send(LINES)
        total = sum(sent.values())
        wait(lambda: reader.read() >= total, 20 if options.sabotage else 150)
        time.sleep(1)
        found = reader.read()
        who = "the broker" if own else "the application"
        check(f"{who} is killed: all that was sent is counted", found == total, f"{found} counts of {total} words")
        wrong = [word for word in WORDS if reader.found[word] != list(range(1, sent[word] + 1))]
        check(f"{who} is killed: each word was counted 1, 2, 3 … n, none twice", not wrong,
              f"{wrong[:3]}: {[reader.found[word][:5] for word in wrong[:1]]}")
        reader.consumer.close()
    finally:
        application.kill()
        if own:
            own.remove()


if __name__ == "__main__":
    run_checks(streams, judge_arguments("--kill-broker").parse_args())
