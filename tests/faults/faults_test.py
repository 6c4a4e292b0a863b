"""Faults as a user meets them: a full disk, missing rights, taken ports, killed servers and workers. A clear error says what, where
and what to do; nothing acknowledged is lost; what was under way goes on after a restart."""

import collections
import json
import os
import random
import socket
import subprocess
import threading
import time
import unittest
import urllib.error

import tripos
from tripos import PROGRAM, run

ROOT = os.geteuid() == 0


def lines_of(messages):
    return "".join(json.dumps(message, separators=(",", ":")) + "\n" for message in messages).encode()


def pid_of_workers(server):
    children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, check=False).stdout.split()
    return [int(pid) for pid in children]


class FaultsTest(tripos.TriposTest):
    mounted = False

    def count(self, server, topic="t"):
        return server.rows(f"SELECT count(*) FROM {topic}_messages")[0][0]

    def small_disk(self, size):
        if not ROOT:
            self.skipTest("mounting a small disk needs root")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.data], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"a tmpfs can't be mounted here: {mounted.stderr.decode().strip()}")
        self.mounted = True

    def tearDown(self):
        if self.mounted:
            for server in self.servers:
                if server.process.poll() is None:
                    server.kill()
            subprocess.run(["umount", "-l", self.data], check=True)
        super().tearDown()

    def test_a_full_disk_in_a_load(self):
        self.small_disk("48m")
        server = self.serve()
        messages = [{"i": i, "fill": random.Random(i).randbytes(500).hex()} for i in range(80_000)]
        with open(self.path("big.ndjson"), "wb") as file:
            file.write(lines_of(messages))
        full = server.run("load", "t", self.path("big.ndjson"), check=False)
        self.assertEqual(full.returncode, 1)
        self.assertIn(b"No space left on device", full.stderr)
        kept = self.count(server)
        self.assertGreater(kept, 1000)
        # Reading goes on, and a restart finds what was there.
        server.stop()
        server.start()
        self.assertEqual(self.count(server), kept)
        # With room again, the same command goes on where it stopped.
        subprocess.run(["mount", "-o", "remount,size=256m", self.data], check=True)
        self.assertIn(f"{kept:,} were there already".encode(), server.run("load", "t", self.path("big.ndjson")).stderr)
        values = server.run("consume", "t", "--from-beginning", "--until-end").stdout.splitlines()
        self.assertEqual(collections.Counter(values), collections.Counter(lines_of(messages).splitlines()))

    def test_a_full_disk_in_a_snapshot(self):
        self.small_disk("64m")
        server = self.serve()
        server.run("load", "t", "-", stdin=lines_of({"i": i, "fill": random.Random(i).randbytes(200).hex()} for i in range(30_000)))
        with open(os.path.join(self.data, "ballast"), "wb") as ballast:
            free = os.statvfs(self.data)
            ballast.write(b"x" * max(0, free.f_bavail * free.f_frsize - 2_000_000))
        full = server.run("batch", "run", "t", check=False)
        self.assertEqual(full.returncode, 1)
        self.assertTrue(full.stderr)
        os.remove(os.path.join(self.data, "ballast"))
        self.assertEqual(server.rows("SELECT count(*), count(DISTINCT i) FROM t"), [[30_000, 30_000]])
        server.run("batch", "run", "t")
        self.assertEqual(server.rows("SELECT count(*), count(DISTINCT i) FROM t"), [[30_000, 30_000]])

    def test_a_second_server_and_a_taken_port(self):
        server = self.serve()
        second = run("serve", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", data=server.data, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(server.data.encode(), second.stderr)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flags in (("--kafka", address, "--http", "127.0.0.1:0"), ("--kafka", "127.0.0.1:0", "--http", address)):
                refused = run("serve", *flags, data=self.path("other"), check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn(address.encode(), refused.stderr)

    def test_missing_rights(self):
        if ROOT:
            if subprocess.run(["setpriv", "--version"], capture_output=True, check=False).returncode != 0:
                self.skipTest("setpriv is needed to give up root's rights")
            os.chmod(self.directory, 0o755)
            as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        else:
            as_nobody = []
        closed = self.path("closed")
        os.makedirs(closed)
        os.chmod(closed, 0o500)
        with open(self.path("closed.json"), "wb") as file:
            file.write(b"{}")
        os.chmod(self.path("closed.json"), 0)
        program = self.path("program")
        os.symlink(PROGRAM, program)
        if subprocess.run([*as_nobody, PROGRAM, "version"], capture_output=True, check=False, env=tripos.ENVIRONMENT).returncode != 0:
            self.skipTest("the program can't be run by nobody here")
        refused = subprocess.run([*as_nobody, PROGRAM, "serve", "--data", closed + "/data", "--kafka", "127.0.0.1:0"], capture_output=True,
                                 timeout=60, env=tripos.ENVIRONMENT, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"Permission denied", refused.stderr)
        self.assertIn(closed.encode(), refused.stderr)
        server = self.serve()
        load = [*as_nobody, PROGRAM, "load", "t", self.path("closed.json"), "--kafka", server.kafka, "--http", server.http]
        refused = subprocess.run(load, capture_output=True, timeout=60, env=tripos.ENVIRONMENT, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"closed.json: Permission denied", refused.stderr)

    def test_wrong_flags_and_keys(self):
        for arguments, code, told in ((("serve", "--set", "num.partition=3"), 1, b"num.partition"),
                                      (("serve", "--set", "num.partitions=many"), 1, b"num.partitions"),
                                      (("serve", "--kafka", "nonsense:port"), 1, b"nonsense:port"),
                                      (("serve", "--porf"), 2, b"--porf"), (("lod", "t", "x"), 2, b"load"),
                                      (("load", "t", "/nonexistent.json"), 1, b"/nonexistent.json"),
                                      (("load", "t", "-", "--compression", "zip"), 1, b"zip")):
            with self.subTest(arguments):
                done = run(*arguments, data=self.path("never"), check=False, timeout=30)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(told, done.stderr)

    def test_a_server_killed_in_snapshots_and_questions(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=lines_of({"i": i, "fill": "x" * 300} for i in range(40_000)))
        moments = random.Random(1)
        for _ in range(4):
            asking = threading.Thread(target=lambda: self.ignore_failure(server, "SELECT count(*), sum(i) FROM t GROUP BY i % 7"))
            batch = subprocess.Popen([PROGRAM, "batch", "run", "t", "--data", server.data], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, env=tripos.ENVIRONMENT)
            asking.start()
            time.sleep(moments.uniform(0.05, 0.5))
            server.kill()
            asking.join()
            batch.wait(timeout=30)
            server.start()
            self.assertEqual(server.rows("SELECT count(*), sum(i) FROM t"), [[40_000, 40_000 * 39_999 // 2]])
        server.run("batch", "run", "t")
        self.assertEqual(server.rows("SELECT count(*), sum(i) FROM t"), [[40_000, 40_000 * 39_999 // 2]])

    @staticmethod
    def ignore_failure(server, statement):
        try:
            server.rows(statement)
        except (OSError, ValueError):  # the server is killed under it
            pass

    def test_killed_workers(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=lines_of({"i": i} for i in range(1000)))
        self.assertEqual(server.rows("SELECT count(*) FROM t"), [[1000]])
        workers = pid_of_workers(server)
        self.assertTrue(workers)
        for worker in workers:
            os.kill(worker, 9)
        # A question that met a dead worker may fail; the next one has a new worker.
        self.ignore_failure(server, "SELECT count(*) FROM t")
        self.assertEqual(server.rows("SELECT count(*) FROM t"), [[1000]])
        self.assertIsNone(server.process.poll())

    def test_workers_killed_at_work(self):
        # Whatever a worker does, its death costs the one question or batch run, which says so.
        server = self.serve()
        server.run("load", "t", "-", stdin=lines_of({"i": i, "fill": "x" * 300} for i in range(60_000)))
        server.rows("SELECT count(*) FROM t")
        moments = random.Random(2)
        killed = 0
        long_question = "SELECT count(*) FROM t AS a JOIN t AS b ON a.fill = b.fill WHERE a.i % 50 = b.i % 47"
        for command in (("sql", long_question), ("batch", "run", "t")) * 4:
            busy = subprocess.Popen([PROGRAM, *command, "--data", server.data], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    env=tripos.ENVIRONMENT)
            time.sleep(moments.uniform(0.05, 0.3))
            for worker in pid_of_workers(server):
                os.kill(worker, 9)
            _, told = busy.communicate(timeout=120)
            if busy.returncode != 0:
                self.assertIn(b"killed by signal 9", told)
                killed += 1
            self.assertIsNone(server.process.poll())
            self.ignore_failure(server, "SELECT 1")  # which may meet another worker that was killed
            self.assertEqual(server.rows("SELECT count(*), sum(i) FROM t"), [[60_000, 60_000 * 59_999 // 2]])
        self.assertGreater(killed, 0, "no worker was at work when it was killed")
        server.run("batch", "run", "t")
        self.assertEqual(server.rows("SELECT count(*), sum(i) FROM t"), [[60_000, 60_000 * 59_999 // 2]])
        left = [name for _, _, names in os.walk(server.data) for name in names if name.startswith("tmp-")]
        self.assertEqual(left, [])

    def test_a_full_disk_in_a_questions_spill(self):
        self.small_disk("96m")
        with open(self.path("small.toml"), "w", encoding="ascii") as file:
            file.write("[sql]\nworker_memory_mb = 256\n")
        server = self.serve("--config", self.path("small.toml"))
        for begin in range(0, 100_000, 20_000):
            server.run("load", "t", "-", stdin=lines_of({"i": i, "fill": random.Random(i).randbytes(150).hex()}
                                                        for i in range(begin, begin + 20_000)))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            server.rows("SELECT count(*) FROM (SELECT a.fill AS fill, b.i AS i FROM t AS a CROSS JOIN (SELECT i FROM t LIMIT 30) AS b "
                        "ORDER BY b.i, a.fill DESC LIMIT 2900000 OFFSET 5) AS sorted WHERE fill > '8'")
        told = refused.exception.read()
        self.assertRegex(told, b"more room than the disk has")
        # It costs this question; what it has spilled is gone.
        self.assertEqual(server.rows("SELECT count(*), count(DISTINCT i) FROM t"), [[100_000, 100_000]])
        server.run("produce", "t", stdin=b'{"i":-1}\n')
        self.assertEqual(server.rows("SELECT min(i) FROM t"), [[-1]])

    def test_a_worker_has_none_of_the_servers_sockets(self):
        # Else a server that is killed could not listen again while a worker of it still runs, and its clients would not be told.
        server = self.serve()
        address = server.kafka.rsplit(":", 1)
        with socket.create_connection((address[0], int(address[1]))):
            server.run("load", "t", "-", stdin=lines_of([{"i": 1}]))
            self.assertEqual(server.rows("SELECT count(*) FROM t"), [[1]])
            workers = pid_of_workers(server)
            self.assertTrue(workers)
            for worker in workers:
                held = [os.readlink(f"/proc/{worker}/fd/{name}") for name in os.listdir(f"/proc/{worker}/fd")]
                self.assertEqual(len([name for name in held if name.startswith("socket:")]), 1, held)


if __name__ == "__main__":
    unittest.main()
