#!/usr/bin/env python3
"""What statements may and may not: memory, time, files; plans; tables of compacted topics. A refusal costs its statement, nothing else."""

import json
import os
import unittest
import urllib.error

from tripos import TriposTest, run

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.id + b.id = 7"


class Limits(TriposTest):
    def configured(self, sql):
        path = self.path("tripos.toml")
        with open(path, "w") as file:
            file.write("[sql]\n" + sql)
        return self.serve("--config", path)

    def refused(self, server, statement, **parameters):
        """(code, message) of the error."""
        with self.assertRaises(urllib.error.HTTPError) as caught:
            server.sql(statement, **parameters)
        with caught.exception as answer:
            error = json.load(answer)["error"]
        return error["code"], error["message"]

    def test_a_worker_has_so_much_memory_and_no_more(self):
        server = self.configured("worker_memory_mb = 300\n")
        server.run("produce", "t", stdin=b"".join(b'{"i":%d,"s":"%d"}\n' % (i, i) for i in range(1000)))
        for statement in (
            "SELECT length(repeat('z', 2000000000))",
            "SELECT sum(length(repeat(s, 100000000))) FROM t",
            "SELECT size(collect_list(repeat(a.s, 10000))) FROM t a CROSS JOIN t b",
        ):
            code, message = self.refused(server, statement)
            self.assertIn(code, ("too_large", "unavailable"), message)
            self.assertIn("memory", message.lower())
            self.assertEqual(server.rows("SELECT count(*), sum(i) FROM t"), [[1000, 499_500]])
        with open(f"/proc/{server.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        self.assertLess(peak, 200_000, "KB of the server, whatever its workers do")

    def test_a_statement_has_so_much_time_and_no_more(self):
        server = self.configured("statement_seconds = 1\n")
        server.run("produce", "t", stdin=b'{"a":1}\n')
        code, message = self.refused(server, ENDLESS)
        self.assertEqual(code, "timed_out")
        self.assertIn("longer than its time limit", message)
        self.assertEqual(server.rows("SELECT a FROM t"), [[1]])

    def test_limits_that_are_none_are_refused(self):
        for text, message in [
            ("worker_memory_mb = 1", "'worker_memory_mb' in [sql] must be a whole number from 64"),
            ("statement_seconds = 0", "'statement_seconds' in [sql] must be a whole number from 1"),
            ('statement_seconds = "long"', "must be a whole number"),
            ("seconds = 1", "unknown key 'seconds' in [sql]"),
        ]:
            with open(self.path("tripos.toml"), "w") as file:
                file.write("[sql]\n" + text + "\n")
            done = run("sql", "SELECT 1", "--config", self.path("tripos.toml"), data=self.data, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(message, done.stderr.decode())

    def test_explain_runs_nothing(self):
        server = self.configured("statement_seconds = 20\n")
        server.run("produce", "t", stdin=b'{"a":1,"o":{"x":1}}\n')
        for where in ("live", "in Parquet"):
            with self.subTest(where=where):
                plan = server.sql("EXPLAIN SELECT o.x, count(*) FROM t GROUP BY o.x")
                self.assertEqual([column["name"] for column in plan["columns"]], ["plan"])
                self.assertIn("TRIPOS_SCAN" if where == "live" else "PARQUET", json.dumps(plan["rows"]).upper())
            server.run("batch", "run")
        self.assertGreater(len(server.rows(f"EXPLAIN {ENDLESS}")), 0)
        for statement in (
            "EXPLAIN CREATE VIEW v AS SELECT 1",
            "EXPLAIN DROP VIEW v",
            "EXPLAIN SELECT nothing FROM t",
            "EXPLAIN COPY t TO 'x'",
            "EXPLAIN EXPLAIN SELECT 1",
            "EXPLAIN SELECT * FROM '/etc/passwd'",
        ):
            self.assertIn(self.refused(server, statement)[0], ("query", "permission", "unsupported", "not_found", "malformed"), statement)
        self.assertEqual(server.rows("SHOW VIEWS"), [])

    def test_a_compacted_topic_shows_the_last_value_of_each_key(self):
        server = self.serve()
        server.run("topic", "create", "accounts", "--partitions", "2", "--config", "cleanup.policy=compact")

        def produce(text):
            server.run("produce", "accounts", "--key-delimiter", "=", "--empty-is-null", stdin=text.encode())

        def table():
            return sorted(server.rows("SELECT name, balance FROM accounts"), key=str)

        produce('a={"name":"Ann","balance":1}\nb={"name":"Bob","balance":2}\nc={"name":"Cy","balance":3}\n')
        self.assertEqual(table(), [["Ann", 1], ["Bob", 2], ["Cy", 3]])
        produce('a={"name":"Ann","balance":10}\nb=\n')  # b: a tombstone
        expected = [["Ann", 10], ["Cy", 3]]
        self.assertEqual(table(), expected)
        self.assertIn("compact", server.run("batch", "run", "accounts").stdout.decode())  # it stays in the log
        self.assertEqual(table(), expected)
        server.kill()
        server.start()
        self.assertEqual(table(), expected)
        self.assertEqual(server.rows("SELECT count(*) FROM accounts_messages"), [[5]])
        # A value that is no row hides the one before it, as any last value does; and a key may come back.
        produce('c=not JSON\nb={"name":"Bob","balance":7.5}\n')
        self.assertEqual(table(), [["Ann", 10.0], ["Bob", 7.5]])
        self.assertEqual(
            server.rows("SELECT CAST(key AS STRING), reason FROM accounts_rejected"), [["c", "neither true, false nor null at byte 0"]]
        )
        self.assertEqual(server.rows("SELECT sum(balance), count(*) FROM accounts"), [[17.5, 2]])

    def test_files_that_the_operator_allows(self):
        allowed, other = self.path("allowed"), self.path("other")
        for directory in (allowed, other, os.path.join(allowed, "deeper"), allowed + "_too"):
            os.mkdir(directory)
            with open(os.path.join(directory, "f.csv"), "w") as file:
                file.write("a,b\n1,x\n2,y\n")
            with open(os.path.join(directory, "f.json"), "w") as file:
                file.write('{"a":1,"b":"x"}\n{"a":2.5}\n')
        os.symlink(os.path.join(other, "f.csv"), os.path.join(allowed, "link.csv"))
        server = self.serve("--allow-files", allowed)
        server.run("produce", "t", stdin=b'{"a":1,"b":{"c":"z"}}\n')
        server.run("sql", "--to", os.path.join(allowed, "t.parquet"), "SELECT a, b, timestamp FROM t, t_messages")
        self.assertEqual(server.rows(f"SELECT a, b FROM '{allowed}/f.csv' ORDER BY a"), [[1, "x"], [2, "y"]])
        self.assertEqual(server.rows(f"SELECT sum(a) FROM '{allowed}/deeper/f.csv'"), [[3]])
        self.assertEqual(server.rows(f"SELECT a, b FROM '{allowed}/f.json' ORDER BY a"), [[1.0, "x"], [2.5, None]])
        self.assertEqual(server.rows(f"SELECT a, b.c, year(timestamp) > 2000 FROM parquet.`{allowed}/t.parquet`"), [[1, "z", True]])
        server.sql(f"CREATE VIEW saved AS SELECT * FROM '{allowed}/t.parquet'")
        saved = server.sql("SELECT * FROM saved")
        self.assertEqual([column["type"] for column in saved["columns"]], ["bigint", "struct<c:string>", "timestamp"])
        for path in (
            f"{other}/f.csv",
            f"{allowed}/link.csv",
            f"{allowed}/../other/f.csv",
            f"{allowed}_too/f.csv",
            "/etc/passwd",
            "/proc/self/environ",
            os.path.join(self.data, "server.json"),
            f"{allowed}/missing.csv",
            "f.csv",
            "",
        ):
            for statement in (f"SELECT * FROM '{path}'", f"SELECT * FROM csv.`{path}`", f"CREATE VIEW w AS SELECT * FROM '{path}'"):
                code, message = self.refused(server, statement)
                self.assertIn(code, ("permission", "not_found", "query"), f"{statement}: {message}")
                self.assertNotIn("root:", message)
        for statement in (
            f"SELECT * FROM read_csv('{other}/f.csv')",
            f"SELECT * FROM read_text('{allowed}/f.csv')",
            f"SELECT * FROM glob('{other}/*')",
            f"COPY t TO '{allowed}/out.csv'",
            f"ATTACH '{allowed}/x.db'",
            "INSTALL httpfs",
            "SET threads = 64",
            f"SELECT * FROM '{allowed}/*.csv'",
        ):
            self.refused(server, statement)
        self.assertEqual(sorted(os.listdir(allowed)), ["deeper", "f.csv", "f.json", "link.csv", "t.parquet"])
        # The operator takes it back: the view is there, and says why it can't be asked.
        server.stop()
        server.arguments = ()
        server.start()
        self.assertEqual(self.refused(server, "SELECT * FROM saved")[0], "permission")


if __name__ == "__main__":
    unittest.main()
