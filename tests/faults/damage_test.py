"""One byte changes somewhere in a data directory, in each of its files in turn; then the server starts and is asked everything. Each
answer is right, or refuses and names the file: never a wrong answer, never a crash. TRIPOS_DAMAGE_BYTES: how many bytes of each file are
tried, one at a time (2); TRIPOS_DAMAGE_SEED: which ones."""

import json
import os
import random
import re
import shutil
import time
import unittest
import urllib.error

import raw_kafka
import tripos

BYTES = int(os.environ.get("TRIPOS_DAMAGE_BYTES", "2"))
SEED = int(os.environ.get("TRIPOS_DAMAGE_SEED", "1"))

CONCURRENT_TRANSACTIONS = 51
SETTINGS = ("--set", "log.segment.bytes=150000", "--set", "log.index.interval.bytes=2000", "--set", "log.cleaner.backoff.ms=200")
STATEMENTS = (
    "SELECT *, __tripos_partition, __tripos_offset, __tripos_timestamp FROM t ORDER BY __tripos_partition, __tripos_offset",
    "SELECT partition, offset, timestamp, key, value FROM t_messages ORDER BY partition, offset",
    "SELECT partition, offset, reason, value FROM t_rejected ORDER BY partition, offset",
    "SELECT sum(i), max(text) FROM t WHERE i > 500",
    "SELECT name, value FROM latest ORDER BY name",
    "SELECT n FROM transacted ORDER BY n",
    "SELECT count(*) FROM evens",
)
COMMANDS = (
    ("consume", "t", "--from-beginning", "--until-end", "--format", "%p %o %T %k %v\\n"),
    ("consume", "t", "--offset", "700", "--partition", "0", "-n", "3", "--format", "%p %o %v\\n"),
    ("consume", "t", "--offset", "@1700000000700", "--partition", "0", "-n", "3", "--format", "%p %o %v\\n"),
    ("consume", "latest", "--from-beginning", "--until-end", "--format", "%k %v\\n"),
    ("consume", "transacted", "--from-beginning", "--until-end"),
    ("topic", "list"),
    ("group", "describe", "reader", "-o", "json"),
    ("txn", "list", "-o", "csv"),
)


def lines_of(numbers):
    messages = ({"i": i, "text": f"text {i} " + "x" * (i % 200), "list": [i, {"half": i / 2}]} for i in numbers)
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def all_files(directory):
    for folder, _, names in os.walk(directory):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), directory)


class DamageTest(tripos.TriposTest):
    """Data of every kind: two partitions of several segments, snapshots and a live tail behind them, what is not JSON, a compacted topic,
    aborted transactions, what groups have committed, views, counts of loads."""

    def make_data(self):
        server = self.serve(*SETTINGS)
        server.run("topic", "create", "t", "--partitions", "2")
        server.run("topic", "create", "latest", "--config", "cleanup.policy=compact", "--config", "min.cleanable.dirty.ratio=0.01",
                   "--config", "segment.ms=100")
        server.run("topic", "create", "transacted")
        for round_ in range(3):
            for partition in (0, 1):
                numbers = range(round_ * 400, round_ * 400 + 400)
                server.run("produce", "t", "--partition", str(partition), "--compression", ("none", "lz4", "zstd")[round_],
                           stdin=lines_of(numbers))
            server.run("load", "t", "-", stdin=lines_of(range(1200, 1400 + 100 * round_)))
            server.run("produce", "t", "--partition", "0", stdin=b"no JSON %d\n" % round_)
            server.run("produce", "latest", "-K", "=", stdin=b"".join(
                b'%d={"name":"%d","value":%d}\n' % (key, key, round_) for key in range(0, 60, round_ + 1)))
            if round_ < 2:
                server.run("batch", "run", "t")
        for value, end in ((b'{"n":1}', True), (b'{"n":2}', False), (b'{"n":3}', True)):
            producer = raw_kafka.Producer(server.kafka, "writer")
            while producer.init() == CONCURRENT_TRANSACTIONS:
                time.sleep(0.01)
            self.assertEqual((producer.add("transacted"), producer.send("transacted", value)), (0, 0))
            if end:
                self.assertEqual(producer.commit(), 0)
            producer.close()  # the next one's init() aborts what was left open
        server.run("sql", "CREATE VIEW evens AS SELECT i FROM t WHERE i % 2 = 0")
        self.commit_offset(server)
        server.rows("SELECT count(*) FROM t")
        self.assertEqual(server.stop(), 0)
        self.servers.clear()

    @staticmethod
    def commit_offset(server):
        server.run("group", "reset", "reader", "--topic", "t", "--to-offset", "5", "--execute")

    def answers(self, server):
        """By question: its answer, or an Exception with what it was refused with."""
        all_answers = {}
        for statement in STATEMENTS:
            try:
                all_answers[statement] = server.rows(statement)
            except urllib.error.HTTPError as refused:
                all_answers[statement] = ValueError(refused.read().decode())
            except (OSError, ValueError) as refused:
                all_answers[statement] = refused
        for command in COMMANDS:
            done = server.run(*command, check=False, timeout=60)
            all_answers[command] = done.stdout if done.returncode == 0 else ValueError(f"{done.returncode}: {done.stderr.decode()}")
            if done.returncode == 0 and "latest" in command:  # compaction may take earlier records of a key at any time
                last = {line.split(b" ", 1)[0]: line for line in done.stdout.splitlines()}
                all_answers[command] = b"\n".join(last[key] for key in sorted(last))
        return all_answers

    def judge(self, name, expected):
        """What is wrong with how the damage was borne, as texts; what came of it, for a person to read."""
        server = tripos.Server(self.data, *SETTINGS, start=False)
        try:
            server.start()
        except (ValueError, KeyError):  # it printed no addresses
            code = server.process.wait(timeout=30)
            server.close()
            told = self.log()
            named = os.path.basename(name) in told or os.path.dirname(name) in told
            return ([] if code == 1 and named else [f"the start ended with {code}: {told}"]), "not started"
        self.servers.append(server)
        faults = []
        refused = 0
        for question, answer in self.answers(server).items():
            if not isinstance(answer, Exception):
                if answer != expected[question]:
                    faults.append(f"a wrong answer to {question}: {self.difference(answer, expected[question])}")
                continue
            refused += 1
            told = str(answer)
            # A client of Kafka's protocol knows topics and offsets only.
            by_kafka = question[0] == "consume" and re.search(r"topic \S+, partition \d+, offset \d+", told)
            if question[0] in ("consume", "group", "txn"):
                told += self.log()  # the server has said at its start what it does not serve
            if not by_kafka and not any(part in told for part in (os.path.basename(name), os.path.dirname(name))):
                faults.append(f"{question} was refused without the name of the file: {told}")
        if server.process.poll() is not None:
            faults.append(f"the server ended with {server.process.returncode}: {self.log()}")
        elif server.stop() not in (0, 1):
            faults.append(f"the stop ended with {server.process.returncode}: {self.log()}")
        self.servers.clear()
        return faults, f"{refused} questions refused"

    @staticmethod
    def difference(answer, expected):
        if isinstance(answer, bytes):
            answer, expected = answer.splitlines(), expected.splitlines()
        first = next((pair for pair in zip(answer, expected) if pair[0] != pair[1]), "")
        return f"{len(answer)} for {len(expected)}, first different: {str(first)[:300]}"

    def log(self):
        with open(self.data + ".log", encoding="utf-8", errors="replace") as log:
            return log.read()

    def test_a_byte_of_each_file(self):
        self.make_data()
        good = self.path("good")
        shutil.copytree(self.data, good)
        server = self.serve(*SETTINGS)
        expected = self.answers(server)
        for question, answer in expected.items():
            self.assertNotIsInstance(answer, Exception, question)
        server.stop()
        self.servers.clear()
        moments = random.Random(SEED)
        verbose = os.environ.get("TRIPOS_DAMAGE_VERBOSE")
        wrong = []
        for name in sorted(all_files(good)):
            size = os.path.getsize(os.path.join(good, name))
            for position in sorted(moments.sample(range(size), min(BYTES, size))):
                bit = moments.randrange(8)
                shutil.rmtree(self.data)
                shutil.copytree(good, self.data)
                if os.path.exists(self.data + ".log"):
                    os.remove(self.data + ".log")
                with open(os.path.join(self.data, name), "r+b") as file:
                    file.seek(position)
                    byte = file.read(1)[0]
                    file.seek(position)
                    file.write(bytes([byte ^ 1 << bit]))
                faults, outcome = self.judge(name, expected)
                place = f"{name}, byte {position} of {size}, bit {bit}"
                if verbose:
                    print(f"{place}: {outcome}", flush=True)
                    for fault in faults:
                        print("   !!", fault[:1500], flush=True)
                wrong += [f"{place}: {fault}" for fault in faults]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
