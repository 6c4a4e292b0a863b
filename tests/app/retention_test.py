#!/usr/bin/env python3
"""What leaves the log by retention and by compaction, and what of it stays in the tables, over kills."""

import subprocess
import time
import unittest

from tripos import TriposTest, run

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


if __name__ == "__main__":
    unittest.main()
