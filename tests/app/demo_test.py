#!/usr/bin/env python3
"""The main job on generated attempts, judged by a computation of its own; and on the firm's file where it is at hand."""

import glob
import json
import os
import re
import unittest
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

from tripos import TriposTest, run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def tables_of(output):
    """The tables that a demo printed, each as its rows of cells, by the command above it."""
    tables = []
    for block in re.split(r"^\$ ", output, flags=re.M)[1:]:
        command, _, answer = block.partition("\n")
        lines = [line for line in answer.splitlines() if line.startswith("|")]
        tables.append((command, [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]))
    return tables


def table_after(output, part):
    for command, rows in tables_of(output):
        if part in command:
            return rows[1:]
    raise AssertionError(f"no command with {part}")


def shortened(name):
    return name if len(name) <= 20 else name[:17] + "..."


def rounded(all_true, not_all_true):
    return Decimal(all_true) / Decimal(all_true + not_all_true)


def two_places(value):
    return str(float(value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)))


class Expected:
    def __init__(self, messages):
        self.count = len(messages)
        self.popularity = Counter(message["exam_name"] for message in messages)
        self.kinds = defaultdict(lambda: [0, 0])
        for message in messages:
            counts = message["sequences"].get("counts")
            if counts:
                self.kinds[message["exam_name"]][0 if counts["all_correct"] else 1] += 1

    def corrected(self):
        """exam -> (all true, not all true, proficiency): 1 or 0 where all attempts are of one kind."""
        return {name: (a, b, two_places(rounded(a, b)) if a + b else "NULL") for name, (a, b) in self.kinds.items()}


class Demo(TriposTest):
    def check_demo(self, messages, *arguments):
        output = run("demo", "--no-wait", "--data", self.data, *arguments).stdout.decode()
        expected = Expected(messages)
        self.assertIn(f"Loaded {expected.count:,} messages", output)
        self.assertEqual(table_after(output, "COUNT(*) FROM exams_messages"), [[str(expected.count)]])
        self.assertEqual(table_after(output, "COUNT(exam_name) FROM exams\""), [[str(expected.count)]])
        self.assertEqual(table_after(output, "COUNT(DISTINCT exams.exam_name)"), [[str(len(expected.popularity))]])
        counts = [int(row[1]) for row in table_after(output, "exam_count DESC")]
        self.assertEqual(counts, sorted(expected.popularity.values(), reverse=True)[:20])
        counts = [int(row[1]) for row in table_after(output, "exam_count ASC LIMIT 10")]
        self.assertEqual(counts, sorted(expected.popularity.values())[:10])
        by_proficiency = [row[3] for row in table_after(output, "ORDER BY Proficiency DESC")]
        both = sorted((rounded(a, b) for a, b in expected.kinds.values() if a and b), reverse=True)
        self.assertEqual(by_proficiency, ([two_places(value) for value in both] + ["NULL"] * 20)[:20])
        by_all_true = [row[1] for row in table_after(output, "ORDER BY t1.All_True DESC")]
        self.assertEqual(by_all_true, [str(a) for a in sorted((a for a, b in expected.kinds.values() if a), reverse=True)[:20]])
        truth = {shortened(name): values for name, values in expected.corrected().items()}
        for name, all_true, not_all_true, proficiency in table_after(output, "tripos report proficiency"):
            if list(map(shortened, expected.kinds)).count(name) == 1:
                self.assertEqual((int(all_true), int(not_all_true), proficiency), truth[name], name)
        self.assertIn(" |-- sequences: struct (nullable = true)\n", output)
        self.assertIn("of sequences.counts: incomplete, submitted, incorrect, all_correct, correct, total, unanswered", output)
        self.assertTrue(os.path.getsize(os.path.join(self.data, "demo", "exams_table.parquet")) > 0)
        return output

    def test_generated(self):
        messages = [json.loads(line) for line in run("generate", "--messages", "1200", "--seed", "11").stdout.splitlines()]
        self.check_demo(messages, "--messages", "1200", "--seed", "11")
        # What is in the directory stays, and answers without a server.
        attempts = len({message["keen_id"] for message in messages})
        counted = run("report", "counts", "--by", "attempts", "-o", "csv", data=self.data).stdout.decode().splitlines()
        self.assertEqual(counted[1].split(",")[0], str(attempts))
        report = run("report", "proficiency", "-o", "csv", data=self.data).stdout.decode()
        told = {}
        for line in report.splitlines()[1:]:
            name, all_true, not_all_true, proficiency = line.rsplit(",", 3)
            told[name.strip('"')] = (int(all_true), int(not_all_true), str(float(proficiency)) if proficiency else "NULL")
        self.assertEqual(told, Expected(messages).corrected())

    def test_the_firms_file(self):
        places = [os.environ.get("TRIPOS_ATTEMPTS_FILE", "")] + glob.glob(os.path.join(ROOT, "..", "shared", "data", "attempts", "*.json"))
        files = [place for place in places if place and os.path.exists(place)]
        if not files:
            self.skipTest("the firm's file is not at hand: TRIPOS_ATTEMPTS_FILE says where it is")
        with open(files[0], encoding="utf-8") as file:
            messages = json.load(file)
        output = self.check_demo(messages, "--file", files[0])
        self.assertEqual(table_after(output, "COUNT(*) FROM exams_messages"), [["3280"]])
        self.assertEqual(table_after(output, "COUNT(DISTINCT exams.exam_name)"), [["103"]])
        self.assertEqual(table_after(output, "exam_count DESC")[0], ["Learning Git", "394"])
        self.assertEqual(table_after(output, "ORDER BY t1.All_True DESC")[0], ["Learning Git", "130", "264", "0.33"])
        quality = json.loads(run("quality", "-o", "json", data=self.data).stdout)
        told = {"messages": 3280, "distinct": 3242, "surplus_messages": 38, "without_counts": 5, "names_with_several_ids": 4, "rejected": 0}
        self.assertEqual({name: quality[name] for name in told}, told)


if __name__ == "__main__":
    unittest.main()
