"""One member of a group, run by groups.py in a process of its own, so that it can be killed:
member.py CLIENT ADDRESS GROUP TOPIC SESSION_TIMEOUT_MS

Writes a JSON object a line: {"assigned": [partitions]} at each change, {"partition", "offset", "value"} for each message.
Commits by itself.
"""

import json
import signal
import sys


def say(**what):
    print(json.dumps(what), flush=True)


def kafka_python(address, group, topic, session_timeout_ms):
    from kafka import ConsumerRebalanceListener, KafkaConsumer

    class Listener(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            pass

        def on_partitions_assigned(self, assigned):
            say(assigned=sorted(p.partition for p in assigned))

    consumer = KafkaConsumer(bootstrap_servers=address, group_id=group, auto_offset_reset="earliest",
                             session_timeout_ms=int(session_timeout_ms),
                             heartbeat_interval_ms=1000, auto_commit_interval_ms=200)
    consumer.subscribe([topic], listener=Listener())
    try:
        while True:
            for partition, messages in consumer.poll(timeout_ms=200).items():
                for message in messages:
                    say(partition=partition.partition, offset=message.offset, value=message.value.decode())
    finally:
        consumer.close()


def confluent(address, group, topic, session_timeout_ms, strategy="range"):
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest",
                         "session.timeout.ms": int(session_timeout_ms), "heartbeat.interval.ms": 1000,
                         "auto.commit.interval.ms": 200, "partition.assignment.strategy": strategy})

    consumer.subscribe([topic])
    assigned = None
    try:
        while True:
            message = consumer.poll(0.2)
            now = sorted(p.partition for p in consumer.assignment())
            if now != assigned:
                assigned = now
                say(assigned=assigned)
            if message is not None and not message.error():
                say(partition=message.partition(), offset=message.offset(), value=message.value().decode())
    finally:
        consumer.close()


def confluent_cooperative(address, group, topic, session_timeout_ms):
    confluent(address, group, topic, session_timeout_ms, "cooperative-sticky")


if __name__ == "__main__":
    # SIGINT leaves the group in good order, also where a shell in the background has it ignored; SIGKILL doesn't.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
