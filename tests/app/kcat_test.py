#!/usr/bin/env python3
"""A client that we did not write: messages by kcat come back byte for byte, also after kill -9; and are rows at once."""

import subprocess
import unittest

from tripos import TriposTest, run


def kcat(server, *arguments, stdin=None):
    return subprocess.run(["kcat", "-b", server.kafka, *arguments], input=stdin, capture_output=True, check=True, timeout=60)


class Kcat(TriposTest):
    def test_one_message_is_a_row(self):
        server = self.serve()
        kcat(server, "-P", "-t", "exams", stdin=b'{"a":1}\n')
        self.assertEqual(server.rows("SELECT a FROM exams"), [[1]])

    def test_bytes_come_back_after_a_kill(self):
        attempts = run("generate", "--messages", "2000", "--seed", "4").stdout
        server = self.serve()
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            kcat(server, "-P", "-t", codec, "-z", codec, stdin=attempts)
        server.kill()
        server.start()
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            self.assertEqual(kcat(server, "-C", "-t", codec, "-e", "-q").stdout, attempts, codec)
            self.assertEqual(server.run("consume", codec, "--from-beginning", "--until-end").stdout, attempts, codec)
            self.assertEqual(server.rows(f"SELECT COUNT(*) FROM {codec}"), [[2000]])

    def test_our_load_is_what_kcat_reads(self):
        attempts = run("generate", "--messages", "500", "--seed", "5").stdout
        server = self.serve()
        server.run("load", "exams", "-", stdin=attempts)
        self.assertEqual(kcat(server, "-C", "-t", "exams", "-e", "-q").stdout, attempts)

    def test_groups_read_everything_each(self):
        server = self.serve()
        kcat(server, "-P", "-t", "exams", stdin=b"1\n2\n3\n")
        for group in ("first", "second"):
            seen = kcat(server, "-G", group, "-c", "3", "-X", "auto.offset.reset=earliest", "exams").stdout
            self.assertEqual(seen, b"1\n2\n3\n", group)


if __name__ == "__main__":
    unittest.main()
