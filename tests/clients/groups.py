"""A group of real clients against a running broker: groups.py HOST:PORT NAME CLIENT [--sabotage]

Two members share a topic's partitions; one is killed, the other takes all of them and goes on where it was committed; a third takes over a
share, then leaves cleanly. CLIENT: kafka-python, confluent, confluent-cooperative, kcat. NAME begins the names of topics and groups.
--sabotage: messages are kept back, and a partition is missed that there is not.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading

import checks
from checks import HERE, PARTITIONS, Topic, check, run_checks, wait


class Member:
    """A member in a process of its own; keeps what it was last assigned and all that it got."""

    def __init__(self, client, address, group, topic, session_timeout_ms=6000):
        self.assigned = None
        self.messages = []
        self.kcat = client == "kcat"
        if self.kcat:
            command = ["kcat", "-b", address, "-G", group, "-X", f"session.timeout.ms={session_timeout_ms}",
                       "-X", "heartbeat.interval.ms=1000",
                       "-X", "auto.commit.interval.ms=200", "-X", "auto.offset.reset=earliest", "-u", "-f", "%p %o %s\n", topic]
        else:
            command = [sys.executable, os.path.join(HERE, "member.py"), client, address, group, topic, str(session_timeout_ms)]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if self.kcat else self.errors, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        if self.kcat:
            threading.Thread(target=self.read_kcat_assignment, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if self.kcat:
                partition, offset, value = line.rstrip("\n").split(" ", 2)
                self.messages.append((int(partition), int(offset), value))
                continue
            told = json.loads(line)
            if "assigned" in told:
                self.assigned = told["assigned"]
            else:
                self.messages.append((told["partition"], told["offset"], told["value"]))

    def read_kcat_assignment(self):
        for line in self.process.stderr:
            if "assigned:" in line:
                self.assigned = sorted(int(p) for p in re.findall(r"\[(\d+)\]", line.split("assigned:")[1]))
            elif "revoked" in line:
                self.assigned = []

    def kill(self):
        self.process.kill()
        self.process.wait()

    def leave(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def values(*members):
    return sorted(int(message[2]) for member in members for message in member.messages)


def shares(*members):
    """All partitions are shared out among these, none twice, none idle."""
    lists = [member.assigned or [] for member in members]
    return all(lists) and sorted(sum(lists, [])) == list(range(PARTITIONS + checks.sabotage))


def committed(address, group, topic):
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": address, "group.id": group})
    found = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=20)
    consumer.close()
    return sum(max(0, p.offset) for p in found)


def group_of(address, name, client):
    label = "group, cooperative" if client == "confluent-cooperative" else "group"
    topic = Topic(address, name)
    group = f"{topic.name}-group"
    topic.produce(100)
    first = Member(client, address, group, topic.name)
    second = Member(client, address, group, topic.name)
    members = [first, second]
    try:
        check(f"{label}: two members share all partitions", wait(lambda: shares(first, second)), f"{first.assigned} {second.assigned}")
        check(f"{label}: they get each message", wait(lambda: set(values(first, second)) == set(range(100))),
              len(set(values(first, second))))
        check(f"{label}: what they got is committed", wait(lambda: committed(address, group, topic.name) == 100, 30))

        second.kill()
        topic.produce(100)
        check(f"{label}: one is killed, the other takes all partitions", wait(lambda: shares(first)), first.assigned)
        check(f"{label}: and gets all that follows", wait(lambda: set(range(100, 200)) <= set(values(first))), len(values(first)))
        check(f"{label}: goes on where it was committed", len(values(first, second)) == 200,
              f"{len(values(first, second))} messages for 200")

        # Its session outlasts every wait: what follows is not its end.
        third = Member(client, address, group, topic.name, session_timeout_ms=300_000)
        members.append(third)
        check(f"{label}: a new member gets its share", wait(lambda: shares(first, third)), f"{first.assigned} {third.assigned}")
        third.leave()
        check(f"{label}: it leaves, the other takes over at once", wait(lambda: shares(first)), first.assigned)
        topic.produce(50)
        check(f"{label}: nothing is lost", wait(lambda: set(values(first, second, third)) == set(range(250))),
              len(set(values(first, second, third))))
    finally:
        for member in members:
            member.kill()

    other = Member(client, address, group + "-2", topic.name)
    check(f"{label}: another group starts from the beginning", wait(lambda: set(values(other)) == set(range(250))), len(values(other)))
    other.kill()
    again = Member(client, address, group, topic.name)
    topic.produce(1)
    # The killed member's session has to end before its partitions are given to another.
    went_on = wait(lambda: 250 in values(again)) and len(values(again)) <= 51
    check(f"{label}: the first group goes on from its commits", went_on, values(again)[:5])
    again.kill()


if __name__ == "__main__":
    checks.sabotage = sys.argv[4:] == ["--sabotage"]
    run_checks(group_of, *sys.argv[1:4])
