"""tripos load from outside: loaded once whatever happens, any file, clear ends (docs/guide/loading.md)."""

import collections
import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import tripos
from tripos import PROGRAM, run


def lines_of(messages):
    return "".join(json.dumps(message, separators=(",", ":")) + "\n" for message in messages).encode()


class LoadTest(tripos.TriposTest):
    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def values(self, server, topic="t"):
        return collections.Counter(server.run("consume", topic, "--from-beginning", "--until-end").stdout.splitlines())

    def start_load(self, server, *arguments):
        return subprocess.Popen([PROGRAM, "load", *arguments, "--data", server.data], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=tripos.ENVIRONMENT)

    def test_twice_is_once(self):
        server = self.serve()
        file = self.write("a.json", b'[{"a": 1}, {"a": 2}, {"a": 1}]')
        self.assertIn(b"Loaded 3 messages", server.run("load", "t", file).stderr)
        self.assertIn(b"Loaded 0 new messages into t; 3 were there already", server.run("load", "t", file).stderr)
        self.assertEqual(self.values(server), {b'{"a":1}': 2, b'{"a":2}': 1})
        server.run("load", "t", "--append", file)
        self.assertEqual(self.values(server), {b'{"a":1}': 4, b'{"a":2}': 2})

    def test_what_another_producer_sent_is_known(self):
        server = self.serve()
        messages = [{"id": i % 700, "name": f"x {i % 7}"} for i in range(1000)]
        server.run("topic", "create", "t", "--partitions", "3")
        subprocess.run(["kcat", "-P", "-b", server.kafka, "-t", "t", "-z", "zstd"], input=lines_of(messages[:600]), check=True, timeout=30)
        server.run("produce", "t", stdin=b'{ "id" : 699,  "name": "x 6" }\n')
        server.run("load", "t", self.write("all.ndjson", lines_of(messages)))
        expected = collections.Counter(lines_of(messages).splitlines())
        expected[b'{"id":699,"name":"x 6"}'] -= 1
        expected[b'{ "id" : 699,  "name": "x 6" }'] += 1
        self.assertEqual(self.values(server), expected)

    def test_identity_by_a_field(self):
        server = self.serve()
        server.run("load", "t", "-", "--id", "id", stdin=b'{"id":"a","n":1}\n{"id":"b","n":2}\n{"n":3}\n')
        again = server.run("load", "t", "-", "--id", "id", stdin=b'{"n":9,"id":"\\u0061"}\n{"id":"c"}\n{"n": 3}\n')
        self.assertIn(b"1 new messages into t; 2 were", again.stderr)

    def test_killed_loaders_and_servers(self):
        server = self.serve()
        server.run("topic", "create", "t", "--partitions", "2")
        messages = [{"i": i, "fill": "x" * 900} for i in range(30_000)] + [{"i": i, "fill": "x" * 900} for i in range(100)]
        file = self.write("big.ndjson", lines_of(messages))
        moments = random.Random(4)
        for attempt in range(6):
            if attempt % 3 == 2:
                # What is written after the kill can't have been loaded, so the loader has to say so.
                load = self.start_load(server, "t", "-")
                load.stdin.write(lines_of(messages[: moments.randrange(20_000)]))
                load.stdin.flush()
                server.kill()
                with contextlib.suppress(BrokenPipeError):
                    load.communicate(lines_of(messages[20_000:]), timeout=30)
                self.assertNotEqual(load.wait(timeout=30), 0, "a load that lost its server says so")
                server.start()
            else:
                load = self.start_load(server, "t", file)
                time.sleep(moments.uniform(0.01, 0.25))
                load.kill()
                load.communicate(timeout=30)
        server.run("load", "t", file)
        self.assertEqual(self.values(server), collections.Counter(lines_of(messages).splitlines()))

    def test_one_load_at_a_time(self):
        server = self.serve()
        server.run("topic", "create", "t")
        first = self.start_load(server, "t", "-")
        first.stdin.write(b'{"a":1}\n')
        first.stdin.flush()
        deadline = time.monotonic() + 20
        while not self.values(server) and time.monotonic() < deadline:
            time.sleep(0.02)
        second = server.run("load", "t", "-", stdin=b'{"a":1}\n{"a":2}\n', check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(b"another load of topic t is under way", second.stderr)
        first.kill()
        first.communicate(timeout=30)
        server.run("load", "t", "-", stdin=b'{"a":1}\n{"a":2}\n')
        self.assertEqual(self.values(server), {b'{"a":1}': 1, b'{"a":2}': 1})

    def test_compressed_files_and_directories(self):
        server = self.serve()
        self.write("d/1.json.gz", gzip.compress(b'[{"n":1}]'))
        self.write("d/sub/2.ndjson", b'{"n":2}\n')
        self.write("d/notes.txt", b"hello")
        for name, command in (("d/3.json.zst", "zstd"), ("d/4.json.lz4", "lz4")):
            if shutil.which(command):
                compressed = subprocess.run([command, "-c"], input=b'{"n":3}{"n":4}', capture_output=True, check=True).stdout
                self.write(name, compressed)
        server.run("load", "t", self.path("d"))
        self.assertGreaterEqual(set(self.values(server)), {b'{"n":1}', b'{"n":2}'})
        if shutil.which("zstd"):
            self.assertIn(b'{"n":4}', self.values(server))
        cut = server.run("load", "t", self.write("cut.gz", gzip.compress(os.urandom(1000).hex().encode())[:-9]), check=False)
        self.assertEqual(cut.returncode, 1)
        self.assertIn(b"gzip data ends before it is complete", cut.stderr)

    def test_odd_files(self):
        server = self.serve()
        deep = b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
        for name, content, code, loaded, told in (
            ("empty", b"", 0, 0, b"Loaded 0"),
            ("blank lines", b"\n\r\n  \n", 0, 0, b"Loaded 0"),
            ("truncated array", b'[{"t":1},{"t":', 1, 1, b"ends at byte 14 in element 2"),
            ("trailing comma", b'[{"c":1},]', 1, 1, b"byte 9: a JSON value expected"),
            ("trailing comma in a line", b'{"l":1},\n{"l":2}\n', 1, 2, b"1 line is no JSON"),
            ("byte order mark", b'\xef\xbb\xbf{"m":1}', 0, 1, b"Loaded 1"),
            ("concatenated", b'{"k":1}{"k":2}\n\n{"k":3} {"k":4}', 0, 4, b"Loaded 4"),
            ("array behind lines", b'{"b":1}\n[{"b":2},\n{"b":3}]\n', 0, 3, b"Loaded 3"),
            ("CRLF", b'{"r":1}\r\nbad\r\n{"r":2}\r\n', 1, 3, b"kept as it is"),
            ("NUL", b'{"z":1}\n\0\0\0\n{"z":2}\n', 1, 3, b"1 line is no JSON"),
            ("UTF-16", '{"u":1}'.encode("utf-16"), 1, 0, b"iconv -f UTF-16"),
            ("not UTF-8", b'{"f":"\xff"}\n{"f":1}\n', 1, 2, b"not UTF-8"),
            ("deep", b'{"p":1}\n' + deep + b'\n{"p":2}\n', 1, 3, b"1000 levels deep"),
            ("60 MB", b'[{"s":1},{"s":"' + b"x" * 60_000_000 + b'"}]', 1, 1,
             b"element 2 (starts at byte 9) has more than 1048460 bytes; topic 60_MB takes messages of at most max.message.bytes=1048588"),
        ):
            with self.subTest(name):
                topic = name.replace(" ", "_")
                done = server.run("load", topic, self.write("odd", content), check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(told, done.stderr)
                self.assertEqual(sum(self.values(server, topic).values()), loaded)

    def test_rejected_lines_are_in_their_table(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=b'{"a":1}\nhello\n{"a":2}\n', check=False)
        self.assertEqual(server.rows("SELECT a FROM t ORDER BY a"), [[1], [2]])
        self.assertEqual(len(server.rows("SELECT * FROM t_rejected")), 1)
        # They are known the next time, and still no JSON.
        again = server.run("load", "t", "-", stdin=b'{"a":1}\nhello\n{"a":2}\n', check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn(b"Loaded 0 new", again.stderr)

    def test_a_broken_file_does_not_stop_the_others(self):
        server = self.serve()
        done = server.run("load", "t", self.write("1.json", b'[{"a":1},'), self.write("2.json", b'{"a":2}'), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"1.json", done.stderr)
        self.assertEqual(set(self.values(server)), {b'{"a":1}', b'{"a":2}'})

    def test_a_foreign_broker_takes_append_only(self):
        server = self.serve()
        refused = run("load", "t", "-", "--kafka", server.kafka, stdin=b"{}", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"--append", refused.stderr)
        run("load", "t", "-", "--append", "--kafka", server.kafka, stdin=b"{}\n{}\n")
        self.assertEqual(self.values(server), {b"{}": 2})

    def test_a_trickling_pipe_is_loaded_as_it_comes(self):
        server = self.serve()
        server.run("topic", "create", "t")
        load = self.start_load(server, "t", "-")
        for i in range(3):
            load.stdin.write(b'{"i":%d}\n' % i)
            load.stdin.flush()
            deadline = time.monotonic() + 20
            while len(self.values(server)) <= i and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual(len(self.values(server)), i + 1)
        load.send_signal(signal.SIGINT)
        load.communicate(timeout=20)
        self.assertEqual(load.returncode, 130)


if __name__ == "__main__":
    unittest.main()
