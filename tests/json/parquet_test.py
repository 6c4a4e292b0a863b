#!/usr/bin/env python3
"""Parquet files of snapshots, read by readers that are not ours: pyarrow, and Spark where it is at hand. Types and values are those that
`tripos sql` shows. Skipped (77) where there is no pyarrow and pip gets none."""

import glob
import json
import os
import random
import subprocess
import sys
import unittest

import judges
import model
from shapes import Stream
from tripos import TriposTest, run

PYARROW = judges.pyarrow()
SPARK = judges.spark()
RECORD = [["__tripos_partition", "int"], ["__tripos_offset", "bigint"], ["__tripos_timestamp", "timestamp"], ["__tripos_key", "binary"]]

ODD = [
    '{"id":1,"a":[],"o":{},"n":null,"deep":{"x":{"y":[{"z":1.5}]}}}',
    '{"id":-9223372036854775808,"a":[1,null,3],"o":{"k":"v"},"big":123456789012345678901234567890,"deep":{"x":null}}',
    '{"id":9223372036854775807,"a":null,"big":-1,"real":1.10,"mixed":[1,"1",{"b":true}],"text":"\\u0000é😀\\n"}',
    '{"real":1e400,"mixed":[],"A":1,"deep":{"x":{"y":[]}},"flag":true,"select":"from","a.b":{"c d":1},"q\\"t":1}',
    '{"real":-200,"text":"","flag":false,"deep":{"x":{"y":[null,{"z":null},{}]}},"wide":1}',
    '{"wide":2.5,"never":null}',
]


class Parquet(TriposTest):
    def read(self, reader, paths):
        python = {"pyarrow": PYARROW, "spark": SPARK}[reader]
        if python is None:
            self.skipTest("pyspark is not at hand: TRIPOS_SPARK_PYTHON names an interpreter that has it")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reads_parquet.py")
        done = subprocess.run([python, script, reader, *paths], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return json.loads(done.stdout)

    def files(self):
        return sorted(glob.glob(os.path.join(self.data, "topics", "*", "table", "*.parquet")))

    def compare(self, read, answer, path):
        """One file with the answer for its rows. A column of nulls only is not in the file; one without known fields not in the answer."""
        in_file = {name: (kind, place) for place, (name, kind) in enumerate(read["types"])}
        self.assertEqual(read["types"][:4], RECORD, path)
        self.assertEqual(len(read["rows"]), len(answer["rows"]), path)
        for place, column in enumerate(answer["columns"]):
            name, kind = column["name"], column["type"]
            cells = [row[place] for row in answer["rows"]]
            if name not in in_file:
                self.assertEqual((kind, [cell for cell in cells if cell is not None]), ("string", []), name)
                continue
            self.assertEqual(in_file[name][0], kind.replace("`", ""), name)
            for found, expected in zip((row[in_file[name][1]] for row in read["rows"]), cells):
                self.assertTrue(model.same(found, expected), f"{name} {kind}: the reader has {found!r}, tripos sql {expected!r}")

    def check_topics(self, reader):
        server = self.serve()
        server.run("load", "attempts", "-", stdin=run("generate", "--messages", "500", "--seed", "5").stdout)
        server.run("produce", "odd", stdin="\n".join(ODD).encode())
        for seed in range(4):
            stream = Stream(random.Random(70 + seed))
            server.run("produce", f"stream{seed}", stdin="\n".join(stream.message() for _ in range(200)).encode())
        topics = ["attempts", "odd"] + [f"stream{seed}" for seed in range(4)]
        answers = {}
        for topic in topics:
            before = set(self.files())
            server.run("batch", "run", topic)
            answers.update((path, server.sql(f"SELECT * FROM {topic}")) for path in set(self.files()) - before)
        self.assertEqual(len(answers), len(topics))
        # Files of one table with different schemas: each as the table was when it was written.
        for message in ODD:
            server.run("produce", "growing", stdin=message.encode())
            before, end = set(self.files()), server.rows("SELECT max(__tripos_offset) FROM growing")[0][0]
            server.run("batch", "run", "growing")
            answers.update(
                (path, server.sql(f"SELECT * FROM growing WHERE __tripos_offset = {end}")) for path in set(self.files()) - before
            )
        self.assertEqual(len(answers), len(topics) + len(ODD))
        for path, read in zip(answers, self.read(reader, list(answers)), strict=True):
            with self.subTest(path=os.path.basename(path), types=str(read["types"])[:200]):
                self.compare(read, answers[path], path)

    def test_pyarrow_reads_what_sql_shows(self):
        self.check_topics("pyarrow")

    def test_spark_reads_what_sql_shows(self):
        self.check_topics("spark")

    def test_answers_saved_as_parquet(self):
        server = self.serve()
        server.run("produce", "odd", stdin="\n".join(ODD).encode())
        path = self.path("answer.parquet")
        statement = "SELECT id, real, real * 2 AS twice, text, deep.x.y, flag, a, CAST(id AS STRING) AS s FROM odd"
        server.run("sql", "--to", path, statement)
        answer = server.sql(statement)
        [read] = self.read("pyarrow", [path])
        self.assertEqual(read["types"], [[column["name"], column["type"].replace("`", "")] for column in answer["columns"]])
        for found, expected in zip(read["rows"], answer["rows"], strict=True):
            self.assertTrue(model.same(found, expected), f"{found} {expected}")


if __name__ == "__main__":
    if PYARROW is None:
        print("skipped: pyarrow is not installed, and pip could not get it", file=sys.stderr)
        sys.exit(77)
    unittest.main()
