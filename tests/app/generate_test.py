#!/usr/bin/env python3
"""tripos generate: its model can be recovered from its data, and what it plants is what tripos quality finds (docs/guide/generate.md)."""

import json
import math
import os
import re
import subprocess
import unittest
from collections import Counter, defaultdict

from attempts import epoch, quality, rule
from tripos import ENVIRONMENT, PROGRAM, TriposTest, run

# Of standardized residuals: a right program exceeds it once in two million times for each.
Z_MAX = 5
ROW_FAULTS = {"wrong_marks": "marks_disagreeing", "key_missing": "questions_without_key", "unreadable_time": "unreadable_times",
              "ends_before_start": "ends_before_start", "too_long": "longer_than_limit", "touched_early": "touched_before_start",
              "touched_late": "touched_after_end", "in_the_future": "starts_in_the_future", "not_json": "rejected",
              "over_max_attempts": "sittings_over_max_attempts", "without_counts": "without_counts", "copy": "surplus_messages"}


def truth_of(path):
    truth = defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for line in file:
            told = json.loads(line)
            truth[told.pop("truth")].append(told)
    return truth


def is_chi_square(value, degrees):
    """Within Z_MAX deviations of what it is on average (Wilson and Hilferty's normal approximation)."""
    scaled = (value / degrees)**(1 / 3)
    return abs(scaled - (1 - 2 / (9 * degrees))) < Z_MAX * math.sqrt(2 / (9 * degrees))


def solve(matrix, vector):
    """Gauss's elimination with pivots."""
    rows = [list(row) + [value] for row, value in zip(matrix, vector)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(size):
            if r != i and rows[r][i]:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i])]
    return [rows[i][size] / rows[i][i] for i in range(size)]


NODES = [step * 0.2 for step in range(-30, 31)]
WEIGHTS = [0.2 * math.exp(-node * node / 2) / math.sqrt(2 * math.pi) for node in NODES]


class MarginalModel:
    """The two-parameter logistic model with ability integrated out (Bock and Lieberman, 1970): logit = slope * ability + intercept."""

    def __init__(self, parameters, patterns):
        size = len(parameters) // 2
        chances = [[1 / (1 + math.exp(-parameters[2 * i] * node - parameters[2 * i + 1])) for i in range(size)] for node in NODES]
        self.likelihood, self.score = {}, {}
        for pattern in patterns:
            joint = [weight * math.prod(chance if right else 1 - chance for chance, right in zip(at, pattern))
                     for weight, at in zip(WEIGHTS, chances)]
            total = sum(joint)
            gradient = [0.0] * (2 * size)
            for part, at, node in zip(joint, chances, NODES):
                for i, right in enumerate(pattern):
                    residual = part / total * (right - at[i])
                    gradient[2 * i] += residual * node
                    gradient[2 * i + 1] += residual
            self.likelihood[pattern], self.score[pattern] = total, gradient

    def sum_score(self, counts):
        size = len(next(iter(self.score.values())))
        return [sum(times * self.score[pattern][i] for pattern, times in counts.items()) for i in range(size)]

    def information(self, count):
        """Fisher's, of `count` attempts."""
        size = len(next(iter(self.score.values())))
        return [[count * sum(self.likelihood[pattern] * score[i] * score[j] for pattern, score in self.score.items())
                 for j in range(size)] for i in range(size)]


def estimate(counts, size):
    """Maximum likelihood by Fisher's scoring: the parameters, and the model at them."""
    patterns = [tuple(number >> i & 1 for i in range(size)) for number in range(2**size)]
    total = sum(counts.values())
    parameters = []
    for i in range(size):
        right = sum(times for pattern, times in counts.items() if pattern[i]) / total
        parameters += [1.0, 1.2 * math.log(right / (1 - right))]
    for _ in range(50):
        model = MarginalModel(parameters, patterns)
        step = solve(model.information(total), model.sum_score(counts))
        parameters = [value + change for value, change in zip(parameters, step)]
        if max(map(abs, step)) < 1e-9:
            return parameters, MarginalModel(parameters, patterns)
    raise AssertionError("the estimate does not converge")


class Generate(TriposTest):
    def generate(self, *arguments):
        path = self.path("truth.ndjson")
        text = run("generate", "--truth", path, *arguments).stdout
        return text, truth_of(path)

    def test_questions_are_recovered_from_marks_alone(self):
        """TRIPOS_GENERATED_ATTEMPTS=1000000 takes a minute, and narrows the bounds."""
        count = int(os.environ.get("TRIPOS_GENERATED_ATTEMPTS", "120000"))
        truth_path = self.path("truth.ndjson")
        command = [PROGRAM, "generate", "--messages", str(count), "--seed", "3", "--exams", "1", "--exams-with-two-ids", "1", "--user-id",
                   "--duplicates", "0", "--without-counts", "0", "--persons", str(count), "--truth", truth_path]
        counts, by_person = Counter(), defaultdict(Counter)
        result, person = re.compile(rb'"user_result":"(\w+)"'), re.compile(rb'"user_id":"([^"]+)"')
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
            for line in process.stdout:
                pattern = tuple(int(mark == b"correct") for mark in result.findall(line))
                counts[pattern] += 1
                by_person[person.search(line).group(1)][pattern] += 1
        self.assertEqual(process.returncode, 0)
        with open(truth_path, encoding="utf-8") as file:
            questions = [told for told in map(json.loads, (line for line in file if '"truth":"question"' in line))]
        self.assertGreaterEqual(len(questions), 4)
        estimated, model = estimate(counts, len(questions))
        true = [value for question in questions
                for value in (question["discrimination"], -question["discrimination"] * question["difficulty"])]
        # A person sits several attempts, which are not independent: the variance is that of the sums by person (Huber, White).
        size = len(true)
        middle = [[0.0] * size for _ in range(size)]
        for of_person in by_person.values():
            score = model.sum_score(of_person)
            for i in range(size):
                for j in range(size):
                    middle[i][j] += score[i] * score[j]
        information = model.information(sum(counts.values()))
        error = [a - b for a, b in zip(estimated, true)]
        # error' V^-1 error, where V = information^-1 middle information^-1.
        pushed = [sum(row[j] * error[j] for j in range(size)) for row in information]
        chi_square = sum(x * y for x, y in zip(pushed, solve(middle, pushed)))
        self.assertTrue(is_chi_square(chi_square, size), f"{chi_square} with {size} degrees: {estimated}, but {true}")
        for i in range(size):
            unit = [float(j == i) for j in range(size)]
            column = solve(information, unit)
            deviation = math.sqrt(sum(column[j] * sum(middle[j][k] * column[k] for k in range(size)) for j in range(size)))
            self.assertLess(abs(error[i]), Z_MAX * deviation, f"{estimated}, but {true}")
            self.assertLess(deviation, 40 / math.sqrt(count))  # the bound means something

    def test_answers_and_times_follow_the_persons(self):
        text, truth = self.generate("--messages", "30000", "--seed", "8", "--user-id", "--exams", "40", "--duplicates", "0",
                                    "--persons", "2000")
        persons = {person["user_id"]: person for person in truth["person"]}
        questions = {question["id"]: question for question in truth["question"]}
        self.assertEqual((len(persons), len(truth["exam"])), (2000, 40))
        residual, variance = Counter(), Counter()
        wrong = unanswered = 0
        exams, seconds = Counter(), []
        chosen_wrong = defaultdict(Counter)
        for message in map(json.loads, text.splitlines()):
            person = persons[message["user_id"]]
            exams[message["exam_name"]] += 1
            expected_seconds = 0.45  # that the recording takes
            for question in message["sequences"]["questions"]:
                model = questions[question["id"]]
                chance = 1 / (1 + math.exp(-model["discrimination"] * (person["ability"] - model["difficulty"])))
                mark = rule(question)
                residual[question["id"]] += (mark == "correct") - chance
                variance[question["id"]] += chance * (1 - chance)
                wrong += mark != "correct"
                unanswered += mark == "unanswered"
                if mark == "incorrect":
                    first = [option["id"] for option in question["options"] if option["checked"] and not option.get("correct")]
                    self.assertEqual(len(first), 1)
                    chosen_wrong[question["id"]][first[0]] += 1
                expected_seconds += math.exp(model["time_intensity"] - person["speed"] + 0.45**2 / 2)
            seconds.append((epoch(message["keen_timestamp"]) - epoch(message["started_at"])) - expected_seconds)
        standardized = [residual[key] / math.sqrt(variance[key]) for key in residual if variance[key] > 20]
        self.assertGreater(len(standardized), 100)
        self.assertLess(max(map(abs, standardized)), Z_MAX)
        self.assertTrue(is_chi_square(sum(z * z for z in standardized), len(standardized)))
        self.assertLess(abs(unanswered / wrong - 0.1), Z_MAX * math.sqrt(0.09 / wrong))
        expected = {exam["exam_name"]: exam["share"] * 30000 for exam in truth["exam"]}
        self.assertTrue(is_chi_square(sum((exams[name] - count)**2 / count for name, count in expected.items()), len(expected) - 1))
        deviation = math.sqrt(sum(value * value for value in seconds) / len(seconds))
        # Sums of lognormals are skewed; a person's speed is the same in all attempts, and is taken out. 30,000 of them are normal enough.
        self.assertLess(abs(sum(seconds) / len(seconds)), Z_MAX * deviation / math.sqrt(len(seconds)))
        value, degrees = 0, 0
        for key, counter in chosen_wrong.items():
            pulls = {option["id"]: option["pull"] for option in questions[key]["options"] if option["pull"] > 0}
            if sum(counter.values()) * min(pulls.values()) > 5:
                value += sum((counter[option] - pull * sum(counter.values()))**2 / (pull * sum(counter.values()))
                             for option, pull in pulls.items())
                degrees += len(pulls) - 1
        self.assertGreater(degrees, 50)
        self.assertTrue(is_chi_square(value, degrees), (value, degrees))

    def test_quality_finds_what_is_planted_and_nothing_else(self):
        faults = [*(set(ROW_FAULTS) - {"copy", "without_counts"}), "renamed_exam", "altered_copy"]
        text, truth = self.generate("--messages", "6000", "--seed", "21", "--user-id", "--exams", "20", "--without-counts", "0.01",
                                    "--duplicates", "0.02", "--plant", "busy_person=0.0008",
                                    *(word for fault in faults for word in ("--plant", f"{fault}=0.006")))
        planted = Counter(line["what"] for line in truth["planted"])
        self.assertEqual(set(planted), {*faults, "copy", "without_counts", "busy_person"})
        messages, rejected = [], []
        for number, line in enumerate(text.splitlines()):
            try:
                messages.append(json.loads(line))
            except ValueError:
                rejected.append(number)
        self.assertEqual(rejected, [line["message"] for line in truth["planted"] if line["what"] == "not_json"])
        server = self.serve()
        server.run("produce", "exams", stdin=text)
        told = json.loads(server.run("quality", "-o", "json").stdout)
        expected = {line: planted[fault] for fault, line in ROW_FAULTS.items()}
        identities = {fault: {line["keen_id"] for line in truth["planted"] if line["what"] == fault} for fault in planted}
        expected.update(messages=6000 - planted["not_json"], duplicate_groups=len(identities["copy"]),
                        duplicates_that_differ=len(identities["altered_copy"]), persons_with_many_attempts=planted["busy_person"],
                        without_identity=0)
        independent, _ = quality(messages)
        for line in ("ids_with_several_names", "names_with_several_ids"):
            expected[line] = independent[line]
            self.assertGreater(expected[line], 0)
        self.assertEqual({name: told[name] for name in expected}, expected)
        wrong = [line["message"] for line in truth["planted"] if line["what"] == "wrong_marks"]
        self.assertEqual([place["offset"] for place in told["marks_disagreeing_at"]], wrong[:20])
        # Every row that is shown for a line is one that was planted.
        by_message = defaultdict(set)
        for line in truth["planted"]:
            by_message[line["what"]].add(line["message"])
        for fault, line in ROW_FAULTS.items():
            if fault in ("over_max_attempts", "copy"):
                continue
            statement = next(entry["statement"] for entry in told["lines"] if entry["check"] == line)
            column = "offset" if fault == "not_json" else "__tripos_offset"
            rows = server.rows(f"SELECT {column} FROM ({statement}) AS shown")
            self.assertEqual({row[0] for row in rows}, by_message[fault], fault)

    def test_without_planting_there_is_nothing_odd(self):
        text, truth = self.generate("--messages", "3000", "--user-id", "--exams-with-two-ids", "0", "--duplicates", "0", "--without-counts",
                                    "0", "--without-certification", "0")
        self.assertEqual(truth["planted"], [])
        server = self.serve()
        server.run("produce", "exams", stdin=text)
        told = json.loads(server.run("quality", "-o", "json").stdout)
        odd = [(line["check"], line["field"]) for line in told["lines"] if line["count"] and line["check"] != "kinds"]
        # Fields that only some options have.
        option = "sequences.questions[].options[]."
        self.assertEqual(odd, [("messages", None), ("distinct", None), ("out_of_order", None), ("partitions_out_of_order", None),
                               ("nulls", option + "at"), ("nulls", option + "correct"), ("nulls", option + "submitted")])

    def test_copies_are_what_truth_says(self):
        text, truth = self.generate("--messages", "4000", "--duplicates", "0.1", "--plant", "altered_copy=0.02", "--seed", "13")
        rows = text.splitlines()
        copies = {line["message"]: line for line in truth["planted"] if line["what"] == "copy"}
        altered = {line["message"] for line in truth["planted"] if line["what"] == "altered_copy"}
        seen = set()
        for number, row in enumerate(rows):
            message = json.loads(row)
            self.assertEqual(message["keen_id"] in seen, number in copies)
            seen.add(message["keen_id"])
            if number in copies:
                self.assertEqual(row == rows[copies[number]["copy_of"]], number not in altered)
                self.assertEqual(copies[number]["keen_id"], message["keen_id"])
        self.assertTrue(altered and altered < set(copies))
        self.assertEqual(truth["tally"][0]["attempts"], len(seen))

    def test_wrong_words(self):
        for words, said in ((("--plant", "wrong=0.1"), b"there are wrong_marks, "), (("--plant", "wrong_marks"), b"wrong_marks=0.01"),
                            (("--plant", "wrong_marks=2"), b"from 0 to 1"), (("--plant", "wrong_marks=nan"), b"from 0 to 1"),
                            (("--plant", "wrong_marks=0.6", "--plant", "key_missing=0.6"), b"add up to 1.2"),
                            (("--array", "--plant", "not_json=0.1"), b"would break the array"), (("--days", "0"), b"days: from 1"),
                            (("--start", "soon"), b"'soon' is no time"), (("--exams", "0"), b"exams: from 1"),
                            (("--duplicates", "1.5"), b"from 0 to 1"), (("--truth", "/nowhere/truth"), b"/nowhere/truth")):
            done = run("generate", *words, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, b""), words)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
