#!/usr/bin/env python3
"""tripos group, txn, log, status, doctor: as an operator uses them, on the built program."""

import csv
import io
import json
import os
import subprocess
import unittest

import raw_kafka
import tripos
from tripos import run


def rows(done):
    return list(csv.DictReader(io.StringIO(done.stdout.decode())))


class OperationsTest(tripos.TriposTest):
    def loaded(self, count=10, partitions=1):
        server = self.serve("--set", "group.initial.rebalance.delay.ms=0")
        server.run("topic", "create", "t", "--partitions", str(partitions))
        server.run("produce", "t", stdin=b"".join(b'{"i":%d}\n' % i for i in range(count)))
        return server

    def consume(self, server, group, count):
        """As a member of the group, which commits when it leaves."""
        done = subprocess.run(["kcat", "-b", server.kafka, "-G", group, "-c", str(count), "-X", "auto.offset.reset=earliest", "-q", "t"],
                              capture_output=True, timeout=60, check=True)
        self.assertEqual(len(done.stdout.splitlines()), count)

    def test_groups(self):
        server = self.loaded()
        self.consume(server, "marking", 10)
        self.assertEqual(rows(server.run("group", "list", "-o", "csv")), [{"group": "marking", "state": "Empty", "protocol": "consumer"}])
        described = rows(server.run("group", "describe", "marking", "-o", "csv"))
        self.assertEqual([(row["topic"], row["current_offset"], row["log_end_offset"], row["lag"]) for row in described],
                         [("t", "10", "10", "0")])

        def offsets():
            return [row["current_offset"] for row in rows(server.run("group", "describe", "marking", "-o", "csv"))]

        reset = ("group", "reset", "marking", "--topic", "t", "-o", "csv")
        shown = server.run(*reset, "--to-offset", "4")
        self.assertEqual([(row["current_offset"], row["new_offset"]) for row in rows(shown)], [("10", "4")])
        self.assertIn(b"--execute", shown.stderr)
        self.assertEqual(offsets(), ["10"])  # nothing has happened
        server.run(*reset, "--to-offset", "4", "--execute")
        self.assertEqual(offsets(), ["4"])
        server.run(*reset, "--shift-by", "2", "--execute")
        self.assertEqual(offsets(), ["6"])
        server.run("group", "reset", "marking", "--all-topics", "--shift-by", "-100", "--execute")
        self.assertEqual(offsets(), ["0"])
        server.run(*reset, "--to-latest", "--execute")
        self.assertEqual(offsets(), ["10"])
        server.run(*reset, "--to-datetime", "2020-01-01T00:00:00", "--execute")
        self.assertEqual(offsets(), ["0"])
        server.run(*reset, "--to-datetime", "2199-01-01T00:00:00Z", "--execute")
        self.assertEqual(offsets(), ["10"])
        beyond = server.run(*reset, "--to-offset", "1000", "--execute")
        self.assertIn(b"1000 is out of it", beyond.stderr)
        self.assertEqual(offsets(), ["10"])
        # What Kafka's own consumers then do.
        server.run(*reset, "--to-offset", "7", "--execute")
        self.consume(server, "marking", 3)
        self.assertEqual(offsets(), ["10"])

        for wrong in (("--to-offset", "1", "--to-latest"), (), ("--to-datetime", "yesterday")):
            self.assertEqual(server.run(*reset, *wrong, check=False).returncode, 1, wrong)
        self.assertEqual(server.run("group", "reset", "marking", "--to-latest", check=False).returncode, 1)  # of which topic?
        self.assertIn(b"no partition 5", server.run("group", "reset", "marking", "--topic", "t:5", "--to-latest", check=False).stderr)
        self.assertEqual(server.run("group", "describe", "nobody", check=False).returncode, 1)

        self.assertIn(b"--confirm marking", server.run("group", "delete", "marking", check=False).stderr)
        server.run("group", "delete", "marking", "--confirm", "marking")
        self.assertEqual(rows(server.run("group", "list", "-o", "csv")), [])

    def test_a_group_with_members_is_left_alone(self):
        server = self.loaded()
        member = subprocess.Popen(["kcat", "-b", server.kafka, "-G", "busy", "-X", "auto.offset.reset=earliest", "-q", "-u", "t"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            self.assertTrue(member.stdout.readline())
            for command in (("reset", "busy", "--topic", "t", "--to-earliest", "--execute"), ("delete", "busy", "--confirm", "busy")):
                refused = server.run("group", *command, check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn(b"stop its consumers first", refused.stderr)
            members = rows(server.run("group", "describe", "busy", "--members", "-o", "csv"))
            self.assertEqual([row["assignment"] for row in members], ["t:0"])
            self.assertTrue(members[0]["host"])
        finally:
            member.kill()
            member.wait()
            member.stdout.close()

    def test_a_transaction_that_hangs(self):
        server = self.loaded(3)
        self.assertEqual(rows(server.run("txn", "list", "-o", "csv")), [])
        self.assertIn(b"held back     nothing", server.run("status").stdout)
        producer = raw_kafka.Producer(server.kafka, "nightly")
        self.addCleanup(producer.close)
        self.assertEqual([producer.init(), producer.add("t"), producer.send("t", b'{"i":100}')], [0, 0, 0])
        server.run("produce", "t", stdin=b'{"i":200}\n')

        open_ones = rows(server.run("txn", "list", "--open", "-o", "csv"))
        self.assertEqual([(row["transactional_id"], row["state"], row["partitions"]) for row in open_ones], [("nightly", "Ongoing", "t:0")])
        held = json.loads(server.run("status", "-o", "json").stdout)
        self.assertEqual([(each["topic"], each["partition"], each["stable_offset"], each["log_end_offset"], each["transactional_id"])
                          for each in held], [("t", 0, 3, 5, "nightly")])
        self.assertIn(b"1 partitions wait", server.run("status").stdout)
        self.assertEqual(server.rows("SELECT count(*) FROM t"), [[3]])

        self.assertIn(b"--confirm nightly", server.run("txn", "abort", "nightly", check=False).stderr)
        self.assertEqual(len(rows(server.run("txn", "list", "--open", "-o", "csv"))), 1)
        server.run("txn", "abort", "nightly", "--confirm", "nightly")
        self.assertEqual(server.rows("SELECT i FROM t ORDER BY i"), [[0], [1], [2], [200]])  # at once
        self.assertEqual(rows(server.run("txn", "list", "--open", "-o", "csv")), [])
        self.assertIn(b"held back     nothing", server.run("status").stdout)
        self.assertNotEqual(producer.send("t", b'{"i":101}'), 0)  # fenced
        self.assertNotEqual(producer.commit(), 0)
        # Its heir goes on.
        heir = raw_kafka.Producer(server.kafka, "nightly")
        self.addCleanup(heir.close)
        self.assertEqual([heir.init(), heir.add("t"), heir.send("t", b'{"i":300}'), heir.commit()], [0, 0, 0, 0])
        self.assertEqual(server.rows("SELECT i FROM t ORDER BY i"), [[0], [1], [2], [200], [300]])

        nothing_open = server.run("txn", "abort", "nightly", "--confirm", "nightly", check=False)
        self.assertEqual(nothing_open.returncode, 1)
        self.assertIn(b"CompleteCommit", nothing_open.stderr)
        self.assertEqual(server.run("txn", "abort", "nobody", "--confirm", "nobody", check=False).returncode, 1)

    def files(self, suffix):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.data) for name in names if name.endswith(suffix)]

    def test_log_verify(self):
        server = self.loaded(1000, partitions=2)
        server.run("batch", "run", "t")
        live = rows(server.run("log", "verify", "-o", "csv"))  # beside a server
        self.assertEqual({row["verdict"] for row in live}, {"ok"})
        self.assertEqual(sum(int(row["records"]) for row in live if row["topic"] == "t"), 1000)
        self.assertEqual(server.stop(), 0)
        before = sorted((path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in self.files(""))
        self.assertEqual({row["verdict"] for row in rows(run("log", "verify", "-o", "csv", data=self.data))}, {"ok"})
        self.assertEqual(sorted((path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in self.files("")), before)
        self.assertEqual(run("log", "verify", "--topic", "nothing", data=self.data, check=False).returncode, 1)
        self.assertIn(b"no data directory", run("log", "verify", data=self.path("elsewhere"), check=False).stderr)

        segment = max((path for path in self.files(".log") if "topics" in path), key=os.path.getsize)
        for path in (segment, self.files(".parquet")[0]):
            with self.subTest(path):
                with open(path, "r+b") as file:
                    whole = file.read()
                    file.seek(0)
                    file.truncate()
                    file.write(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:] if path == segment else whole[:-1])
                damaged = run("log", "verify", data=self.data, check=False)
                self.assertEqual(damaged.returncode, 1)
                self.assertIn(b"DAMAGE: " + path.encode(), damaged.stderr)
                with open(path, "wb") as file:
                    file.write(whole)
                run("log", "verify", data=self.data)

    def test_log_dump(self):
        server = self.loaded(5)
        lines = [json.loads(line) for line in server.run("log", "dump", "t:0", "--records", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual([(line["offset"], line["key"], json.loads(line["value"])) for line in lines],
                         [(i, None, {"i": i}) for i in range(5)])
        first = server.run("log", "dump", "t:0", "-n", "1").stdout.decode()
        self.assertEqual(len(first.splitlines()), 1)
        self.assertTrue(first.startswith("baseOffset: 0 "), first)
        segment = [path for path in self.files(".log") if "topics" in path and os.path.getsize(path) > 0][0]
        self.assertEqual(len(server.run("log", "dump", segment, "--records", "-n", "3").stdout.splitlines()), 3)
        self.assertEqual(server.run("log", "dump", "t:7", check=False).returncode, 1)

    def test_doctor(self):
        done = run("doctor", "--json", data=self.path("new"), check=False)
        found = {each["check"]: each for each in json.loads(done.stdout)}
        self.assertEqual(found["directory"]["health"], "ok")
        self.assertFalse(os.path.exists(self.path("new")))
        server = self.loaded()
        with_server = server.run("doctor", check=False)
        self.assertIn(f"answers at {server.kafka}".encode(), with_server.stdout)
        self.assertFalse(self.files("tmp-doctor"))
        server.stop()
        with open(self.path("file"), "w"):
            pass
        broken = run("doctor", data=self.path("file"), check=False)
        self.assertEqual(broken.returncode, 10)
        self.assertIn("✗ directory".encode(), broken.stdout)
        self.assertIn("→ name another".encode(), broken.stdout)
        self.assertEqual(run("doctor", "--set", "num.partitions=many", data=self.data, check=False).returncode, 10)


if __name__ == "__main__":
    unittest.main()
