"""System calls that fail under the real program, a wall clock that jumps, too few file descriptors (faulty_calls.cc is preloaded). What is
wrong is told, with the file; what was acknowledged stays; when the fault is over, the same command works."""

import contextlib
import json
import os
import socket
import time
import unittest

import raw_kafka
import tripos

FAULTY_CALLS = os.environ.get("TRIPOS_FAULTY_CALLS")
EIO = 5
TORN = 0
HOUR = 3600


def lines_of(numbers):
    return "".join(json.dumps({"i": i}) + "\n" for i in numbers).encode()


@unittest.skipUnless(FAULTY_CALLS, "TRIPOS_FAULTY_CALLS names no library to preload (sanitizers want to be first)")
class FaultyCallsTest(tripos.TriposTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve(*self.settings, environment={"LD_PRELOAD": FAULTY_CALLS, "TRIPOS_FAULTS": self.path("rules")})

    settings = ()

    @contextlib.contextmanager
    def rules(self, *lines):
        self.set_rules(*lines)
        try:
            yield
        finally:
            self.set_rules()

    def set_rules(self, *lines):
        with open(self.path("rules.new"), "w", encoding="ascii") as file:
            file.write("\n".join(lines))
        os.rename(self.path("rules.new"), self.path("rules"))

    def told(self):
        with open(self.data + ".log", encoding="utf-8", errors="replace") as log:
            return log.read()

    def numbers(self):
        return [row[0] for row in self.server.rows("SELECT i FROM t ORDER BY i")]

    def restart(self):
        self.server.stop()
        self.server.start()


class Disk(FaultyCallsTest):
    def produced_under(self, rule):
        self.server.run("produce", "t", stdin=lines_of(range(100)))
        with self.rules(rule):
            refused = self.server.run("produce", "t", stdin=lines_of([100]), check=False)
            self.assertEqual(refused.returncode, 1, "a record was acknowledged that was not written")
        return refused

    def test_a_write_to_the_log_that_fails_or_is_torn(self):
        for error in (EIO, TORN):
            with self.subTest(error):
                self.produced_under(f"fail write {error} /0/00000000000000000000.log")
                self.assertIn("/0/00000000000000000000.log", self.told())
                self.assertIn("Input/output error", self.told())
                # The same server takes the next record, and nothing of the one before is seen.
                known = self.numbers()
                self.assertEqual(set(known), set(range(100)))
                self.server.run("produce", "t", stdin=lines_of([101]))
                self.assertEqual(set(self.numbers()), {*range(100), 101})
                self.restart()
                self.assertEqual(set(self.numbers()), {*range(100), 101})
                self.server.run("topic", "delete", "t", "--confirm", "t", check=False)
                self.server.run("topic", "delete", "t", check=False)

    def test_a_sync_that_fails_ends_the_server(self):
        self.produced_under(f"fail sync {EIO} {self.data}")
        self.assertEqual(self.server.process.wait(timeout=30), 1)
        self.assertIn("sync", self.told())
        self.assertIn(self.data, self.told())
        self.assertIn("Input/output error", self.told())
        self.server.close()
        self.server.start()
        # The record that was not acknowledged may be there or not, whole; those that were are.
        self.assertIn(self.numbers(), [list(range(100)), list(range(101))])
        self.server.run("produce", "t", stdin=lines_of([200]))
        self.assertIn(200, self.numbers())

    def test_reads_of_the_log_that_fail(self):
        self.server.run("produce", "t", stdin=lines_of(range(100)))
        with self.rules(f"fail read {EIO} .log"):
            refused = self.server.run("consume", "t", "--from-beginning", "--until-end", check=False, timeout=60)
            self.assertEqual(refused.returncode, 1)
            self.assertTrue(refused.stderr)
        read = self.server.run("consume", "t", "--from-beginning", "--until-end").stdout
        self.assertEqual(read, lines_of(range(100)))

    def test_a_snapshot_that_can_not_be_written(self):
        self.server.run("produce", "t", stdin=lines_of(range(1000)))
        for rule in (f"fail write {EIO} .parquet", f"fail sync {EIO} .parquet", f"fail rename {EIO} .parquet",
                     f"fail link {EIO} manifest-", f"fail write {EIO} /table/tmp-"):
            with self.subTest(rule):
                with self.rules(rule):
                    refused = self.server.run("batch", "run", "t", check=False)
                    self.assertEqual(refused.returncode, 1, refused)
                    self.assertIn(b"Input/output error", refused.stderr)
                    self.assertIn(b"/table/", refused.stderr)
                    self.assertEqual(self.numbers(), list(range(1000)))
                self.assertIsNone(self.server.process.poll())
        self.server.run("batch", "run", "t")
        self.assertEqual(self.numbers(), list(range(1000)))
        self.restart()
        self.assertEqual(self.numbers(), list(range(1000)))
        left = [name for _, _, names in os.walk(self.data) for name in names if name.startswith("tmp-")]
        self.assertEqual(left, [])

    def test_a_parquet_file_that_can_not_be_read(self):
        self.server.run("produce", "t", stdin=lines_of(range(1000)))
        self.server.run("batch", "run", "t")
        statement = "SELECT sum(i) FROM t"
        with self.rules(f"fail read {EIO} .parquet"):
            refused = self.server.run("sql", statement, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(b".parquet", refused.stderr)
        self.assertEqual(self.server.rows(statement), [[499_500]])


class ClockJumps(FaultyCallsTest):
    settings = ("--set", "log.retention.check.interval.ms=200", "--set", "log.retention.ms=1800000", "--set", "log.segment.bytes=100000")

    def send_in_transaction(self, producer, value):
        self.assertEqual((producer.add("t"), producer.send("t", value)), (0, 0))

    def test_jumps_both_ways(self):
        self.server.run("produce", "t", stdin=lines_of(range(100)))
        open_one = raw_kafka.Producer(self.server.kafka, "over-the-jump")
        self.assertEqual(open_one.init(timeout_ms=60_000), 0)
        self.send_in_transaction(open_one, b'{"i":1000}')
        for number, jump in enumerate((-HOUR, HOUR, -HOUR, 0)):
            self.set_rules(f"clock {jump}")
            # Timers go on: a fetch that waits for nothing ends, workers answer, groups and transactions are not timed out.
            self.server.run("produce", "t", stdin=lines_of([200 + number]))
            read = self.server.run("consume", "t", "--offset", "-1", "--until-end", "--partition", "0", check=False, timeout=60)
            self.assertEqual(read.returncode, 0, read.stderr)
            self.assertTrue(set(range(100)) <= set(self.numbers()))
        self.send_in_transaction(open_one, b'{"i":1001}')
        self.assertEqual(open_one.commit(), 0, "an hour's jump of the clock has aborted a transaction")
        open_one.close()
        self.assertEqual(set(self.numbers()), {*range(100), *range(200, 204), 1000, 1001})
        self.restart()
        self.assertEqual(set(self.numbers()), {*range(100), *range(200, 204), 1000, 1001})

    def test_what_retention_takes_early_stays_in_the_table(self):
        for begin in range(0, 1000, 50):
            messages = "".join(json.dumps({"i": i, "fill": "x" * 900}) + "\n" for i in range(begin, begin + 50)).encode()
            self.server.run("produce", "t", stdin=messages)
        self.set_rules(f"clock {HOUR}")
        for _ in range(300):  # retention goes by the wall clock, as Kafka's does
            if self.server.rows("SELECT count(*) FROM t_messages")[0][0] < 1000:
                break
            time.sleep(0.1)
        else:
            self.fail("retention did not follow the clock")
        self.set_rules()
        self.assertEqual(self.numbers(), list(range(1000)))
        self.server.run("produce", "t", stdin=lines_of([2000]))
        self.restart()
        self.assertEqual(self.numbers(), [*range(1000), 2000])


class FewFiles(tripos.TriposTest):
    def test_connections_up_to_the_limit_of_open_files(self):
        server = self.serve(files_max=64)
        server.run("produce", "t", stdin=lines_of(range(100)))
        address = server.kafka.rsplit(":", 1)
        crowd = []
        for _ in range(80):
            with contextlib.suppress(OSError):
                crowd.append(socket.create_connection((address[0], int(address[1])), timeout=1))
        self.assertIsNone(server.process.poll(), "too many connections have ended the server")
        for _ in range(100):  # until the server has taken what it can
            with open(self.data + ".log", encoding="utf-8") as log:
                told = log.read()
            if told:
                break
            time.sleep(0.1)
        self.assertIn("Too many open files", told)
        for each in crowd:
            each.close()
        for _ in range(100):  # until the server has seen them go
            done = server.run("produce", "t", stdin=lines_of([100]), check=False)
            if done.returncode == 0:
                break
            time.sleep(0.1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(server.rows("SELECT count(DISTINCT i) FROM t"), [[101]])

    def test_more_partitions_than_files(self):
        server = self.serve(files_max=64)
        server.run("topic", "create", "wide", "--partitions", "100")
        server.run("produce", "few", stdin=lines_of(range(10)))
        refused = b""
        accepted = 0
        for partition in range(100):
            done = server.run("produce", "wide", "--partition", str(partition), stdin=lines_of([partition]), check=False)
            if done.returncode == 0:
                accepted += 1
            else:
                refused = done.stderr
        self.assertIsNone(server.process.poll(), "too many partitions have ended the server")
        self.assertTrue(refused, "64 files were enough for 100 partitions")
        with open(self.data + ".log", encoding="utf-8") as log:
            self.assertIn("Too many open files", log.read())
        server.stop()
        # With a higher limit all that was acknowledged is there.
        self.servers.clear()
        server = self.serve()
        self.assertEqual(server.rows("SELECT count(*) FROM wide"), [[accepted]])
        self.assertEqual(server.rows("SELECT count(*) FROM few"), [[10]])


if __name__ == "__main__":
    unittest.main()
