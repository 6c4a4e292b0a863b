#!/usr/bin/env python3
"""The command line as a program: what it prints where, and its exit codes."""

import json
import os
import signal
import subprocess
import time
import unittest

import tripos
from tripos import TriposTest, run


class Usage(unittest.TestCase):
    def test_help_has_examples(self):
        for words in ([], ["help"], ["--help"]):
            done = run(*words)
            self.assertIn(b"tripos demo", done.stdout)
            self.assertEqual(done.stderr, b"")
        for command in ("serve", "topic", "topic create", "topic list", "topic describe", "topic delete", "load", "produce", "consume",
                        "sql", "schema", "show", "report", "batch", "batch run", "batch status", "generate", "demo", "version",
                        "completion"):
            done = run(*command.split(), "--help")
            self.assertIn(b"Examples:\n  ", done.stdout, command)
            self.assertEqual(run("help", *command.split()).stdout, done.stdout)

    def test_wrong_usage_ends_with_2_and_a_suggestion(self):
        for words, hint in ((["topics"], b"did you mean 'topic'?"), (["topic", "creat", "x"], b"'create'?"),
                            (["sql", "--outptu", "csv"], b"'--output'?"), (["load"], b"topic is required"),
                            (["topic", "create", "x", "--partitions", "many"], b"partitions")):
            done = run(*words, check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stdout, b"", words)
            self.assertIn(hint, done.stderr, words)

    def test_failure_ends_with_1(self):
        done = run("topic", "list", "--kafka", "127.0.0.1:1", check=False)
        self.assertEqual((done.returncode, done.stderr), (1, b"tripos: nothing listens at 127.0.0.1:1\n"))

    def test_unknown_broker_property_is_refused(self):
        done = run("serve", "--set", "num.partition=3", "--data", "/nonexistent/x", check=False)
        self.assertEqual(done.returncode, 1)

    def test_generate_is_deterministic(self):
        first = run("generate", "--messages", "50", "--seed", "9").stdout
        self.assertEqual(first, run("generate", "--messages", "50", "--seed", "9").stdout)
        self.assertEqual(len(first.splitlines()), 50)
        array = json.loads(run("generate", "--messages", "50", "--seed", "9", "--array").stdout)
        self.assertEqual(array, [json.loads(line) for line in first.splitlines()])

    def test_completion_is_a_script(self):
        script = run("completion", "bash").stdout.decode()
        words = subprocess.run(["bash", "-c", script + "\nCOMP_WORDS=(tripos topic cr); COMP_CWORD=2; _tripos; echo \"${COMPREPLY[@]}\""],
                               capture_output=True, check=True).stdout
        self.assertEqual(words, b"create\n")


class Commands(TriposTest):
    def test_topics_as_kafka_topics_does(self):
        server = self.serve()
        made = server.run("topic", "create", "exams", "--partitions", "2", "--config", "retention.ms=1000")
        self.assertEqual(made.stdout, b"")
        self.assertIn(b"Created topic exams.", made.stderr)
        again = server.run("topic", "create", "exams", check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn(b"TOPIC_ALREADY_EXISTS", again.stderr)
        kafka = server.run("topic", "--create", "--topic", "exams2", "--partitions", "1", "--replication-factor", "1", "--if-not-exists",
                           "--zookeeper", "zookeeper:32181")
        self.assertEqual(kafka.stdout, b"Created topic exams2.\n")
        self.assertIn(b"not needed", kafka.stderr)
        self.assertEqual(server.run("topic", "--create", "--topic", "exams2", "--if-not-exists").stdout, b"")
        self.assertEqual(server.run("topic", "list", "--exclude-internal").stdout, b"exams\nexams2\n")
        lines = server.run("topic", "describe", "exams").stdout.decode().splitlines()
        self.assertRegex(lines[0], r"^Topic: exams\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: retention.ms=1000$")
        self.assertRegex(lines[1], r"^\tTopic: exams\tPartition: 0\tLeader: (\d+)\tReplicas: \1\tIsr: \1\tElr: N/A\tLastKnownElr: N/A$")
        self.assertEqual(server.run("topic", "delete", "exams", check=False).returncode, 1)
        server.run("topic", "delete", "exams", "--dry-run")
        server.run("topic", "delete", "exams", "--confirm", "exams")
        self.assertEqual(server.run("topic", "list", "--exclude-internal").stdout, b"exams2\n")
        self.assertEqual(server.run("topic", "describe", "exams", check=False).returncode, 1)

    def test_produce_and_consume(self):
        server = self.serve()
        server.run("produce", "t", "-K", ":", "-H", "a=b", stdin=b"k1:v1\nk2:v:2\nplain\n")
        out = server.run("consume", "t", "--from-beginning", "--until-end", "-f", "%p %o %k %v %h %K %V\\n").stdout
        self.assertEqual(out, b"0 0 k1 v1 a=b 2 2\n0 1 k2 v:2 a=b 2 3\n0 2  plain a=b -1 5\n")
        self.assertEqual(server.run("consume", "t", "--from-beginning", "--max-messages", "2").stdout, b"v1\nv:2\n")
        self.assertEqual(server.run("consume", "t", "--offset", "-1", "--until-end").stdout, b"plain\n")
        self.assertEqual(server.run("consume", "t", "--offset", "1", "--until-end", "-f", "%o\\x2c").stdout, b"1,2,")
        self.assertEqual(server.run("consume", "t", "--until-end").stdout, b"")
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            server.run("produce", codec, "--compression", codec, stdin=b"x" * 5000 + b"\n")
            self.assertEqual(server.run("consume", codec, "--from-beginning", "--until-end").stdout, b"x" * 5000 + b"\n")

    def test_consume_ends_on_interrupt(self):
        server = self.serve()
        server.run("topic", "create", "t")
        process = subprocess.Popen([tripos.PROGRAM, "consume", "t", "--data", self.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=tripos.ENVIRONMENT)
        time.sleep(0.5)
        server.run("produce", "t", stdin=b"late\n")
        self.assertEqual(process.stdout.readline(), b"late\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130)

    def test_load_takes_arrays_lines_and_stdin(self):
        server = self.serve()
        with open(self.path("array.json"), "w") as file:
            file.write('[ {"a": 1.50, "b": [1, 2]},\n {"a": "x y"} ]')
        with open(self.path("lines.json"), "w") as file:
            file.write('{"a": 3}\n{"a": 4}\n')
        server.run("load", "t", self.path("array.json"), self.path("lines.json"))
        server.run("load", "t", "-", stdin=b'{"a": 5}')
        out = server.run("consume", "t", "--from-beginning", "--until-end").stdout
        self.assertEqual(out, b'{"a":1.50,"b":[1,2]}\n{"a":"x y"}\n{"a":3}\n{"a":4}\n{"a":5}\n')
        broken = server.run("load", "t", "-", stdin=b'{"a": 6}\n{"a": }\n', check=False)
        self.assertEqual(broken.returncode, 1)
        self.assertIn(b"Loaded 2 messages", broken.stderr)
        self.assertEqual(server.run("load", "t", self.path("missing.json"), check=False).returncode, 1)

    def test_without_a_server_commands_work_on_the_directory(self):
        run("topic", "create", "t", data=self.data)
        run("load", "t", "-", stdin=b'{"a": 1} {"a": 2}', data=self.data)
        self.assertEqual(run("consume", "t", "--from-beginning", "--until-end", data=self.data).stdout, b'{"a":1}\n{"a":2}\n')
        self.assertFalse(os.path.exists(os.path.join(self.data, "server.json")))

    def test_a_second_server_is_refused(self):
        self.serve()
        second = run("serve", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", data=self.data, check=False)
        self.assertEqual(second.returncode, 1)

    def test_clean_stop(self):
        server = self.serve()
        server.run("produce", "t", stdin=b"x\n")
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.exists(os.path.join(self.data, "server.json")))


class Questions(TriposTest):
    ROWS = ('{"name": "試験", "n": 1, "x": {"y": 0.5}}\n{"name": "b,\\"c\\"", "n": 22}\n'
            '{"name": null, "n": 3, "x": {"y": 2}}\n').encode()

    def test_forms(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=self.ROWS)
        sql = "SELECT name, n, x FROM t"
        self.assertEqual(server.run("sql", "-o", "show", sql).stdout.decode(),
                         "+-----+---+-----+\n| name|  n|    x|\n+-----+---+-----+\n| 試験|  1|{0.5}|\n|b,\"c\"| 22| NULL|\n"
                         "| NULL|  3|{2.0}|\n+-----+---+-----+\n\n")
        self.assertEqual(server.run("sql", "-o", "csv", sql).stdout.decode(),
                         'name,n,x\r\n試験,1,"{""y"":0.5}"\r\n"b,""c""",22,\r\n,3,"{""y"":2.0}"\r\n')
        lines = [json.loads(line) for line in server.run("sql", "-o", "jsonl", sql).stdout.splitlines()]
        self.assertEqual(lines[1], {"name": 'b,"c"', "n": 22, "x": None})
        answer = json.loads(server.run("sql", "--json", sql).stdout)
        self.assertEqual(answer["columns"][1], {"name": "n", "type": "bigint"})
        self.assertEqual(len(answer["rows"]), 3)
        self.assertIn("as_of", answer)
        self.assertIn(b"(3 rows)", server.run("sql", sql).stdout)
        self.assertEqual(server.run("show", "t", "-n", "1").stdout.decode(),
                         "+---+----+-----+\n|  n|name|    x|\n+---+----+-----+\n|  1|試験|{0.5}|\n+---+----+-----+\n"
                         "only showing top 1 row\n\n")
        self.assertEqual(server.run("schema", "t").stdout.decode(),
                         "root\n |-- n: long (nullable = true)\n |-- name: string (nullable = true)\n |-- x: struct (nullable = true)\n"
                         " |    |-- y: double (nullable = true)\n\n")

    def test_statements_files_and_failures(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=self.ROWS)
        two = server.run("sql", "-o", "csv", stdin=b"SELECT 1 AS a; -- ; here\nSELECT ';' AS b;").stdout
        self.assertEqual(two, b"a\r\n1\r\nb\r\n;\r\n")
        server.run("sql", "--to", self.path("t.parquet"), "SELECT * FROM t")
        with open(self.path("t.parquet"), "rb") as file:
            parquet = file.read()
        self.assertEqual((parquet[:4], parquet[-4:]), (b"PAR1", b"PAR1"))
        failed = server.run("sql", "SELECT * FROM nowhere", check=False)
        self.assertEqual((failed.returncode, failed.stdout), (1, b""))
        self.assertIn(b"nowhere", failed.stderr)
        self.assertEqual(server.run("sql", "--to", self.path("x.parquet"), "SELECT nonsense", check=False).returncode, 1)
        self.assertFalse(os.path.exists(self.path("x.parquet")))

    def test_without_a_server(self):
        run("load", "t", "-", stdin=self.ROWS, data=self.data)
        self.assertEqual(run("sql", "-o", "csv", "SELECT COUNT(*) AS n FROM t", data=self.data).stdout, b"n\r\n3\r\n")

    def test_batch(self):
        server = self.serve()
        server.run("load", "t", "-", stdin=self.ROWS)
        self.assertIn(b"t: wrote 3 rows", server.run("batch", "run").stdout)
        self.assertIn(b"t: no change; Parquet holds 3 rows", server.run("batch", "run", "t").stdout)
        self.assertIn(b"  partition 0: offsets below 3 are in Parquet, from there to 3 in the log", server.run("batch", "status").stdout)
        self.assertEqual(json.loads(server.run("batch", "status", "--json").stdout)["tables"][0]["rows"], 3)
        server.run("load", "t", "-", stdin=b'{"n": 100}')
        self.assertEqual(server.rows("SELECT COUNT(*), SUM(n) FROM t"), [[4, 126]])


if __name__ == "__main__":
    unittest.main()
