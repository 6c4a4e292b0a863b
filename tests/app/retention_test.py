#!/usr/bin/env python3
"""What leaves the log by retention and by compaction, and what of it stays in the tables, over kills."""

import json
import random
import subprocess
import threading
import time
import unittest

from tripos import TriposTest, run

try:
    import confluent_kafka
    import confluent_kafka.admin
except ImportError:
    confluent_kafka = None

ATTEMPTS = 3000


class Retention(TriposTest):
    def wait_for(self, condition, what):
        for _ in range(300):
            if condition():
                return
            time.sleep(0.1)
        self.fail(f"in 30 seconds: {what}")

    @staticmethod
    def count(server, table):
        return server.rows(f"SELECT COUNT(*) FROM {table}")[0][0]

    def test_a_table_and_its_load_counts_outlive_the_log(self):
        attempts = run("generate", "--messages", str(ATTEMPTS), "--seed", "7").stdout
        server = self.serve("--set", "log.retention.check.interval.ms=200", "--set", "log.segment.bytes=1000000",
                            "--set", "log.retention.bytes=1000000")
        server.run("load", "exams", "-", stdin=attempts)
        self.wait_for(lambda: self.count(server, "exams_messages") < ATTEMPTS // 2, "the log was not trimmed")
        self.assertEqual(self.count(server, "exams"), ATTEMPTS)
        self.assertEqual(server.rows("SELECT MIN(__tripos_offset), COUNT(DISTINCT __tripos_offset) FROM exams"), [[0, ATTEMPTS]])
        self.assertGreater(server.rows("SELECT MIN(offset) FROM exams_messages")[0][0], 0)
        server.kill()
        server.start()
        self.assertEqual(self.count(server, "exams"), ATTEMPTS)
        server.run("load", "exams", "-", stdin=attempts)
        self.assertEqual(self.count(server, "exams"), ATTEMPTS, "what has left the log was loaded again")

    @unittest.skipUnless(confluent_kafka, "confluent-kafka is not installed")
    def test_deleted_records_leave_the_table_at_once(self):
        server = self.serve()
        kcat = ["kcat", "-b", server.kafka, "-P", "-t", "exams"]

        def delete(below):
            admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": server.kafka, "log_level": 0})
            partition = confluent_kafka.TopicPartition("exams", 0, below)
            self.assertEqual(admin.delete_records([partition])[partition].result(30).low_watermark, below)

        def numbers():
            return [row[0] for row in server.rows("SELECT n FROM exams")]

        subprocess.run(kcat, input=b"".join(b'{"n":%d}\n' % n for n in range(10)), check=True, timeout=60)
        server.run("batch", "run")
        subprocess.run(kcat, input=b"".join(b'{"n":%d}\n' % n for n in range(10, 15)), check=True, timeout=60)
        delete(4)
        self.assertEqual(numbers(), list(range(4, 15)))  # of a file that holds all of 0 to 9
        server.kill()
        server.start()
        self.assertEqual(numbers(), list(range(4, 15)))
        delete(12)
        self.assertEqual(numbers(), [12, 13, 14])
        server.run("batch", "run")
        self.assertEqual(numbers(), [12, 13, 14])
        self.assertEqual(server.stop(), 0)

    def test_a_compacted_topics_table_is_the_same_before_and_after(self):
        server = self.serve("--set", "log.cleanup.policy=compact", "--set", "log.segment.bytes=20000",
                            "--set", "log.cleaner.backoff.ms=600000", "--set", "log.cleaner.min.cleanable.ratio=0")
        lines = b"".join(b'k%d:{"n":%d,"pad":"%s"%s}\n' % (i % 10, i, b"x" * 100, b',"early":true' if i == 0 else b"") for i in range(2000))
        kcat = ["kcat", "-b", server.kafka, "-P", "-t", "keys", "-K:"]
        subprocess.run([*kcat, "-X", "batch.num.messages=20"], input=lines, check=True, timeout=60)
        subprocess.run([*kcat, "-Z"], input=b"k3:\n", check=True, timeout=60)
        before = server.sql("SELECT * FROM keys")
        self.assertEqual(len(before["rows"]), 9)
        self.assertEqual(self.count(server, "keys_messages"), 2001)
        server.kill()
        server.arguments = tuple(argument.replace("=600000", "=100") for argument in server.arguments)
        server.start()
        self.wait_for(lambda: self.count(server, "keys_messages") < 500, "the log was not compacted")
        server.kill()
        server.start()
        after = server.sql("SELECT * FROM keys")
        self.assertEqual(after["columns"], before["columns"], "also those that only old values had")
        self.assertEqual(sorted(after["rows"]), sorted(before["rows"]))

    def test_answers_are_exact_while_the_log_is_trimmed(self):
        server = self.serve("--set", "log.retention.check.interval.ms=50", "--set", "log.segment.bytes=20000",
                            "--set", "log.retention.bytes=20000")
        acknowledged = 0
        done = threading.Event()
        wrong = []

        def ask():
            before = 0
            while not done.is_set():
                least = acknowledged
                count, distinct = server.rows("SELECT COUNT(*), COUNT(DISTINCT n) FROM exams")[0]
                if count < max(least, before) or count != distinct:
                    wrong.append(f"{count} rows, {distinct} different ones; {least} were acknowledged, {before} seen before")
                before = count

        lines = [b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * 100) for n in range(4000)]
        kcat = ["kcat", "-b", server.kafka, "-P", "-t", "exams"]
        subprocess.run(kcat, input=lines[0], check=True, timeout=60)
        acknowledged = 1
        asker = threading.Thread(target=ask)
        asker.start()
        for begin in range(1, len(lines), 100):
            subprocess.run(kcat, input=b"".join(lines[begin:begin + 100]), check=True, timeout=60)
            acknowledged = min(begin + 100, len(lines))
        self.wait_for(lambda: self.count(server, "exams_messages") < 1000, "the log was not trimmed")
        done.set()
        asker.join()
        self.assertEqual(wrong, [])
        self.assertEqual(server.rows("SELECT COUNT(*), SUM(n) FROM exams"), [[4000, sum(range(4000))]])

    def test_kills_amid_compaction_lose_no_last_value(self):
        server = self.serve("--set", "log.cleanup.policy=compact", "--set", "log.segment.bytes=4000", "--set", "log.cleaner.backoff.ms=1",
                            "--set", "log.cleaner.min.cleanable.ratio=0")
        chance = random.Random(11)
        last = {}  # acknowledged: kcat ends well only when all is
        attempted = {}
        n = 0
        for life in range(8):
            killer = threading.Timer(chance.uniform(0.3, 1.2), server.kill)
            killer.start()
            while killer.is_alive():
                lines = {}
                for _ in range(60):
                    n += 1
                    lines[f"k{chance.randrange(8)}"] = n
                text = "".join(f'{key}:{{"n":{value},"pad":"{"x" * 80}"}}\n' for key, value in lines.items())
                attempted.update(lines)
                sent = subprocess.run(["kcat", "-b", server.kafka, "-P", "-t", "keys", "-K:", "-X", "message.timeout.ms=2000"],
                                      input=text.encode(), capture_output=True, timeout=60)
                if sent.returncode == 0:
                    last.update(lines)
            killer.join()
            server.start()
            for key, value in server.rows("SELECT CAST(__tripos_key AS STRING), n FROM keys"):
                self.assertGreaterEqual(value, last.get(key, 0), f"life {life}: the last value of {key} is lost")
                self.assertLessEqual(value, attempted[key])
            self.assertEqual(self.count(server, "keys"), len(attempted), json.dumps(last))


if __name__ == "__main__":
    unittest.main()
