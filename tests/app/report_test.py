#!/usr/bin/env python3
"""tripos report: every report, on generated attempts, on odd shapes and on the firm's file, against a computation of its own over the same
NDJSON (docs/guide/reports.md has the definitions)."""

import copy
import csv
import datetime
import io
import json
import math
import os
import statistics
import unittest
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from attempts import attempt, epoch, lines, rule, the_firms_file, without_counts
from tripos import TriposTest, run

ALL_RIGHT = ("x..", "xx.", ".x")
MARKS = ("correct", "missed_some", "incorrect", "unanswered")


def get(value, *path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def known_time(text):
    seconds = epoch(text)
    return seconds if seconds is not None and -62135596800 <= seconds <= 253402300799 else None


def taken(message):
    start = known_time(message.get("started_at"))
    return known_time(message.get("keen_timestamp")) if start is None else start


class Units:
    """The messages that a report counts, and how it was asked to look at them."""

    def __init__(self, messages, by="messages", per="name", marks="record", exam=None, since=None, until=None, at_least=0):
        self.by, self.per, self.marks, self.at_least = by, per, marks, at_least
        units, seen = [], set()
        for message in messages:
            identity = ("keen", message["keen_id"]) if message.get("keen_id") else ("sitting", message.get("user_exam_id"))
            if by == "attempts" and identity[1] is not None:
                if identity in seen:
                    continue
                seen.add(identity)
            units.append(message)
        if exam is not None:
            units = [unit for unit in units if exam in (unit.get("exam_name"), unit.get("base_exam_id"))]
        if since is not None:
            units = [unit for unit in units if taken(unit) is not None and taken(unit) >= epoch(since)]
        if until is not None:
            units = [unit for unit in units if taken(unit) is not None and taken(unit) < epoch(until)]
        self.units = units

    def exams(self):
        """For each exam: the cells that name it, its units."""
        groups = defaultdict(list)
        for unit in self.units:
            groups[unit.get("exam_name") if self.per == "name" else unit.get("base_exam_id")].append(unit)
        for key, units in groups.items():
            names = [unit["exam_name"] for unit in units if unit.get("exam_name") is not None]
            yield ((key,) if self.per == "name" else (key, min(names) if names else None)), units

    def mark(self, question):
        if self.marks == "rule":
            return rule(question)
        return question.get("user_result") if question.get("user_result") in MARKS else None

    def counts(self, unit):
        """(correct, total), as far as known."""
        if self.marks == "rule":
            questions = get(unit, "sequences", "questions")
            if questions is None:
                return None, None
            return sum(rule(question) == "correct" for question in questions), len(questions)
        return get(unit, "sequences", "counts", "correct"), get(unit, "sequences", "counts", "total")

    def all_correct(self, unit):
        recorded = get(unit, "sequences", "counts", "all_correct") if self.marks == "record" else None
        correct, total = self.counts(unit)
        return recorded if recorded is not None else None if None in (correct, total) else correct == total

    def score(self, unit):
        correct, total = self.counts(unit)
        return Fraction(correct, total) if correct is not None and total is not None and total > 0 else None


def share(value):
    return None if value is None else float(value)


def two_places(value):
    return float((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def mean(values):
    return Fraction(sum(values), len(values)) if values else None


def quantile(values, q):
    ordered = sorted(values)
    position = Fraction(q) * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def five_numbers(values, rounding):
    if not values:
        return (None,) * 5
    return tuple(rounding(value) for value in (min(values), quantile(values, Fraction(1, 4)), quantile(values, Fraction(1, 2)),
                                               quantile(values, Fraction(3, 4)), max(values)))


def correlation(pairs):
    pairs = [(x, y) for x, y in pairs if x is not None and y is not None]
    if not pairs:
        return None
    mean_x, mean_y = mean([x for x, _ in pairs]), mean([y for _, y in pairs])
    variance_x, variance_y = sum((x - mean_x)**2 for x, _ in pairs), sum((y - mean_y)**2 for _, y in pairs)
    if variance_x == 0 or variance_y == 0:
        return None
    return float(sum((x - mean_x) * (y - mean_y) for x, y in pairs)) / math.sqrt(variance_x * variance_y)


def popularity(units):
    return [(*exam, len(of)) for exam, of in units.exams() if len(of) >= units.at_least]


def proficiency(units):
    rows = []
    for exam, of in units.exams():
        kinds = [units.all_correct(unit) for unit in of]
        scored = kinds.count(True) + kinds.count(False)
        if len(of) >= units.at_least:
            rows.append((*exam, kinds.count(True), kinds.count(False), two_places(Fraction(kinds.count(True), scored)) if scored else None))
    return rows


def counts(units):
    keys = {unit.get("exam_name" if units.per == "name" else "base_exam_id") for unit in units.units} - {None}
    return [(len(units.units), len(keys), sum(units.all_correct(unit) is not None for unit in units.units))]


def over_time(every):
    def report(units):
        def period(unit):
            if taken(unit) is None:
                return None
            day = datetime.datetime.fromtimestamp(taken(unit), datetime.timezone.utc).date()
            return day - datetime.timedelta(day.weekday()) if every == "week" else day.replace(day=1) if every == "month" else day

        periods = defaultdict(list)
        for unit in units.units:
            periods[period(unit)].append(unit)
        there = sorted(set(periods) - {None})
        if there:
            day = there[0]
            while day <= there[-1]:
                periods[period({"started_at": day.isoformat() + "T00:00:00Z"})] += []
                day += datetime.timedelta(1)
        rows = []
        for key, of in periods.items():
            scores = [units.score(unit) for unit in of if units.score(unit) is not None]
            exams = {unit.get("exam_name" if units.per == "name" else "base_exam_id") for unit in of} - {None}
            rows.append((key.isoformat() if key else None, len(of), len(exams), len(scores), share(mean(scores))))
        return rows

    return report


def scores(units):
    rows = []
    for exam, of in units.exams():
        known = [units.score(unit) for unit in of if units.score(unit) is not None]
        deviation = math.sqrt(statistics.variance(known)) if len(known) > 1 else None
        if len(of) >= units.at_least:
            rows.append((*exam, len(of), len(known), share(mean(known)), deviation, *five_numbers(known, share)))
    return rows


def distribution(units):
    rows = []
    for exam, of in units.exams():
        reached = Counter(units.counts(unit)[::-1] if units.score(unit) is not None else (None, None) for unit in of)
        for (total, correct), count in reached.items():
            all_of_total = sum(times for (other, _), times in reached.items() if other == total)
            if all_of_total < units.at_least:
                continue
            if total is None:
                rows.append((*exam, None, None, count, None, None, None))
                continue
            below = sum(times for (other, lower), times in reached.items() if other == total and lower < correct)
            rows.append((*exam, total, correct, count, share(Fraction(count, all_of_total)), share(Fraction(below + count, all_of_total)),
                         share(100 * (below + Fraction(count, 2)) / all_of_total)))
    return rows


def time_taken(units):
    rows = []
    for exam, of in units.exams():
        spans = [(known_time(unit.get("started_at")), known_time(unit.get("keen_timestamp"))) for unit in of]
        seconds = [Fraction(end) - Fraction(start) for start, end in spans if None not in (start, end) and end >= start]
        if len(of) >= units.at_least:
            rows.append((*exam, len(of), len(seconds), None if not seconds else float(mean(seconds)), *five_numbers(seconds, float)))
    return rows


def wilson(correct, marked):
    if not marked:
        return None, None
    z = statistics.NormalDist().inv_cdf(0.975)
    p = correct / marked
    middle, half = p + z * z / (2 * marked), z * math.sqrt(p * (1 - p) / marked + z * z / (4 * marked**2))
    return (middle - half) / (1 + z * z / marked), (middle + half) / (1 + z * z / marked)


def answered(units, of):
    """For each question of each unit: the question, its mark, its score, the score in the unit's other questions."""
    for unit in of:
        questions = get(unit, "sequences", "questions") or []
        marks = [units.mark(question) for question in questions]
        known = [mark for mark in marks if mark is not None]
        for question, mark in zip(questions, marks):
            item = None if mark is None else int(mark == "correct")
            rest = None if mark is None or len(known) < 2 else Fraction(known.count("correct") - item, len(known) - 1)
            yield question, mark, item, rest


def questions(units):
    rows = []
    for exam, of in units.exams():
        asked = defaultdict(list)
        for question, *told in answered(units, of):
            asked[question.get("id")].append(told)
        for question_id, told in asked.items():
            tally = Counter(mark for mark, _, _ in told)
            marked = len(told) - tally[None]
            if len(told) >= units.at_least:
                rows.append((*exam, question_id, len(told), marked, *(tally[mark] for mark in MARKS),
                             share(Fraction(tally["correct"], marked)) if marked else None, *wilson(tally["correct"], marked),
                             correlation([(item, rest) for _, item, rest in told])))
    return rows


def options(units):
    rows = []
    for exam, of in units.exams():
        offered = defaultdict(list)
        for question, _, _, rest in answered(units, of):
            for option in question.get("options") or []:
                key = (question.get("id"), option.get("id"), bool(option.get("correct")))
                offered[key].append((int(bool(option.get("checked"))), rest))
        for key, told in offered.items():
            chosen = sum(was for was, _ in told)
            if len(told) >= units.at_least:
                rows.append((*exam, *key, len(told), chosen, share(Fraction(chosen, len(told))), correlation(told)))
    return rows


REPORTS = {"popularity": popularity, "proficiency": proficiency, "counts": counts, "over_time": over_time("day"), "scores": scores,
           "distribution": distribution, "questions": questions, "options": options, "time_taken": time_taken}
# Half a unit of the last place that a report prints. Seconds since 1970 are doubles, good to a quarter of a microsecond.
ROUNDING = {name: 0.00005 + 1e-12 for name in REPORTS} | {"proficiency": 1e-12, "time_taken": 0.0005 + 1e-6}


def sort_key(row):
    """The cells without fractions identify a row."""
    return [(cell is not None, str(type(cell)), cell if isinstance(cell, (int, str)) else 0) for cell in row]


class Reports(TriposTest):
    def check(self, server, messages, name, expected, *flags, **how):
        told = [json.loads(line) for line in server.run("report", name, "-o", "jsonl", *flags, *(
            word for flag, value in how.items() for word in (f"--{flag.replace('_', '-')}", str(value)))).stdout.splitlines()]
        rows = sorted((tuple(row.values()) for row in told), key=sort_key)
        expected = sorted(expected(Units(messages, **how)), key=sort_key)
        self.assertEqual(len(rows), len(expected), (name, how))
        for row, right in zip(rows, expected):
            self.assertEqual(len(row), len(right), name)
            for cell, cell_right in zip(row, right):
                if isinstance(cell_right, float) and isinstance(cell, (int, float)):
                    self.assertAlmostEqual(cell, cell_right, delta=ROUNDING[name], msg=f"{name} {how}: {row} {right}")
                else:
                    self.assertEqual(cell, cell_right, f"{name} {how}: {row}\n{right}")
        return told

    def check_all(self, server, messages, **how):
        for name, expected in REPORTS.items():
            fitting = {key: value for key, value in how.items() if key != "at_least" or name not in ("counts", "over_time")}
            self.check(server, messages, name, expected, **fitting)

    def check_every_way(self, server, messages):
        some_exam = Counter(message.get("exam_name") for message in messages).most_common(2)[1][0]
        some_id = next(message["base_exam_id"] for message in messages if message.get("exam_name") == some_exam)
        times = sorted(message["started_at"] for message in messages)
        since, until = times[len(times) // 4], times[len(times) // 2]
        for how in ({}, {"by": "attempts"}, {"per": "id"}, {"marks": "rule", "by": "attempts"}, {"exam": some_exam}, {"exam": some_id},
                    {"since": since, "until": until, "by": "attempts"}, {"at_least": 12, "per": "id"}):
            self.check_all(server, messages, **how)
        for every in ("week", "month"):
            self.check(server, messages, "over_time", over_time(every), "--every", every, by="attempts")

    def test_generated_attempts(self):
        text = run("generate", "--messages", "1500", "--seed", "5", "--exams", "12", "--duplicates", "0.05",
                   "--without-counts", "0.03").stdout
        messages = [json.loads(line) for line in text.splitlines()]
        self.assertLess(len({message["keen_id"] for message in messages}), len(messages))
        server = self.serve()
        server.run("produce", "exams", stdin=b"".join(text.splitlines(keepends=True)[:1000]))
        server.run("batch", "run", "exams")
        server.run("produce", "exams", stdin=b"".join(text.splitlines(keepends=True)[1000:]))
        self.check_every_way(server, messages)

    def test_the_firms_file(self):
        if the_firms_file() is None:
            self.skipTest("the firm's file is not at hand: TRIPOS_ATTEMPTS_FILE says where it is")
        server = self.serve()
        server.run("load", "exams", the_firms_file())
        with open(the_firms_file(), encoding="utf-8") as file:
            self.check_every_way(server, json.load(file))

    def odd_messages(self):
        messages = [attempt(number, (ALL_RIGHT, ("x..", "x..", ".."), (".x.", "xx.", "x."), ("...", ".x.", ".x"))[number % 4],
                            exam=("Optics", "Algebra")[number % 2], unknown={"a": [number]}) for number in range(12)]
        messages += copy.deepcopy(messages[2:4])
        messages.append(without_counts(attempt(20, ALL_RIGHT)))
        messages.append(attempt(21, ALL_RIGHT, exam_name=None))
        messages.append(attempt(22, ALL_RIGHT, exam_name="Optics, renamed"))
        messages.append(attempt(23, ALL_RIGHT, started_at=None))
        messages.append(attempt(24, ALL_RIGHT, started_at="some day", keen_timestamp="1e300"))
        messages.append(attempt(25, ALL_RIGHT, keen_timestamp="NaN"))
        messages.append(attempt(26, ALL_RIGHT, took=-100))
        messages.append(attempt(27, ALL_RIGHT, keen_id=None))
        messages.append(attempt(27, ALL_RIGHT, keen_id=None))
        messages.append(attempt(28, ALL_RIGHT, keen_id=None, user_exam_id=None))
        messages.append(attempt(28, ALL_RIGHT, keen_id=None, user_exam_id=None))
        messages.append(attempt(29, (), key=()))
        for number, change in enumerate((
                lambda m: m["sequences"].update(questions=[]), lambda m: m["sequences"].update(questions=None),
                lambda m: m.update(sequences=None), lambda m: m["sequences"]["counts"].update(total=0, correct=0),
                lambda m: m["sequences"]["counts"].update(correct=None), lambda m: m["sequences"]["counts"].pop("all_correct"),
                lambda m: m["sequences"]["questions"][1].update(user_result="perhaps"),
                lambda m: m["sequences"]["questions"][1]["options"][1].pop("id"),
                lambda m: m["sequences"]["questions"][2]["options"][0].update(checked=None),
                lambda m: m["sequences"]["questions"][0]["options"][0].pop("correct"), lambda m: m["sequences"]["questions"][0].pop("id"))):
            changed = attempt(40 + number, ("x..", ".x.", "x."))
            change(changed)
            messages.append(changed)
        return messages

    def test_odd_attempts(self):
        server = self.serve()
        messages = self.odd_messages()
        server.run("produce", "exams", stdin=lines(messages))
        for how in ({}, {"by": "attempts"}, {"by": "attempts", "per": "id"}, {"marks": "rule", "per": "id"}, {"exam": "Optics"},
                    {"since": "2021-03-01T13:00:00+01:00", "by": "attempts"}, {"at_least": 3}):
            self.check_all(server, messages, **how)

    def test_nobody_has_counts(self):
        server = self.serve()
        messages = [without_counts(attempt(number, ALL_RIGHT)) for number in range(6)]
        server.run("produce", "exams", stdin=lines(messages))
        self.check_all(server, messages)
        self.check_all(server, messages, marks="rule", by="attempts")

    def test_a_table_of_another_shape(self):
        server = self.serve()
        rows = [{"no": 1, "started_at": "2022-05-01T00:00:00Z"}, {"no": 2}, {"no": 2}]
        server.run("produce", "orders", stdin=lines(rows))
        told = server.run("report", "counts", "--table", "orders", "--by", "attempts", "-o", "jsonl").stdout
        self.assertEqual(json.loads(told), {"attempts": 2, "exams": 0, "scored": 0})
        told = server.run("report", "popularity", "--table", "orders", "--by", "attempts", "--id", "no", "-o", "jsonl").stdout
        self.assertEqual(json.loads(told), {"exam_name": None, "exam_count": 2})
        self.check(server, rows, "over_time", over_time("day"), "--table", "orders")
        for words, said in ((("questions",), b"no field sequences.questions[].id"),
                            (("scores", "--marks", "rule"), b"no field sequences.q"),
                            (("popularity", "--exam", "x"), b"no exam can be picked"), (("popularity", "--id", "nr"), b"no field nr")):
            done = server.run("report", *words, "--table", "orders", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)

    def test_a_view(self):
        server = self.serve()
        messages = [attempt(number % 20, ALL_RIGHT, exam=("Optics", "Algebra")[number % 2]) for number in range(30)]
        server.run("produce", "exams", stdin=lines(messages))
        server.sql("CREATE VIEW of_optics AS SELECT * FROM exams WHERE exam_name = 'Optics'")
        optics = [message for message in messages if message["exam_name"] == "Optics"]
        for name, expected in REPORTS.items():
            self.check(server, optics, name, expected, "--table", "of_optics", by="attempts", since="2021-03-01T10:00")

    def test_times_far_apart_do_not_make_endless_lines(self):
        server = self.serve()
        messages = [attempt(1, ALL_RIGHT), attempt(2, ALL_RIGHT, started_at="0001-01-01T00:00:00Z")]
        server.run("produce", "exams", stdin=lines(messages))
        told = [json.loads(line)["period"] for line in server.run("report", "over_time", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual(told, ["0001-01-01", "2021-03-01"])

    def test_order_limit_forms_and_files(self):
        server = self.serve()
        messages = [attempt(number, ALL_RIGHT, exam="Optics" if number % 3 else "A \"quoted\" \\'exam'") for number in range(10)]
        server.run("produce", "exams", stdin=lines(messages))
        names = ["Optics", "A \"quoted\" \\'exam'"]
        for flags, expected in (((), names), (("--ascending",), names[::-1]), (("-n", "1"), names[:1]), (("--descending",), names)):
            rows = list(csv.DictReader(io.StringIO(server.run("report", "popularity", "-o", "csv", *flags).stdout.decode(), newline="")))
            self.assertEqual([row["exam_name"] for row in rows], expected)
        told = json.loads(server.run("report", "popularity", "--exam", names[1], "-o", "json").stdout)
        self.assertEqual((told["rows"], told["as_of"]["tables"][0]["partitions"][0]["end"]), ([[names[1], 4]], 10))
        self.assertRegex(server.run("report", "popularity", "-o", "show").stdout.decode(), r"\n\| +exam_name\|exam_count\|\n")
        for ending in ("csv", "jsonl", "json", "parquet"):
            path = self.path("report." + ending)
            done = server.run("report", "distribution", "--to", path)
            self.assertEqual(done.stdout, b"")
            self.assertGreater(os.path.getsize(path), 50)
        with open(self.path("report.csv"), newline="", encoding="utf-8") as file:
            self.assertEqual([row["messages"] for row in csv.DictReader(file)], ["4", "6"])
        statement = server.run("report", "popularity", "--by", "attempts", "--sql").stdout.decode()
        self.assertEqual(server.rows(statement), [["Optics", 6], [names[1], 4]])
        nothing = server.run("report", "questions", "--exam", "Opticks")
        self.assertIn(b"nothing of an exam 'Opticks'", nothing.stderr)

    def test_wrong_words(self):
        server = self.serve()
        server.run("produce", "exams", stdin=lines([attempt(1, ALL_RIGHT)]))
        for words, said in ((("popular",), b"there are popularity, "), (("counts", "--since", "2021-02-30"), b"'2021-02-30' is no time"),
                            (("counts", "--since", "2021-03-02", "--until", "2021-03-01"), b"nothing lies between"),
                            (("scores", "--every", "week"), b"--every is of over_time"),
                            (("counts", "--at-least", "3"), b"leaves no line out"),
                            (("scores", "--ascending", "--descending"), b"one of them"), (("scores", "-n", "-1"), b"not -1"),
                            (("scores", "--table", "nowhere"), b"nowhere"), (("scores", "--to", "/nowhere/x.csv"), b"/nowhere/x.csv"),
                            (("scores", "--to", "x.txt"), b"ends in .parquet")):
            done = server.run("report", *words, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, b""), words)
            self.assertIn(said, done.stderr)
        self.assertEqual(server.run("report", "over_time", "--every", "year", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
