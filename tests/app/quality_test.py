#!/usr/bin/env python3
"""tripos quality: what is planted is found, nothing else, and every statement that it prints shows the rows that it counted."""

import copy
import csv
import io
import json
import unittest
from collections import Counter

from attempts import attempt, epoch, kinds_of, leaves, lines, quality, the_firms_file, without_counts
from tripos import TriposTest

ALL_RIGHT = ("x..", "xx.", ".x")


def plain(count):
    answers = (ALL_RIGHT, ("x..", "x..", "..") , (".x.", "xx.", "x."), ("...", ".x.", ".x"))
    return [attempt(number, answers[number % 4], exam=("Optics", "Algebra", "Logic")[number % 3]) for number in range(count)]


def with_faults():
    """Messages with one of every fault, or a few."""
    messages = plain(40)
    messages.append(copy.deepcopy(messages[3]))
    messages.append(copy.deepcopy(messages[3]))
    messages.append(copy.deepcopy(messages[7]))
    differing = copy.deepcopy(messages[9])
    differing["certification"] = None
    messages.append(differing)
    messages.append(without_counts(attempt(50, ALL_RIGHT)))
    for number, change in enumerate((
            lambda m: m["sequences"]["questions"][0].update(user_result="incorrect"),
            lambda m: m["sequences"]["questions"][1].update(user_correct=False),
            lambda m: m["sequences"]["questions"][1].update(user_incomplete=True),
            lambda m: m["sequences"]["questions"][2].update(user_submitted=False),
            lambda m: m["sequences"]["counts"].update(correct=2),
            lambda m: m["sequences"]["counts"].update(incomplete=1),
            lambda m: m["sequences"]["counts"].update(incorrect=1),
            lambda m: m["sequences"]["counts"].update(unanswered=1),
            lambda m: m["sequences"]["counts"].update(submitted=4),
            lambda m: m["sequences"]["counts"].update(total=4),
            lambda m: m["sequences"]["counts"].update(all_correct=False))):
        wrong = attempt(60 + number, ALL_RIGHT)
        change(wrong)
        messages.append(wrong)
    messages.append(attempt(80, ("...", "xx.", ".x"), key=("...", "xx.", ".x")))
    messages.append(attempt(81, ALL_RIGHT, took=-5))
    messages.append(attempt(82, ALL_RIGHT, took=90000))
    messages.append(attempt(83, ALL_RIGHT, started_at="yesterday"))
    messages.append(attempt(84, ALL_RIGHT, keen_timestamp="soon"))
    messages.append(attempt(85, ALL_RIGHT, base_exam_id="another id of Optics"))
    messages.append(attempt(86, ALL_RIGHT, exam_name="Optics, renamed"))
    messages.append(attempt(87, ALL_RIGHT, user_exam_id="sitting 1"))
    messages.append(attempt(1, ALL_RIGHT, keen_id="keen 88", user_exam_id="sitting 88"))
    early = attempt(89, ALL_RIGHT)
    early["sequences"]["questions"][0]["options"][0]["at"] = "2021-01-01T00:00:00.000Z"
    messages.append(early)
    return messages


class Quality(TriposTest):
    def check(self, server, messages, table="exams"):
        """What quality says of messages, compared with a computation of its own; and its statements, run."""
        expected, disagreeing = quality(messages)
        told = json.loads(server.run("quality", table, "-o", "json").stdout)
        self.assertEqual({name: told[name] for name in expected}, expected)
        self.assertEqual(told["marks_disagreeing_at"], [{"partition": 0, "offset": offset} for offset in disagreeing[:20]])
        self.assertEqual(told["as_of"]["tables"][0]["partitions"][0]["end"], len(messages))
        values = sum((leaves(message, "", Counter()) for message in messages), Counter())
        for line in told["lines"]:
            self.assertEqual(line["lacking"] is None, line["statement"] is not None, line)
            if line["check"] == "nulls":
                self.assertEqual(line["of"] - line["count"], values[line["field"]], line)
            if line["statement"]:
                counted = server.rows(f"SELECT COUNT(*) FROM ({line['statement']}) AS pasted")
                self.assertEqual(counted, [[line["count"]]], line)
        self.assertEqual({line["field"] for line in told["lines"] if line["check"] == "nulls"} - set(values), set())
        kinds = Counter(kind for message in messages for kind in kinds_of(message))
        self.assertEqual({(line["field"], line["type"]): line["count"] for line in told["lines"] if line["check"] == "kinds"}, dict(kinds))
        return told

    def test_fields_may_have_the_names_of_what_is_computed(self):
        server = self.serve()
        messages = with_faults()
        for message in messages:
            message.update({"start_time": 1, "end_time": "x", "marked": "y", "first_touch": 2, "last_touch": 3, "message_time": 4})
            message.update({"copy": 5, "content": 6, "identity_1": 7, "times": 8})
        server.run("load", "exam_pairs", "-", "--append", stdin=lines(messages))
        self.check(server, messages, "exam_pairs")

    def test_what_is_planted_is_found_in_parquet_and_log(self):
        server = self.serve()
        messages = with_faults()
        server.run("produce", "exams", stdin=lines(messages[:30]))
        server.run("batch", "run", "exams")
        server.run("produce", "exams", stdin=lines(messages[30:]))
        self.check(server, messages)
        server.run("batch", "run", "exams")
        told = self.check(server, messages)
        self.assertEqual(told["longer_than_limit"], 1)
        times = [(epoch(message["started_at"]), epoch(message["keen_timestamp"])) for message in messages]
        longer = sum(end - start > 50 for start, end in times if None not in (start, end))
        self.assertEqual(json.loads(server.run("quality", "--longest", "50", "-o", "json").stdout)["longer_than_limit"], longer)

    def test_data_without_fault(self):
        server = self.serve()
        server.run("produce", "exams", stdin=lines(plain(30)))
        told = self.check(server, plain(30))
        faults = [line for line in told["lines"] if line["count"] and line["check"] not in ("messages", "distinct", "nulls", "kinds")]
        self.assertEqual(faults, [])
        self.assertNotIn(b"\n!", server.run("quality").stdout)

    def test_rejected(self):
        server = self.serve()
        server.run("produce", "exams", stdin=lines(plain(3)) + b"not json\n[1]\n{\"exam_name\":\n")
        told = json.loads(server.run("quality", "-o", "json").stdout)
        self.assertEqual((told["messages"], told["rejected"]), (3, 3))
        statement = next(line["statement"] for line in told["lines"] if line["check"] == "rejected")
        self.assertEqual([row[1] for row in server.rows(statement)], [3, 4, 5])

    def test_a_table_of_another_shape(self):
        server = self.serve()
        rows = [{"no": 1, "select": {"a b": "x", "lists": [[{"k": 1}, {"k": None}], [{"k": 3}]]}, "tags": ["a", None]},
                {"no": 2, "select": None, "tags": None}, {"no": 2, "select": None, "tags": None}, {"no": None}]
        server.run("produce", "orders", stdin=lines(rows))
        told = json.loads(server.run("quality", "orders", "-o", "json").stdout)
        self.assertEqual((told["identity"], told["messages"], told["distinct"], told["surplus_messages"], told["rejected"]),
                         ("content", 4, 3, 1, 0))
        fields = {line["field"]: (line["type"], line["count"], line["of"]) for line in told["lines"] if line["check"] == "nulls"}
        self.assertEqual(fields, {"no": ("bigint", 1, 4), "select.a b": ("string", 3, 4), "select.lists[][]": ("struct", 3, 4),
                                  "select.lists[][].k": ("bigint", 1, 3), "tags[]": ("string", 3, 4)})
        for line in told["lines"]:
            if line["statement"]:
                self.assertEqual(len(server.rows(line["statement"])), line["count"], line)
        lacking = {line["check"]: line["lacking"] for line in told["lines"] if line["lacking"]}
        self.assertEqual(lacking["marks_disagreeing"], "sequences.questions[].options[].checked")
        self.assertEqual(lacking["without_counts"], "sequences.counts")
        self.assertIsNone(told["marks_disagreeing"])
        by_number = json.loads(server.run("quality", "orders", "--id", "no", "-o", "json").stdout)
        self.assertEqual((by_number["distinct"], by_number["surplus_messages"], by_number["without_identity"]), (3, 1, 1))
        missing = server.run("quality", "orders", "--id", "number", check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn(b"no field number", missing.stderr)

    def test_fields_that_changed_their_type(self):
        server = self.serve()
        messages = plain(8)
        messages[2]["sequences"]["counts"]["correct"] = "three"
        messages[3]["max_attempts"] = 2
        messages[5]["certification"] = None
        messages[4]["sequences"]["questions"][0]["user_correct"] = "perhaps"
        server.run("produce", "exams", stdin=lines(messages))
        told = json.loads(server.run("quality", "-o", "json").stdout)
        # A mark that can't be read as one is no mark.
        self.assertEqual((told["messages"], told["marks_disagreeing"], told["sittings_over_max_attempts"]), (8, 0, 0))
        self.assertEqual(told["schema_conflicts"], 3)
        statement = next(line["statement"] for line in told["lines"] if line["check"] == "schema_conflicts")
        self.assertEqual({path: [tuple(kind.values()) for kind in kinds] for path, kinds in server.rows(statement)}, {
            "sequences.counts.correct": [("integer", 7), ("string", 1)], "max_attempts": [("integer", 1), ("string", 7)],
            "sequences.questions[].user_correct": [("boolean", 8), ("string", 1)]})
        statement = next(line["statement"] for line in told["lines"] if (line["field"], line["type"]) == ("max_attempts", "integer"))
        self.assertEqual([row[1] for row in server.rows(statement)], [3])
        table = server.run("quality").stdout.decode()
        self.assertIn("  max_attempts                                integer in 1, string in 7\n", table)
        self.assertNotIn("null in", table)  # null is no conflict

    def test_kinds_of_any_json(self):
        server = self.serve()
        rows = [{"a": 1, "b c": [1, 2.5, None, {"d": True}, ["x"]], "e": {}, "it's \\ \"q\"": 1}, {"a": 1.5, "b c": [], "e": None},
                {"a": "x", "b c": "y", "e": {"f": [[{"g": 10**30}]]}}, {"a": None}]
        server.run("produce", "things", stdin=lines(rows) + b"not json\n")
        told = json.loads(server.run("quality", "things", "-o", "json").stdout)
        kinds = Counter(kind for row in rows for kind in kinds_of(row))
        self.assertEqual({(line["field"], line["type"]): line["count"] for line in told["lines"] if line["check"] == "kinds"}, dict(kinds))
        self.assertEqual(told["schema_conflicts"], 3)  # a, b c, b c[]
        for line in told["lines"]:
            if line["statement"]:
                self.assertEqual(len(server.rows(line["statement"])), line["count"], line)

    def test_order_of_time_by_partition(self):
        server = self.serve()
        server.run("topic", "create", "exams", "--partitions", "3")
        for partition, starts in enumerate(((0, 1000, 2000), (5000, 3000, 4000, 100), (7000, 7000))):
            made = [attempt(10 * partition + number, ALL_RIGHT, started=start) for number, start in enumerate(starts)]
            server.run("produce", "exams", "--partition", str(partition), stdin=lines(made))
        told = json.loads(server.run("quality", "-o", "json").stdout)
        self.assertEqual((told["out_of_order"], told["partitions_out_of_order"]), (2, 1))
        statement = next(line["statement"] for line in told["lines"] if line["check"] == "partitions_out_of_order")
        self.assertEqual([row[:4] for row in server.rows(statement)], [[1, 4, 2, 3900.0]])

    def test_persons(self):
        server = self.serve()
        messages = [attempt(number, ALL_RIGHT, started=number * 60, candidate="busy" if number < 6 else f"c{number}")
                    for number in range(12)]
        messages.append(copy.deepcopy(messages[-1]))
        server.run("produce", "exams", stdin=lines(messages))
        for limit, count in ((5, 1), (6, 0)):
            told = json.loads(server.run("quality", "--person", "candidate", "--per-day", str(limit), "-o", "json").stdout)
            self.assertEqual(told["persons_with_many_attempts"], count)
        self.assertIsNone(json.loads(server.run("quality", "-o", "json").stdout)["persons_with_many_attempts"])

    def test_a_view(self):
        server = self.serve()
        server.run("produce", "exams", stdin=lines(plain(12) + plain(2)))
        server.sql("CREATE VIEW optics AS SELECT * FROM exams WHERE exam_name = 'Optics'")
        told = json.loads(server.run("quality", "optics", "-o", "json").stdout)
        self.assertEqual((told["messages"], told["distinct"], told["surplus_messages"], told["marks_disagreeing"]), (5, 4, 1, 0))

    def test_forms(self):
        server = self.serve()
        server.run("produce", "exams", stdin=lines(with_faults()))
        from_csv = list(csv.DictReader(io.StringIO(server.run("quality", "-o", "csv").stdout.decode(), newline="")))
        from_lines = [json.loads(line) for line in server.run("quality", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual([(line["check"], line["field"], line["count"]) for line in from_csv],
                         [(line["check"], line["field"] or "", "" if line["count"] is None else str(line["count"])) for line in from_lines])
        table = server.run("quality").stdout.decode()
        self.assertIn("! marks_disagreeing                       11  ", table)
        self.assertEqual(server.run("quality", "-o", "show", check=False).returncode, 1)
        self.assertEqual(server.run("quality", "nowhere", check=False).returncode, 1)

    def test_the_firms_file(self):
        if the_firms_file() is None:
            self.skipTest("the firm's file is not at hand: TRIPOS_ATTEMPTS_FILE says where it is")
        server = self.serve()
        with open(the_firms_file(), encoding="utf-8") as file:
            messages = json.load(file)
        server.run("load", "exams", the_firms_file())
        told = self.check(server, messages)
        self.assertEqual((told["messages"], told["distinct"], told["surplus_messages"], told["without_counts"]), (3280, 3242, 38, 5))


if __name__ == "__main__":
    unittest.main()
