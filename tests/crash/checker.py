#!/usr/bin/env python3
"""Judges the history of a run (history.py), as Jepsen's test of Kafka does: checker.py HISTORY…

check() returns violations. Each has a kind, of which KINDS says what it means; checker_test.py has a history for each.
No server, no clock, no client library: whatever it says can be checked again from the saved file.
"""

import collections
import dataclasses
import sys

import history

KINDS = {
    "lost write": "an acknowledged record is not in the log",
    "changed offset": "an offset held one record, and later another; or an acknowledged record lies elsewhere",
    "duplicate": "a record that was sent once is in the log twice",
    "reordered": "a partition has a producer's records in another order than they were sent in",
    "phantom": "the log has a record that nobody sent, or whose sending was refused",
    "vanished": "a record that somebody has read is gone",
    "skipped": "a reader was not given a record that lies between two that it was given",
    "aborted read": "a record of an aborted transaction was seen by one who reads what is committed",
    "dirty read": "a record was seen as committed before its producer asked for the commit",
    "torn transaction": "some records of a transaction are seen and others are not",
    "end went back": "a log start, high watermark or last stable offset was seen, and later a lower one",
    "end too low": "a high watermark lies below what was acknowledged before it was asked for",
    "group went back": "a group's committed offset is behind one that was acknowledged or seen before",
    "missed": "a group has committed offsets beyond a record that none of its members was given",
    "copied twice": "an exactly-once copy has a record more than once",
    "not copied": "an exactly-once copy lacks a record that its group's offsets have passed",
    "copied too early": "an exactly-once copy has a record that its group's offsets have not passed",
    "stale table": "a table's answer lacks a record that was acknowledged before the question",
    "table differs": "the table does not hold what the log holds",
    "wrong count": "`tripos sql` counts other than what the log holds",
    "incomplete": "the history lacks what is needed to judge it",
}
REPORTED_OF_A_KIND = 5


@dataclasses.dataclass(frozen=True)
class Violation:
    kind: str
    what: str


class Checker:
    def __init__(self, events):
        self.violations = []
        by_op = collections.defaultdict(list)
        for event in events:
            by_op[event["op"]].append(event)
        self.writes = by_op["write"]
        self.transactions = {each["id"]: each for each in by_op["transaction"]}
        self.reads = by_op["read"]
        self.ends = by_op["ends"]
        self.commits = by_op["commit"]
        self.committed = by_op["committed"]
        self.tables = by_op["table"]
        self.copies = by_op["copy"]
        self.counts = by_op["count"]
        self.write_of = {write["value"]: write for write in self.writes}
        self.members = collections.defaultdict(list)  # of a transaction
        for write in self.writes:
            if write["transaction"] is not None:
                self.members[write["transaction"]].append(write)
        # Of each partition the final reads: (topic, partition) → [(offset, value)…]
        self.log = self.final_read("uncommitted")
        self.visible = self.final_read("committed")
        self.visible_values = collections.Counter(value for records in self.visible.values() for _, value in records)

    def fail(self, kind, what):
        assert kind in KINDS
        self.violations.append(Violation(kind, what))

    def final_read(self, isolation):
        found = {}
        for read in self.reads:
            if not read.get("final") or read["isolation"] != isolation:
                continue
            found[read["topic"], read["partition"]] = [tuple(record) for record in read["records"]]
        return found

    def check(self):
        self.check_complete()
        self.check_offsets()
        self.check_writes()
        self.check_order()
        self.check_reads()
        self.check_transactions()
        self.check_ends()
        self.check_group_offsets()
        self.check_delivery()
        self.check_copies()
        self.check_tables()
        self.check_counts()
        return self.violations

    # --- Records

    def check_complete(self):
        if not any(write["outcome"] == "ok" for write in self.writes):
            self.fail("incomplete", "no write was acknowledged")
        for place in sorted({(write["topic"], write["partition"]) for write in self.writes}):
            if place not in self.log or place not in self.visible:
                self.fail("incomplete", f"{place} was not read in the end")
        for identity in self.members:
            if identity not in self.transactions:
                self.fail("incomplete", f"nothing is said of transaction {identity}")

    def check_offsets(self):
        """Whatever anybody has ever seen at an offset is the same."""
        held = {}
        for read in self.reads:
            for offset, value in read["records"]:
                known = held.setdefault((read["topic"], read["partition"], offset), value)
                if known != value:
                    self.fail("changed offset", f"{read['topic']}-{read['partition']}@{offset} was {known} and is {value}")

    def check_writes(self):
        places = collections.defaultdict(list)
        for (topic, partition), records in self.log.items():
            for offset, value in records:
                places[value].append((topic, partition, offset))
        for value, found in places.items():
            write = self.write_of.get(value)
            if len(found) > 1 and not self.is_copy(value, found):
                self.fail("duplicate", f"{value} is at {found}")
            if write is None:
                if not all(self.is_copy_target(topic) for topic, _, _ in found):
                    self.fail("phantom", f"{value} at {found[0]} was never sent")
            elif write["outcome"] == "failed":
                self.fail("phantom", f"{value} at {found[0]} was refused by its own client")
        for write in self.writes:
            if write["outcome"] != "ok":
                continue
            where = (write["topic"], write["partition"], write["offset"])
            found = [place for place in places.get(write["value"], []) if not self.is_copy_target(place[0])]
            if not found:
                self.fail("lost write", f"{write['value']} was acknowledged at {where}")
            elif where not in found:
                self.fail("changed offset", f"{write['value']} was acknowledged at {where} and is at {found[0]}")

    def is_copy_target(self, topic):
        return any(copy["target"] == topic for copy in self.copies)

    def is_copy(self, value, places):
        """Copies bear the value of what they copy; that each is there once is check_copies' (aborted attempts lie in the log, too)."""
        return len([place for place in places if not self.is_copy_target(place[0])]) <= 1

    def check_order(self):
        for (topic, partition), records in self.log.items():
            if self.is_copy_target(topic):
                continue
            last = {}
            for offset, value in records:
                write = self.write_of.get(value)
                if write is None:
                    continue
                before = last.get(write["producer"])
                if before is not None and write["number"] < before:
                    self.fail("reordered", f"{topic}-{partition}@{offset}: {write['producer']} sent {write['number']} before {before}")
                last[write["producer"]] = write["number"]

    def check_reads(self):
        for read in self.reads:
            records = [tuple(record) for record in read["records"]]
            if read.get("final") or not records:
                continue
            place = (read["topic"], read["partition"])
            final = (self.visible if read["isolation"] == "committed" else self.log).get(place)
            if final is None:
                continue
            last = records[-1][0]
            there = {offset: value for offset, value in final if read["from"] <= offset <= last}
            seen = dict(records)
            for offset, value in records:
                if offset not in there:
                    self.fail("vanished", f"{place}@{offset}: {read['reader']} has read {value}")
            for offset, value in there.items():
                if offset not in seen:
                    self.fail("skipped", f"{place}@{offset}: {read['reader']} read {read['from']} to {last} without {value}")

    # --- Transactions

    def check_transactions(self):
        for read in self.reads:
            if read["isolation"] == "committed":
                self.check_seen([value for _, value in read["records"]], read["end"], f"{read['reader']}", read["topic"])
        for table in self.tables:
            self.check_seen(table["values"], table["end"], "SQL", None)
            self.check_whole(collections.Counter(table["values"]), table["topics"], "an SQL answer")
        self.check_whole(self.visible_values, None, "the log")
        for identity, writes in self.members.items():
            if self.transactions.get(identity, {}).get("outcome") != "committed":
                continue
            for write in writes:
                if not self.visible_values[write["value"]]:
                    self.fail("lost write", f"{write['value']} of the committed transaction {identity} is not seen")

    def check_seen(self, values, end, who, topic):
        if topic is not None and self.is_copy_target(topic):
            return  # copies bear their sources' values
        for value in values:
            identity = self.write_of.get(value, {}).get("transaction")
            if identity is None or identity not in self.transactions:
                continue
            transaction = self.transactions[identity]
            if transaction["outcome"] == "aborted":
                self.fail("aborted read", f"{who} saw {value} of the aborted transaction {identity}")
            elif end < transaction["decided"]:
                self.fail("dirty read", f"{who} saw {value} before {identity} was to be committed")

    def check_whole(self, seen, topics, where):
        for identity, writes in self.members.items():
            sent = [write for write in writes if write["outcome"] != "failed" and (topics is None or write["topic"] in topics)]
            missing = [write for write in sent if not seen[write["value"]]]
            if 0 < len(missing) < len(sent):
                self.fail("torn transaction", f"{where} has {len(sent) - len(missing)} of the {len(sent)} records of {identity}")

    # --- Ends and groups

    def check_ends(self):
        places = collections.defaultdict(list)
        for each in self.ends:
            places[each["topic"], each["partition"]].append(each)
        for place, observed in places.items():
            for which in ("start", "high", "stable"):
                chosen = [(each["begin"], each["end"], each[which]) for each in observed if which in each]
                for before, after in went_back(chosen):
                    self.fail("end went back", f"{place}: {which} was {before} and then {after}")
            acknowledged = [(write["begin"], write["end"], write["offset"] + 1) for write in self.writes
                            if write["outcome"] == "ok" and (write["topic"], write["partition"]) == place]
            highs = [(each["begin"], each["end"], each["high"]) for each in observed if "high" in each]
            for before, after in went_back(highs, acknowledged):
                self.fail("end too low", f"{place}: the high watermark is {after}, and {before - 1} was acknowledged")

    def check_group_offsets(self):
        seen, promised = collections.defaultdict(list), collections.defaultdict(list)
        for each in self.committed:
            offset = -1 if each["offset"] is None else each["offset"]
            seen[each["group"], each["topic"], each["partition"]].append((each["begin"], each["end"], offset))
        for each in self.commits:
            if each["outcome"] == "ok":
                promised[each["group"], each["topic"], each["partition"]].append((each["begin"], each["end"], each["offset"]))
        for place, observed in seen.items():
            for before, after in went_back(observed, observed + promised[place]):
                self.fail("group went back", f"{place}: {before} was committed, and then it is {after}")

    def check_delivery(self):
        final = {(each["group"], each["topic"], each["partition"]): each["offset"] for each in self.committed if each.get("final")}
        copying = {copy["group"] for copy in self.copies}
        delivered = collections.defaultdict(set)
        for read in self.reads:
            if read.get("group"):
                delivered[read["group"], read["topic"], read["partition"]].update(offset for offset, _ in read["records"])
        for place in sorted({(each["group"], each["topic"], each["partition"]) for each in self.commits} - set(final)):
            self.fail("incomplete", f"{place} was not asked for in the end")
        for (group, topic, partition), offset in final.items():
            if offset is None or group in copying:
                continue
            for at, value in self.visible.get((topic, partition), []):
                if at < offset and at not in delivered[group, topic, partition]:
                    self.fail("missed", f"{group} has committed {offset} of {topic}-{partition}, and nobody was given {value} at {at}")

    def check_copies(self):
        for copy in self.copies:
            passed = {(each["topic"], each["partition"]): each["offset"] for each in self.committed
                      if each.get("final") and each["group"] == copy["group"]}
            copies = collections.Counter(value for (topic, _), records in self.visible.items() if topic == copy["target"]
                                         for _, value in records)
            sources = [(place, record) for place, records in self.visible.items() if place[0] == copy["source"] for record in records]
            for value, count in copies.items():
                if count > 1:
                    self.fail("copied twice", f"{copy['target']} has {value} {count} times")
            for place, (offset, value) in sources:
                is_passed = offset < (passed.get(place) or 0)
                if is_passed and value not in copies:
                    self.fail("not copied", f"{copy['target']} lacks {value}, {copy['group']} has passed {place}@{offset}")
                if not is_passed and value in copies:
                    self.fail("copied too early", f"{copy['target']} has {value}, {copy['group']} has not passed {place}@{offset}")
            for value in copies.keys() - {value for _, (_, value) in sources}:
                self.fail("phantom", f"{copy['target']} has {value}, which {copy['source']} has not")

    # --- Tables

    def check_counts(self):
        for each in self.counts:
            expected = sum(len(records) for (topic, _), records in self.visible.items() if topic == each["topic"])
            if each["count"] != expected:
                self.fail("wrong count", f"{each['count']} records of {each['topic']} were counted, {expected} are there")

    def check_tables(self):
        transactional = {write["topic"] for write in self.writes if write["transaction"] is not None}
        for table in self.tables:
            values = collections.Counter(table["values"])
            if table.get("final"):
                expected = collections.Counter(value for (topic, _), records in self.visible.items() if topic in table["topics"]
                                               for _, value in records)
                for value in (expected - values).keys():
                    self.fail("table differs", f"the table of {table['topics']} lacks {value}")
                for value in (values - expected).keys():
                    self.fail("table differs", f"the table of {table['topics']} has {value} once too often")
                continue
            # Where there are transactions, an open one may hold back what was acknowledged behind it.
            for write in self.writes:
                must = write["outcome"] == "ok" and write["end"] < table["begin"] and write["topic"] in table["topics"]
                if must and write["topic"] not in transactional and not values[write["value"]]:
                    self.fail("stale table",
                              f"{write['value']} was acknowledged at {write['end']:.3f}, the question came at {table['begin']:.3f}")
            for value, count in values.items():
                if count > 1:
                    self.fail("table differs", f"an answer of {table['topics']} has {value} {count} times")


def went_back(observed, before=None):
    """Pairs (earlier value, later lower one) of (begin, end, value), where the earlier ended before the later began."""
    ended = sorted(observed if before is None else before, key=lambda each: each[1])
    highest, at = None, 0
    for begin, _, value in sorted(observed):
        while at < len(ended) and ended[at][1] < begin:
            highest = ended[at][2] if highest is None else max(highest, ended[at][2])
            at += 1
        if highest is not None and value < highest:
            yield highest, value


def check(events):
    return Checker(events).check()


def report(violations):
    """Lines for people: each kind with its first few."""
    kinds = collections.defaultdict(list)
    for violation in violations:
        kinds[violation.kind].append(violation.what)
    for kind, all_of_it in kinds.items():
        yield f"{kind.upper()} ({len(all_of_it)}): {KINDS[kind]}"
        yield from (f"  {what}" for what in all_of_it[:REPORTED_OF_A_KIND])


def main():
    failed = False
    for path in sys.argv[1:]:
        events = history.load(path)
        violations = check(events)
        failed = failed or bool(violations)
        print(f"{path}: {len(events)} events, {len(violations)} violations", *report(violations), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
