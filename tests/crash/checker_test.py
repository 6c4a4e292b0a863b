#!/usr/bin/env python3
"""The judge of the judge: for each kind of violation a history that has it, and only it; and a good history that has none."""

import copy
import sys
import unittest

sys.dont_write_bytecode = True
import checker  # noqa: E402


def write(number, offset, topic="plain", producer="p", outcome="ok", transaction=None, begin=None):
    begin = float(number) if begin is None else begin
    value = f"{producer}-{number}"
    event = {"op": "write", "producer": producer, "number": number, "topic": topic, "partition": 0, "value": value, "begin": begin,
             "end": begin + 0.5, "outcome": outcome, "transaction": transaction}
    return {**event, "offset": offset} if outcome == "ok" else event


def read(records, isolation="committed", topic="plain", begin=50.0, final=False, start=0, **more):
    return {"op": "read", "reader": "r", "isolation": isolation, "topic": topic, "partition": 0, "from": start,
            "records": [list(record) for record in records], "begin": begin, "end": begin + 0.5, "final": final, **more}


def final(records, topic="plain", committed=None):
    """Both final reads."""
    return [read(records, "uncommitted", topic, 100.0, True),
            read(records if committed is None else committed, "committed", topic, 100.0, True)]


def table(values, topics=("plain",), begin=60.0, last=False):
    return {"op": "table", "topics": list(topics), "values": values, "begin": begin, "end": begin + 0.5, "final": last}


def ends(begin, **which):
    return {"op": "ends", "topic": "plain", "partition": 0, "begin": begin, "end": begin + 0.5, **which}


def commit(offset, begin, outcome="ok", group="g"):
    return {"op": "commit", "group": group, "topic": "plain", "partition": 0, "offset": offset, "begin": begin, "end": begin + 0.5,
            "outcome": outcome}


def committed(offset, begin, last=False, group="g"):
    return {"op": "committed", "group": group, "topic": "plain", "partition": 0, "offset": offset, "begin": begin, "end": begin + 0.5,
            "final": last}


def transaction(identity, outcome, decided=20.0):
    return {"op": "transaction", "id": identity, "decided": decided, "begin": 10.0, "end": 30.0, "outcome": outcome}


PLAIN = [(0, "p-0"), (1, "p-1"), (2, "p-2")]
WRITES = [write(0, 0), write(1, 1), write(2, 2)]
GOOD = WRITES + final(PLAIN)

# Two transactions, each with a record in `left` and one in `right`; the second was aborted.
TRANSACTIONS = [
    write(0, 0, "left", "x", transaction="one", begin=11.0), write(1, 0, "right", "x", transaction="one", begin=12.0),
    write(2, 2, "left", "x", transaction="two", begin=31.0), write(3, 2, "right", "x", transaction="two", begin=32.0),
    transaction("one", "committed"), transaction("two", "aborted", 40.0),
]
BOTH = [*final([(0, "x-0"), (2, "x-2")], "left", [(0, "x-0")]), *final([(0, "x-1"), (2, "x-3")], "right", [(0, "x-1")])]
SIDES = ("left", "right")

COPY = {"op": "copy", "group": "c", "source": "plain", "target": "copied"}


def copied(values, offset=2):
    return GOOD + [COPY, committed(offset, 90.0, True, "c"), *final(list(enumerate(values)), "copied")]


class Histories(unittest.TestCase):
    def kinds(self, events):
        return {violation.kind for violation in checker.check(copy.deepcopy(events))}

    def assert_only(self, kind, events):
        self.assertEqual(self.kinds(events), {kind})

    def assert_good(self, events):
        self.assertEqual(checker.check(copy.deepcopy(events)), [])

    def test_a_good_history(self):
        self.assert_good(GOOD + [
            read(PLAIN[:2], begin=5.0), read(PLAIN[1:], "uncommitted", begin=6.0, start=1), read([], begin=6.5, start=3),
            ends(0.6, start=0, high=1), ends(7.0, start=0, high=3, stable=3), ends(6.9, high=3),
            commit(2, 8.0), committed(None, 1.0), committed(2, 9.0), committed(2, 90.0, True), read(PLAIN[:2], begin=7.5, group="g"),
            table(["p-0"], begin=0.7), table(["p-0", "p-1", "p-2"]), table(["p-0", "p-1", "p-2"], begin=101.0, last=True)])
        self.assert_good(TRANSACTIONS + BOTH + [
            table([], SIDES, 15.0), table(["x-0", "x-1"], SIDES, 35.0), table(["x-0"], ["left"], 35.0),
            read([(0, "x-0")], topic="left", begin=21.0)])
        self.assert_good(copied(["p-0", "p-1"]))

    def test_unknown_outcomes_may_go_either_way(self):
        self.assert_good(WRITES + [write(3, None, outcome="unknown")] + final(PLAIN))
        self.assert_good(WRITES + [write(3, None, outcome="unknown")] + final(PLAIN + [(3, "p-3")]))
        unsure = [*TRANSACTIONS[:5], transaction("two", "unknown", 40.0)]
        self.assert_good(unsure + BOTH)
        self.assert_good(unsure + final([(0, "x-0"), (2, "x-2")], "left") + final([(0, "x-1"), (2, "x-3")], "right"))
        self.assert_good(GOOD + [commit(3, 5.0, "unknown"), committed(None, 6.0), committed(3, 7.0), committed(3, 90.0, True),
                                 read(PLAIN, begin=4.0, group="g")])

    def test_lost_write(self):
        self.assert_only("lost write", WRITES + final(PLAIN[:2]))
        self.assert_only("lost write", WRITES + final([PLAIN[0], PLAIN[2]]))
        # Of a committed transaction: in the log, and not to be seen.
        self.assertIn("lost write", self.kinds(TRANSACTIONS + final([(0, "x-0"), (2, "x-2")], "left", [])
                                               + final([(0, "x-1"), (2, "x-3")], "right", [])))

    def test_changed_offset(self):
        self.assert_only("changed offset", [write(0, 0), write(1, 1), write(2, 3)] + final(PLAIN))
        self.assertIn("changed offset", self.kinds(GOOD + [read([(1, "p-2")], start=1)]))
        # Between two reads of which neither is the last one.
        self.assertIn("changed offset", self.kinds(GOOD + [read([(7, "q")], start=7), read([(7, "s")], start=7)]))

    def test_duplicate(self):
        self.assert_only("duplicate", WRITES + final(PLAIN + [(3, "p-2")]))

    def test_reordered(self):
        self.assert_only("reordered", [write(0, 1), write(1, 0), write(2, 2)] + final([(0, "p-1"), (1, "p-0"), (2, "p-2")]))

    def test_phantom(self):
        self.assert_only("phantom", GOOD[:-2] + final(PLAIN + [(3, "stranger")]))
        self.assert_only("phantom", WRITES + [write(3, None, outcome="failed")] + final(PLAIN + [(3, "p-3")]))
        self.assert_only("phantom", copied(["p-0", "p-1", "stranger"]))

    def test_vanished(self):
        self.assert_only("vanished", WRITES + [write(3, None, outcome="unknown")] + final(PLAIN) + [read(PLAIN + [(3, "p-3")])])

    def test_skipped(self):
        self.assert_only("skipped", GOOD + [read([PLAIN[0], PLAIN[2]])])
        self.assert_only("skipped", GOOD + [read([PLAIN[2]], "uncommitted", start=1)])

    def test_aborted_read(self):
        self.assertIn("aborted read", self.kinds(TRANSACTIONS + BOTH + [table(["x-0", "x-1", "x-2", "x-3"], SIDES, 45.0)]))
        self.assertIn("aborted read", self.kinds(TRANSACTIONS + BOTH + [read([(0, "x-0"), (2, "x-2")], topic="left")]))
        # What reads everything may see it.
        self.assert_good(TRANSACTIONS + BOTH + [read([(0, "x-0"), (2, "x-2")], "uncommitted", "left")])

    def test_dirty_read(self):
        self.assert_only("dirty read", TRANSACTIONS + BOTH + [table(["x-0", "x-1"], SIDES, 15.0)])
        self.assert_only("dirty read", TRANSACTIONS + BOTH + [read([(0, "x-0")], topic="left", begin=15.0)])

    def test_torn_transaction(self):
        self.assert_only("torn transaction", TRANSACTIONS + BOTH + [table(["x-0"], SIDES, 35.0)])
        unsure = [*TRANSACTIONS[:5], transaction("two", "unknown", 40.0)]
        self.assert_only("torn transaction", unsure + final([(0, "x-0"), (2, "x-2")], "left") + BOTH[2:])

    def test_an_open_transaction_holds_back_no_half(self):
        # Of `two` the record in `right` lies behind one of `one`, which is open (until 30) at 25: nothing of `two` is seen then.
        history = [
            write(0, 0, "right", "x", transaction="one", begin=11.0), write(0, 0, "left", "y", transaction="two", begin=12.0),
            write(1, 1, "right", "y", transaction="two", begin=13.0), transaction("one", "committed", 29.0),
            {**transaction("two", "committed", 14.0), "end": 15.0}, *final([(0, "y-0")], "left"), *final([(0, "x-0"), (1, "y-1")], "right")]
        self.assert_good(history + [table([], SIDES, 25.0)])
        self.assert_good(history + [table(["x-0", "y-0", "y-1"], SIDES, 35.0)])
        self.assert_only("torn transaction", history + [table(["y-0"], SIDES, 25.0)])
        self.assert_only("torn transaction", history + [table(["y-1"], SIDES, 25.0)])

    def test_end_went_back(self):
        for which in ("start", "high", "stable"):
            self.assert_only("end went back", GOOD + [ends(5.0, **{which: 4}), ends(6.0, **{which: 3})])
        # Questions that overlap may be answered in any order.
        self.assert_good(GOOD + [ends(5.0, stable=3), ends(5.2, stable=2)])

    def test_end_too_low(self):
        self.assert_only("end too low", GOOD + [ends(5.0, high=2)])

    def test_group_went_back(self):
        given = read(PLAIN, begin=3.5, group="g")
        self.assert_only("group went back", GOOD + [given, commit(3, 4.0), committed(2, 5.0), committed(3, 90.0, True)])
        self.assert_only("group went back", GOOD + [given, commit(3, 4.0), committed(None, 5.0), committed(3, 90.0, True)])
        self.assert_only("group went back", GOOD + [given, committed(3, 4.0), committed(2, 5.0), committed(3, 90.0, True)])

    def test_missed(self):
        self.assert_only("missed", GOOD + [commit(3, 4.0), committed(3, 90.0, True), read(PLAIN[:2], begin=3.0, group="g")])

    def test_copies(self):
        self.assert_only("copied twice", copied(["p-0", "p-1", "p-1"]))
        self.assert_only("not copied", copied(["p-0"]))
        self.assert_only("copied too early", copied(["p-0", "p-1", "p-2"]))

    def test_stale_table(self):
        self.assert_only("stale table", GOOD + [table(["p-0", "p-1"])])

    def test_table_differs(self):
        self.assert_only("table differs", GOOD + [table(["p-0", "p-1"], begin=101.0, last=True)])
        self.assert_only("table differs", GOOD + [table(["p-0", "p-1", "p-2", "p-2"], begin=101.0, last=True)])
        self.assert_only("table differs", GOOD + [table(["p-0", "p-0", "p-1", "p-2"])])

    def test_wrong_count(self):
        count = {"op": "count", "topic": "plain", "begin": 101.0, "end": 102.0}
        self.assert_good(GOOD + [{**count, "count": 3}])
        self.assert_only("wrong count", GOOD + [{**count, "count": 2}])

    def test_incomplete(self):
        self.assert_only("incomplete", WRITES[:0] + final(PLAIN[:0]))
        self.assertIn("incomplete", self.kinds(WRITES))
        self.assertIn("incomplete", self.kinds(TRANSACTIONS[:5] + BOTH))
        self.assertIn("incomplete", self.kinds(GOOD + [commit(1, 5.0)]))

    def test_each_kind_has_a_test(self):
        with open(__file__) as file:
            text = file.read()
        for kind in checker.KINDS:
            self.assertIn(f'"{kind}"', text)


if __name__ == "__main__":
    unittest.main()
