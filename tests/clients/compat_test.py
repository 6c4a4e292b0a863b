#!/usr/bin/env python3
"""The judge of judges: a client that fails in any way shows as failed in compat.py's verdict."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compat  # noqa: E402
import session_text  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential"))
import answers  # noqa: E402
import intended  # noqa: E402

GOOD = "print('pass  one'); print('done')"


def verdict_of(script, sabotaged=False, timeout_s=60, before=()):
    verdict = compat.Verdict("judge", checks=[(True, what, "") for what in before])
    program = compat.Program([sys.executable, "-c", script], sabotage=True)
    compat.run_program(program, "127.0.0.1:1", verdict, timeout_s=timeout_s, sabotaged=sabotaged)
    return [(passed, what) for passed, what, _ in verdict.checks[len(before):]]


class Verdicts(unittest.TestCase):
    def assert_failed(self, script, **options):
        self.assertIn(False, [passed for passed, _ in verdict_of(script, **options)])

    def test_a_client_that_passes(self):
        self.assertEqual(verdict_of(GOOD), [(True, "one")])

    def test_a_check_that_fails_is_told_with_its_reason(self):
        verdict = compat.Verdict("judge")
        script = "print('FAIL  two  (3 (of 4) came)'); print('done'); exit(1)"
        compat.run_program(compat.Program([sys.executable, "-c", script]), "127.0.0.1:1", verdict)
        self.assertEqual(verdict.checks, [(False, "two", "3 (of 4) came")])

    def test_silence_is_failure(self):
        self.assert_failed("")

    def test_no_check_is_failure(self):
        self.assert_failed("print('done')")

    def test_an_early_end_is_failure(self):
        self.assert_failed("print('pass  one')")

    def test_an_exit_code_without_a_failed_check_is_failure(self):
        self.assert_failed(GOOD + "; exit(3)")

    def test_a_crash_is_failure(self):
        self.assert_failed("import os; print('pass  one', flush=True); os.abort()")

    def test_a_client_that_hangs_is_ended_and_is_failure(self):
        self.assert_failed("import time; print('pass  one', flush=True); time.sleep(1000)", timeout_s=1)

    def test_unit_tests_that_were_skipped_are_failure(self):
        said = "test_a (__main__.T.test_a) ... ok\ntest_b (__main__.T.test_b) ... skipped 'not installed'\nRan 2 tests in 0.1s\n"
        self.assertEqual(compat.parse(said), ([(True, "a", ""), (False, "b", "skipped 'not installed'")], True))

    def test_a_control_passes_only_if_every_check_fails(self):
        before = ("one", "two")
        self.assertEqual(verdict_of("print('FAIL  one'); print('done'); exit(1)", sabotaged=True, before=before)[0][0], True)
        self.assert_failed("print('FAIL  one'); print('pass  two'); print('done'); exit(1)", sabotaged=True, before=before)
        self.assert_failed("print('done')", sabotaged=True, before=before)
        self.assert_failed("print('FAIL  one')", sabotaged=True, before=before)

    def test_a_control_that_broke_down_is_none(self):
        script = "print('FAIL  one'); print('FAIL  it ran to its end  (no broker)'); print('done'); exit(1)"
        self.assert_failed(script, sabotaged=True, before=("one",))

    def test_the_report_names_what_failed(self):
        verdict = compat.Verdict("judge", "1.0", [(True, "one", ""), (False, "two", "why")])
        text = compat.report([verdict], "abc")
        self.assertIn("| judge | 1.0 | 1 of 2 | **failed** |", text)
        self.assertIn("- **failed:** two (why)", text)


class Sessions(unittest.TestCase):
    KEPT = "# a note\n$ one\n  a\n  b\n  exit code 0\n$ two\n  exit code 1\n"

    def verdicts(self, found, differences="", used=None):
        used = set() if used is None else used
        wanted = session_text.apply(session_text.parse(self.KEPT), session_text.parse_differences(differences), used)
        return [passed for passed, _, _ in session_text.compare(wanted, session_text.parse(found))]

    def test_the_same_transcript_passes(self):
        self.assertEqual(self.verdicts(self.KEPT), [True, True])

    def test_a_line_that_is_missing_changed_or_too_many_fails_its_step(self):
        for line in ("", "  c\n", "  b\n  b\n"):
            self.assertEqual(self.verdicts(self.KEPT.replace("  b\n", line)), [False, True], line)
        self.assertEqual(self.verdicts(self.KEPT.replace("code 1", "code 0")), [True, False])

    def test_a_step_that_is_missing_or_too_many_fails(self):
        self.assertIn(False, self.verdicts(self.KEPT.split("$ two")[0]))
        self.assertIn(False, self.verdicts(self.KEPT + "$ three\n"))
        self.assertIn(False, self.verdicts("$ two\n  exit code 1\n"))

    def test_an_intended_difference_is_demanded(self):
        table = "| step | Kafka | Tripos | why |\n|---|---|---|---|\n| `one` | `b` | `c` | so |\n| `two` | – | `aa` | so |\n"
        used = set()
        ours = "$ one\n  a\n  c\n  exit code 0\n$ two\n  aa\n  exit code 1\n"
        self.assertEqual(self.verdicts(ours, table, used), [True, True])
        self.assertEqual(used, {("one", "b"), ("two", None)})
        self.assertEqual(self.verdicts(self.KEPT, table), [False, False])
        self.assertEqual(self.verdicts(ours, "| `one` | `b` | – | so |\n"), [False, False])

    def test_what_differs_between_runs_is_written_as_a_word_and_nothing_else(self):
        transcript = session_text.Transcript("name-1", "127.0.0.1:4711")
        transcript.add("tool name-1-topic", "name-1-topic   0  12 /127.0.0.1\n\n at 127.0.0.1:4711 T=5", end="exit code 0",
                       hide=((r"T=\d", "T"),))
        self.assertEqual(transcript.text(), "$ tool session-topic\n  session-topic 0 12 /HOST\n  at HOST:PORT T\n  exit code 0\n")


class SingleRequests(unittest.TestCase):
    """`./run compat differential`: what is compared, and what a row allows."""

    KAFKA = {"errorCode": 0, "topics": [{"name": "s-t", "partitions": [{"index": 0, "errorCode": 3, "offset": -1}]}]}

    def judge(self, ours, table="", kafka=None):
        wanted = {("records", "Fetch: all", 4): self.KAFKA if kafka is None else kafka}
        verdicts, used = intended.judge(wanted, {("records", 4): [("Fetch: all", ours)]}, intended.parse(table))
        return verdicts["records"], used

    def changed(self, **fields):
        return {"errorCode": 0, "topics": [{"name": "s-t", "partitions": [{"index": 0, "errorCode": 3, "offset": -1, **fields}]}]}

    def test_the_same_answer_passes(self):
        self.assertEqual(self.judge(self.KAFKA), ([], set()))

    def test_any_field_that_differs_is_told(self):
        for ours in (self.changed(offset=0), self.changed(errorCode=6), self.changed(more=1), {"errorCode": 0, "topics": []}, {}):
            self.assertNotEqual(self.judge(ours)[0], [], ours)

    def test_a_step_or_a_version_that_is_missing_or_too_many_is_told(self):
        wanted = {("records", "Fetch: all", 4): self.KAFKA}
        step = ("Fetch: all", self.KAFKA)
        for steps in ({}, {("records", 5): [step]}, {("records", 4): [step, ("Fetch: more", {})]}):
            verdicts, _ = intended.judge(wanted, steps, [])
            self.assertNotEqual(verdicts["records"], [])

    def test_a_row_allows_its_difference_alone(self):
        table = "| `records / Fetch: *` | `topics[*].partitions[0].offset` | `-1` | `0` | so |\n"
        self.assertEqual(self.judge(self.changed(offset=0), table)[0], [])
        self.assertNotEqual(self.judge(self.changed(offset=1), table)[0], [])
        self.assertNotEqual(self.judge(self.changed(offset=0, errorCode=9), table)[0], [])
        self.assertEqual(self.judge(self.KAFKA, table)[1], set())  # and shows as not needed

    def test_beside_an_error_code_that_is_meant_the_rest_follows(self):
        table = "| `records / Fetch: all` | `topics[s-t].partitions[0].errorCode` | `3` | `6` | so |\n"
        self.assertEqual(self.judge(self.changed(errorCode=6, offset=7), table)[0], [])
        self.assertNotEqual(self.judge({**self.changed(errorCode=6), "errorCode": 1}, table)[0], [])

    def test_messages_may_be_more_but_not_less(self):
        self.assertEqual(self.judge({"errorMessage": "…"}, kafka={"errorMessage": None})[0], [])
        self.assertNotEqual(self.judge({"errorMessage": None}, kafka={"errorMessage": "…"})[0], [])

    def test_ids_are_words_that_stay_the_same(self):
        plain = answers.Normaliser("p-00001", time_ms=10 ** 12).plain
        first = plain({"producerId": 4711, "name": "p-00001-t", "topicId": "8-cV2ZyFQAKmEgQ3OBb3Jg", "time": 10 ** 12 + 5})
        self.assertEqual(first, {"producerId": "PRODUCER-1", "name": "s-t", "topicId": "ID of s-t", "time": "T+5"})
        self.assertEqual(plain({"producerId": -1})["producerId"], -1)

    def test_what_others_have_on_the_broker_is_left_out(self):
        plain = answers.Normaliser("p-00001").plain
        groups = [{"groupId": name} for name in ("console-consumer-1", "p-00002-g", "p-00001-g", "")]
        self.assertEqual(plain({"groups": groups})["groups"], [{"groupId": ""}, {"groupId": "s-g"}])

    def test_the_file_says_what_was_written(self):
        runs = {("records", version): [("Fetch: all", {"offset": version // 3})] for version in (3, 4, 5, 6, 8)}
        text = answers.write(runs)
        self.assertIn("$ records / Fetch: all v3-5\n", text)
        self.assertEqual(answers.read(text), {("records", "Fetch: all", version): {"offset": version // 3} for version in (3, 4, 5, 6, 8)})


if __name__ == "__main__":
    unittest.main()
