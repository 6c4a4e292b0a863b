"""What other projects' own test suites share: what they say against Tripos is held against what they say against Apache Kafka.

docs/reference/suites.md names each test whose result is not "passes", with the reason; a test that is not named must pass. A row that no
test of its suite needs is a failure, so that the page says what is.
"""

import fnmatch
import os
import re

from checks import HERE, check

PAGE = os.path.join(HERE, "..", "..", "docs", "reference", "suites.md")
STATES = ("passes", "fails", "skips")


class Row:
    def __init__(self, suite, test, tripos, kafka, why):
        self.suite, self.test, self.tripos, self.kafka, self.why = suite, test, tripos, kafka, why


def parse_page(text):
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| ") or cells[0] == "suite":
            continue
        row = Row(*cells)
        row.test = row.test.strip("`")
        if row.tripos not in STATES or row.kafka not in STATES or not row.why or (row.tripos, row.kafka) == ("passes", "passes"):
            raise ValueError(f"suites.md: this row says nothing that can be judged: {line}")
        rows.append(row)
    return rows


def expected(rows, suite, test):
    """The first row that names the test, or None: it passes."""
    return next((row for row in rows if row.suite == suite and fnmatch.fnmatchcase(test, row.test)), None)


def hold_against(rows, suite, results, on_kafka):
    """(good, what, why) for each of `results`, {test: (state, why)}, and one for the page."""
    used = set()
    for test, (state, why) in sorted(results.items()):
        row = expected(rows, suite, test)
        used.add(row)
        wanted = "passes" if row is None else row.kafka if on_kafka else row.tripos
        yield state == wanted, f"{test} {wanted}{f': {row.why}' if row and wanted != 'passes' else ''}", f"it {state}: {why}"
    unused = [row.test for row in rows if row.suite == suite and row not in used]
    yield not unused, "each row of docs/reference/suites.md is needed", ", ".join(unused)


def judge(suite, results, on_kafka):
    with open(PAGE) as file:
        rows = parse_page(file.read())
    for good, what, why in hold_against(rows, suite, results, on_kafka):
        check(what, good, re.sub(r"[()]", "", why)[-300:])
