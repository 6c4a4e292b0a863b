#!/usr/bin/env python3
"""Kills the real program with -9 at random moments, under concurrent clients of a library that we did not write; restarts it each time;
then judges the whole history: crash.py PROGRAM [--minutes M] [--seed N] [--keep]. Called by ./run crash.

Each round has topics of its own, on the same data directory: half a minute of work and kills, then an end that is awaited, final reads,
and the checker's verdict. A round whose history is wrong is saved, and `tests/crash/checker.py FILE` judges it again. The seed decides what
clients do and when the server is killed, not how threads interleave.

librdkafka sometimes aborts on an assertion about its own transactions when connections break, or does not come back from a call. A round
lost so is told and not judged.

Exit code 0: no violation; 1: some; 77: the clients' library can't be had here.
"""

import argparse
import collections
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "crash")
ROUND_S = 30
ROUND_MAX_S = 240
LOST = -signal.SIGABRT  # how a round ends that the clients' library did not survive
PARTITIONS = {"plain": 3, "left": 2, "right": 2, "copied": 2}
SETTINGS = ("--set", "group.initial.rebalance.delay.ms=100", "--set", "log.segment.bytes=1048576")


def with_clients():
    """Runs this script again, in an environment that has the clients, made if need be."""
    venv = os.path.join(WORK, "venv")
    python = os.path.join(venv, "bin", "python")
    requirements = os.path.join(HERE, "requirements.txt")
    with open(requirements) as file:
        wanted = file.read()
    stamp = os.path.join(venv, "installed")
    if not os.path.exists(stamp) or open(stamp).read() != wanted:
        os.makedirs(WORK, exist_ok=True)
        for command in ([sys.executable, "-m", "venv", venv], [python, "-m", "pip", "install", "-q", "-r", requirements]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                print(f"SKIPPED: {' '.join(command[1:4])} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
                sys.exit(77)
        with open(stamp, "w") as file:
            file.write(wanted)
    os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])


try:
    import confluent_kafka
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    if os.environ.get("TRIPOS_CRASH_CLIENTS"):
        raise
    os.environ["TRIPOS_CRASH_CLIENTS"] = "made"
    with_clients()

import checker  # noqa: E402
import clients  # noqa: E402
import history  # noqa: E402
import server  # noqa: E402


class Round:
    """What the clients of one round share."""

    def __init__(self, running, seed, number):
        self.server = running
        self.seed = f"{seed}/{number}"
        self.name = f"r{number}"
        self.random = random.Random(self.seed)
        self.history = history.History()
        self.stopping = threading.Event()
        self.partitions = PARTITIONS
        self.topics = {topic: f"{self.name}_{topic}" for topic in PARTITIONS}
        self.assignor = self.random.choice(("range", "roundrobin", "cooperative-sticky"))

    def plain_name(self, topic):
        return topic.removeprefix(f"{self.name}_")

    def create_topics(self):
        admin = AdminClient({"bootstrap.servers": self.server.kafka})
        for made in admin.create_topics([NewTopic(self.topics[topic], count, 1) for topic, count in PARTITIONS.items()]).values():
            made.result(30)

    def clients(self):
        yield from (clients.IdempotentWriter(self, f"writer{i}") for i in range(2))
        yield from (clients.TransactionalWriter(self, f"transactor{i}") for i in range(2))
        yield from (clients.Copier(self, f"copier{i}") for i in range(2))
        yield from (clients.Member(self, f"member{i}") for i in range(2))
        yield clients.Reader(self, "reader")
        yield clients.Watcher(self, "watcher")
        yield clients.Questioner(self, "questioner")

    def kill_for(self, seconds, working):
        end = time.monotonic() + seconds
        while time.monotonic() < end and all(client.failure is None for client in working):
            time.sleep(self.random.choice((self.random.uniform(0, 0.5), self.random.uniform(0.5, 4))))
            self.server.kill()
            if self.random.random() < 0.2:  # in the middle of its start, too
                self.server.start(wait=False)
                time.sleep(self.random.uniform(0, 0.15))
                self.server.kill()
            if self.random.random() < 0.2:
                time.sleep(self.random.uniform(0, 1))
            self.server.start()

    def play(self, seconds):
        self.create_topics()
        self.history.add("copy", group=f"{self.name}-copiers", source="plain", target="copied")
        working = list(self.clients())
        for client in working:
            client.start()
        try:
            self.kill_for(seconds, working)
        finally:
            self.stopping.set()
        self.await_end(working)
        self.read_everything()
        return checker.check(self.history.events)

    def await_end(self, working):
        last = time.monotonic() + 2 * clients.SETTLE_MAX_S
        for client in working:
            client.join(max(0, last - time.monotonic()))
            if client.failure is not None:
                raise RuntimeError(f"{client.name} failed") from client.failure
        lost = [client for client in working if client.is_alive()]
        for client in lost:
            # Every call has a time limit: one that does not come back at all is the library's own. What the server leaves unanswered shows
            # as a call that times out, which fails the client.
            if not isinstance(client, clients.Transactional):
                raise RuntimeError(f"{client.name} does not come to its end")
            print(f"{client.name}: librdkafka does not come back from a call; what it had open is left to the server", flush=True)
        if lost:
            time.sleep(2 * clients.TRANSACTION_TIMEOUT_MS / 1000)  # the server ends it

    def read_everything(self):
        reader = clients.Client(self, "final")
        for isolation in ("committed", "uncommitted"):
            for topic, count in PARTITIONS.items():
                for partition in range(count):
                    self.read_to_the_end(reader, isolation, topic, partition)
        watcher = clients.Watcher(self, "final")
        for group in ("readers", "copiers"):
            consumer = confluent_kafka.Consumer(reader.settings(**{"group.id": f"{self.name}-{group}"}))
            watcher.watch_group(f"{self.name}-{group}", consumer, last=True)
            consumer.close()
        questioner = clients.Questioner(self, "final")
        questioner.ask(["plain"], last=True)
        questioner.ask(["left", "right"], last=True)
        questioner.ask(["copied"], last=True)
        self.count_in_the_command_line()

    def read_to_the_end(self, reader, isolation, topic, partition):
        place = confluent_kafka.TopicPartition(self.topics[topic], partition, 0)
        consumer = confluent_kafka.Consumer(reader.settings(**{
            "group.id": "none", "enable.partition.eof": True, "enable.auto.commit": False, "isolation.level": f"read_{isolation}",
            "auto.offset.reset": "error"}))
        begin = time.monotonic()
        records, done = [], False
        consumer.assign([place])
        while not done:
            if time.monotonic() > begin + clients.SETTLE_MAX_S:
                raise RuntimeError(f"{topic}-{partition}: no end came")
            for message in consumer.consume(1000, timeout=0.2):  # waits for so many, or so long
                if message.error() is None:
                    records.append([message.offset(), clients.value_of(message)])
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    done = True
                else:
                    raise confluent_kafka.KafkaException(message.error())
        consumer.close()
        self.history.add("read", reader="final", isolation=isolation, topic=topic, partition=partition, **{"from": 0}, records=records,
                         begin=begin, end=time.monotonic(), final=True)

    def count_in_the_command_line(self):
        """`tripos sql` counts what the final reads have seen as committed."""
        for topic in ("plain", "left", "right"):
            begin = time.monotonic()
            done = subprocess.run([self.server.program, "sql", f"SELECT count(*) FROM {self.topics[topic]}", "-o", "csv", "--data",
                                   self.server.data], capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                raise RuntimeError(f"tripos sql failed: {done.stderr}")
            self.history.add("count", topic=topic, count=int(done.stdout.split()[-1]), begin=begin, end=time.monotonic())


def describe(events):
    ok = sum(1 for event in events if event["op"] == "write" and event["outcome"] == "ok")
    ended = [event["outcome"] for event in events if event["op"] == "transaction"]
    tables = sum(1 for event in events if event["op"] == "table")
    return (f"{ok} records acknowledged; transactions: {ended.count('committed')} committed, {ended.count('aborted')} aborted, "
            f"{ended.count('unknown')} unknown; {tables} SQL answers")


def play_round(options):
    """In a process of its own: a client library that aborts takes its round with it, and nothing else."""
    running = server.Server(os.path.abspath(options.program), options.directory, *SETTINGS)
    path = os.path.join(WORK, f"history-{options.seed}-{options.round}.jsonl")
    running.start()
    playing = Round(running, options.seed, options.round)
    try:
        violations = playing.play(ROUND_S)
        running.stop()
    except server.ServerFailed as failure:
        playing.history.save(path)
        print(f"round {options.round}: THE SERVER FAILED: {failure}\nhistory: {path}", flush=True)
        return 1
    except Exception:
        playing.history.save(path)
        raise
    print(f"round {options.round}: {running.kills} kills; {describe(playing.history.events)}; {len(violations)} violations", flush=True)
    if violations:
        playing.history.save(path)
        print(*checker.report(violations), f"history: {path}", sep="\n", flush=True)
    return 1 if violations else 0


def play_rounds(options, directory):
    """(rounds that were right, rounds that were wrong, rounds that the clients' library did not survive)"""
    end = time.monotonic() + 60 * options.minutes
    outcomes = collections.Counter()
    while not outcomes or time.monotonic() < end:
        number = sum(outcomes.values()) + 1
        round_of = subprocess.Popen([sys.executable, os.path.abspath(__file__), options.program, "--seed", str(options.seed), "--round",
                                     str(number), "--directory", directory], start_new_session=True)
        try:
            code = round_of.wait(timeout=ROUND_MAX_S)
        except subprocess.TimeoutExpired:
            print(f"round {number}: a client's library did not come back within {ROUND_MAX_S} s; not judged", flush=True)
            code = LOST
        else:
            if code == LOST:
                print(f"round {number}: librdkafka failed an assertion of its own; not judged", flush=True)
        finally:
            with contextlib.suppress(ProcessLookupError):  # its server, if it has left one
                os.killpg(round_of.pid, signal.SIGKILL)
        outcomes["right" if code == 0 else "given up" if code == LOST else "wrong"] += 1
    return outcomes["right"], outcomes["wrong"], outcomes["given up"]


def main():
    parser = argparse.ArgumentParser(description="kills the program under load, and judges what its clients saw")
    parser.add_argument("program")
    parser.add_argument("--minutes", type=float, default=2, help="how long (a last round is played to its end)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="what clients do, and when the server is killed")
    parser.add_argument("--keep", action="store_true", help="keep the data directory also when all is right")
    parser.add_argument("--round", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--directory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.makedirs(WORK, exist_ok=True)
    if options.round is not None:
        code = play_round(options)
        sys.stdout.flush()
        os._exit(code)  # without waiting for threads that do not come back
    directory = tempfile.mkdtemp(prefix="tripos-crash-")
    print(f"seed {options.seed}, librdkafka {confluent_kafka.libversion()[0]}", flush=True)
    right, wrong, given_up = play_rounds(options, directory)
    print(f"{right} rounds right, {wrong} wrong, {given_up} not judged")
    if wrong or options.keep:
        print(f"data directory and server's log: {directory}")
    else:
        shutil.rmtree(directory)
    return 1 if wrong or right == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
