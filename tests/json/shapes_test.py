#!/usr/bin/env python3
"""The answer is the same whenever snapshots ran (rules 4): random streams of changing shape, snapshots, kills and rebuilds at random
moments, each answer against the naive model (model.py), and at the end against spark.read.json where Spark is at hand and says the same.

  shapes_test.py [SEED…]      those streams; without: a fixed number of them
"""

import json
import os
import random
import shutil
import subprocess
import sys
import unittest
import urllib.request

import judges
import model
from shapes import Stream
from tripos import TriposTest

SEEDS = 30
STEPS = 14


class Shapes(TriposTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.streams = {}

    def produce(self, topic, messages):
        # One partition: rows come in the order in which they were sent.
        self.server.run("produce", topic, stdin="".join(message + "\n" for message in messages).encode())

    def snapshot(self, topic):
        request = urllib.request.Request(f"http://{self.server.http}/v1/batch?topic={topic}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual(answer.status, 200)

    def check(self, topic, messages, what):
        table = model.Table(messages)
        if table.type is None:
            return
        answer = self.server.sql(f"SELECT * FROM {topic}")
        columns = [(column["name"], column["type"]) for column in answer["columns"]]
        self.assertEqual(columns, table.columns(), f"{what}: columns")
        for number, (found, expected) in enumerate(zip(answer["rows"], table.cells(), strict=True)):
            if not model.same(found, expected):
                for name, one, other in zip(columns, found, expected):
                    self.assertTrue(
                        model.same(one, other), f"{what}: row {number}, column {name[0]} {name[1]}:\n found {one!r}\n model {other!r}"
                    )

    def check_paths(self, topic, messages, chance, what):
        """Some path into the table's structures, alone: only its leaf is read."""
        table = model.Table(messages)
        kind, path, keys = table.type, [], []
        while kind and kind[0] == "struct":
            key = chance.choice(list(kind[1]))
            path.append('`' + model.sql_names(kind[1])[key].replace('`', '``') + '`')
            keys.append(key)
            kind = kind[1][key]
            if chance.random() < 0.3:
                break
        if not path:
            return
        expected = []
        for value in table.rows:
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            expected.append([model.shown(value, kind)])
        found = self.server.rows(f"SELECT {'.'.join(path)} FROM {topic}")
        self.assertTrue(model.same(found, expected), f"{what}: {'.'.join(path)} {model.ddl(kind)}:\n found {found!r}\n model {expected!r}")

    def restart(self, chance, rebuild):
        if chance.random() < 0.5:
            self.server.kill()
        else:
            self.assertEqual(self.server.stop(), 0)
        if rebuild:  # the log is all there is
            topics = os.path.join(self.data, "topics")
            for topic in os.listdir(topics):
                shutil.rmtree(os.path.join(topics, topic, "table"), ignore_errors=True)
        self.server.start()

    def run_stream(self, seed):
        chance = random.Random(seed)
        stream, messages, topic = Stream(chance), [], f"stream_{seed}"
        for step in range(STEPS):
            what = f"seed {seed}, step {step}"
            batch = [stream.message() for _ in range(chance.choice([1, 2, 5, 12]))]
            self.produce(topic, batch)
            messages += batch
            if chance.random() < 0.4:
                self.snapshot(topic)
            if chance.random() < 0.02:
                self.restart(chance, rebuild=chance.random() < 0.5)
            self.check(topic, messages, what)
            if chance.random() < 0.3:
                self.check_paths(topic, messages, chance, what)
        return messages

    def test_answers_are_the_models(self):
        seeds = [int(seed) for seed in os.environ.get("TRIPOS_SEEDS", "").split()] or range(SEEDS)
        streams = {}
        for seed in seeds:
            with self.subTest(seed=seed):
                streams[seed] = self.run_stream(seed)
        self.restart(random.Random(1), rebuild=True)
        for seed, messages in streams.items():
            with self.subTest(seed=seed, rebuilt=True):
                self.check(f"stream_{seed}", messages, f"seed {seed}, rebuilt")
        print(f"seeds {list(seeds)}", file=sys.stderr)

    def test_the_model_is_sparks(self):
        """Types and values of spark.read.json, in the columns where no unlike kinds have met (Spark keeps the text of those as it came)."""
        python = judges.spark()
        if python is None:
            self.skipTest("pyspark is not at hand: TRIPOS_SPARK_PYTHON names an interpreter that has it")
        cases = []
        for seed in range(20):
            stream = Stream(random.Random(1000 + seed))
            stream.wild = stream.duplicates = 0  # of duplicate keys, Spark joins the types of all
            rows = []
            for message in (stream.message() for _ in range(60)):
                try:
                    value = model.parse(message)
                except ValueError:
                    continue
                if isinstance(value, dict) and "\\u" not in message and '""' not in message:
                    rows.append(message)
            cases.append(rows)
        path = self.path("cases.json")
        with open(path, "w") as file:
            json.dump(cases, file)
        done = subprocess.run(
            [python, os.path.join(os.path.dirname(os.path.abspath(__file__)), "spark_reads.py"), path],
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        compared = 0
        for rows, read in zip(cases, json.loads(done.stdout), strict=True):
            table = model.Table(rows)
            for key, kind in (table.type[1] if table.type else {}).items():
                if key not in read["types"] or met_unlike([row.get(key) for row in table.rows]):
                    continue
                self.assertEqual(model.ddl(kind).replace("`", ""), read["types"][key].replace("`", ""), f"{key} of {rows}")
                for row, cells in zip(table.rows, read["rows"], strict=True):
                    ours, theirs = as_spark(row.get(key), kind), one_zero(cells.get(key))
                    self.assertTrue(model.same(ours, theirs), f"{key} {kind}: ours {ours!r}, Spark's {theirs!r} of {rows}")
                    compared += 1
        self.assertGreater(compared, 1000)


def met_unlike(values):
    """Somewhere in these values of one field, a string shows what is none; or keys differ by case only, which Spark's names don't."""
    present = [value for value in values if value is not None]
    if all(isinstance(value, list) for value in present):
        return bool(present) and met_unlike([each for value in present for each in value])
    if all(isinstance(value, dict) for value in present):
        keys = {key for value in present for key in value}
        unlike_names = len({key.lower() for key in keys}) < len(keys) or "" in keys
        return unlike_names or any(met_unlike([value.get(key) for value in present]) for key in keys)
    return model.join_all(map(model.type_of, present)) == model.STRING and not all(type(value) is str for value in present)


def as_spark(value, kind):
    """As toJSON: fields that are null are left out, decimals are numbers."""
    if kind[0] == "struct" and value is not None:
        return {key: as_spark(value[key], each) for key, each in kind[1].items() if value.get(key) is not None}
    if kind[0] == "array" and value is not None:
        return [as_spark(each, kind[1]) for each in value]
    return int(value) if kind[0] == "decimal" and value is not None else model.shown(value, kind)


def one_zero(value):
    """Spark keeps the sign of -0.0."""
    if isinstance(value, list):
        return [one_zero(each) for each in value]
    if isinstance(value, dict):
        return {key: one_zero(each) for key, each in value.items()}
    return value + 0.0 if type(value) is float else value


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ["TRIPOS_SEEDS"] = " ".join(sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
