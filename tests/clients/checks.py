"""What the checks of real clients share: a line for each check, as compat.py reads them, processes with a limit, topics of their own."""

import argparse
import os
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PARTITIONS = 4
TIMEOUT_S = 60
failures = 0
# In a control every check must fail: of what is produced a message is kept back, what is waited for does not come.
sabotage = False


def check(name, good, detail=""):
    global failures
    failures += not good
    why = "" if good else " ".join(str(detail).split())
    print(f"{'pass' if good else 'FAIL'}  {name}{f'  ({why})' if why else ''}", flush=True)
    return good


def run(*command, timeout=TIMEOUT_S, check_code=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check_code and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} … ended with {done.returncode}: {done.stderr[-2000:]}")
    return done


def wait(condition, seconds=TIMEOUT_S):
    end = time.monotonic() + (min(seconds, 3) if sabotage else seconds)
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


class Topic:
    """A new topic with PARTITIONS partitions; produce() numbers its messages, which go to the partitions in turns."""

    def __init__(self, address, prefix, **settings):
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient, NewTopic

        self.name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.produced = 0
        self.producer = Producer({"bootstrap.servers": address, **settings})
        admin = AdminClient({"bootstrap.servers": address})
        for future in admin.create_topics([NewTopic(self.name, PARTITIONS, 1)]).values():
            future.result(30)

    def produce(self, count, fields=lambda number: {"value": str(number).encode()}):
        for i in range(count):
            if not (sabotage and i == count // 2):
                self.producer.produce(self.name, partition=self.produced % PARTITIONS, **fields(self.produced))
                self.producer.poll(0)
            self.produced += 1
        if self.producer.flush(30) != 0:
            raise RuntimeError("not all messages were acknowledged")


def judge_arguments(*flags):
    """A parser of what compat.py gives to a judge: the broker's address, what its names begin with, --sabotage, and flags of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("name")
    for flag in (*flags, "--sabotage"):
        parser.add_argument(flag, action="store_true")
    return parser


def run_checks(test, *arguments):
    """Runs `test` and ends the process as its checks went."""
    try:
        test(*arguments)
    except Exception as error:  # noqa: BLE001: whatever ends a test fails it
        check(f"{test.__name__} ran to the end", False, repr(error))
    print("done", flush=True)
    sys.exit(1 if failures else 0)
