#!/usr/bin/env python3
"""The judge of judges: a client that fails in any way shows as failed in compat.py's verdict."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compat  # noqa: E402
import session_text  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
