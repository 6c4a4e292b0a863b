#!/usr/bin/env python3
"""Kafka's own dump tool judges the segments that compaction has written, of every codec, with tombstones."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

from tripos import TriposTest

DUMP_LOG = pathlib.Path(__file__).with_name("dump_log.sh")
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class Compacted(TriposTest):
    def test_every_batch_is_valid(self):
        server = self.serve("--set", "log.cleanup.policy=compact", "--set", "log.segment.bytes=4000", "--set", "log.cleaner.backoff.ms=100",
                            "--set", "log.cleaner.min.cleanable.ratio=0", "--set", "log.index.interval.bytes=200")
        for codec in CODECS:
            kcat = ["kcat", "-b", server.kafka, "-P", "-t", codec, "-z", codec, "-K:", "-X", "batch.num.messages=5"]
            lines = "".join(f'k{i % 40}:{{"n":{i},"pad":"{os.urandom(60).hex()}"}}\n' for i in range(2000))
            subprocess.run(kcat, input=lines.encode(), check=True, timeout=60)
            subprocess.run([*kcat, "-Z"], input=b"k1:\nk2:\nk3:\n" * 30, check=True, timeout=60)
        for codec in CODECS:
            for _ in range(300):
                left = server.rows(f"SELECT COUNT(*) FROM {codec}_messages")[0][0]
                if left < 500:
                    break
                time.sleep(0.1)
            self.assertLess(left, 500, codec)
            self.assertEqual(server.rows(f"SELECT COUNT(*) FROM {codec}"), [[37]])
        self.assertEqual(server.stop(), 0)
        for log in pathlib.Path(self.data, "topics").glob("*/0"):
            judged = subprocess.run([DUMP_LOG, "--compacted", log], capture_output=True, text=True, timeout=120)
            if judged.returncode == 77:
                self.skipTest(judged.stdout.strip())
            self.assertEqual(judged.returncode, 0, judged.stderr)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
