#!/usr/bin/env python3
"""What is read of other projects' test suites, and how it is held against docs/reference/suites.md."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import franz_suite  # noqa: E402
import librdkafka_suite  # noqa: E402
import suites  # noqa: E402

PAGE = """| suite | test | Tripos | Apache Kafka | why |
|---|---|---|---|---|
| a | `two*` | skips | passes | not served |
"""


class Page(unittest.TestCase):
    def verdicts(self, results, on_kafka=False):
        return [good for good, _, _ in suites.hold_against(suites.parse_page(PAGE), "a", results, on_kafka)]

    def test_a_test_that_is_not_named_must_pass(self):
        named = {"two-1": ("skips", "")}
        self.assertEqual(self.verdicts({"one": ("passes", ""), **named}), [True, True, True])
        for state in ("fails", "skips"):
            self.assertEqual(self.verdicts({"one": (state, ""), **named}), [False, True, True])

    def test_a_test_that_is_named_must_do_what_the_page_says(self):
        for state in ("passes", "fails"):
            self.assertEqual(self.verdicts({"two-1": (state, "")}), [False, True])
        self.assertEqual(self.verdicts({"two-1": ("passes", "")}, on_kafka=True), [True, True])
        self.assertEqual(self.verdicts({"two-1": ("skips", "")}, on_kafka=True), [False, True])

    def test_a_row_that_no_test_needs_fails(self):
        self.assertEqual(self.verdicts({"one": ("passes", "")}), [True, False])

    def test_a_row_without_a_reason_or_a_known_result_is_refused(self):
        for row in ("| a | `x` | skips | passes | |", "| a | `x` | hangs | passes | so |", "| a | `x` | passes | passes | so |"):
            with self.assertRaises(ValueError):
                suites.parse_page(row)

    def test_the_page_itself_can_be_read(self):
        with open(suites.PAGE) as file:
            self.assertEqual({row.suite for row in suites.parse_page(file.read())}, {"franz-go", "librdkafka"})


class Franz(unittest.TestCase):
    def test_those_that_talk_to_a_broker_are_chosen(self):
        source = ("func TestA(t *testing.T) {\n\ttopic, _ := tmpTopic(t)\n}\n\nfunc TestB(t *testing.T) {\n}\n\n"
                  "func help() { newTestClient() }\n")
        self.assertEqual(franz_suite.tests_of_a_broker([source]), ["TestA"])

    def test_results_are_read_with_their_reasons(self):
        said = """=== RUN   TestA
=== RUN   TestA/part
    a_test.go:7: it broke
    a_test.go:9: deleting topic x
--- FAIL: TestA (1.00s)
    --- FAIL: TestA/part (1.00s)
=== RUN   TestB
--- PASS: TestB (0.00s)
=== RUN   TestC
    c_test.go:1: not here
--- SKIP: TestC (0.00s)
=== RUN   TestD
panic: oh
"""
        self.assertEqual(franz_suite.parse(said), {
            "TestA": ("fails", ""), "TestA/part": ("fails", "it broke"), "TestB": ("passes", ""), "TestC": ("skips", "not here"),
            "TestD": ("fails", "it did not end")})


class Librdkafka(unittest.TestCase):
    TABLE = """struct test tests[] = {
    _TEST(0001_local, TEST_F_LOCAL),
    _TEST(0002_one, 0, TEST_BRKVER(0, 9, 0, 0)),
    _TEST(0002_two,
          0,
          .scenario = "noautocreate"),
    _TEST(8000_idle, TEST_F_MANUAL),
    {NULL}};"""

    def test_those_that_need_a_broker_are_chosen(self):
        self.assertEqual(librdkafka_suite.tests_of_a_broker(self.TABLE),
                         [("0002", "0002_one", "default"), ("0002", "0002_two", "noautocreate")])

    def test_results_are_read_from_the_summary(self):
        said = ("| 0002_one        |     PASSED |   1.2s |\n| 0002_two |    SKIPPED |   0.0s | not here\n|  0003_x |   FAILED | 1s |\n"
                "Test assertion failed: \"a\": b\n")
        self.assertEqual(librdkafka_suite.state_of_test("0002_one", said), ("passes", ""))
        self.assertEqual(librdkafka_suite.state_of_test("0002_two", said), ("skips", "not here"))
        self.assertEqual(librdkafka_suite.state_of_test("0003_x", said), ("fails", '"a": b'))
        self.assertEqual(librdkafka_suite.state_of_test("0004_aborted", said)[0], "fails")

    def test_a_part_passes_only_if_it_ran(self):
        row = "| 0081_admin |     PASSED |   1.2s |\n"
        self.assertEqual(librdkafka_suite.state_of_part("do_test_a", "0081_admin", "[ do_test_a:7: PASS (1s) ]\n" + row), ("passes", ""))
        self.assertEqual(librdkafka_suite.state_of_part("do_test_a", "0081_admin", "[ do_test_a:7: SKIP: no ]\n" + row)[0], "skips")
        self.assertIsNone(librdkafka_suite.state_of_part("do_test_a", "0081_admin", row))
        self.assertEqual(librdkafka_suite.state_of_part("do_test_a", "0081_admin", "[ do_test_a:7 ]\n")[0], "fails")


if __name__ == "__main__":
    unittest.main()
