"""The differences between Tripos's answers and Apache Kafka's that are meant: rows of a table in docs/reference/differences.md,

    | `scenario / Request: case` | `field` | Apache Kafka | Tripos | why |

`*` stands for anything, – for no such field. Where a row names an error code, what else differs beside that code follows from it: an error
has no offsets, a refusal no members. Tripos may give a message where Kafka gives none, and the words of messages are nobody's concern.
"""

import dataclasses
import os
import re

import answers

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "reference", "differences.md")
CODES = ("errorCode", "silent", "closed")


def pattern(text):
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.S)


@dataclasses.dataclass(frozen=True)
class Row:
    case: str
    field: str
    kafka: str  # None: no such field
    ours: str

    def text(self):
        return f"{self.case} {self.field}: {self.kafka} / {self.ours}"

    def allows(self, case, field, kafka, ours):
        return (self.matches(self.case, case) and self.matches(self.field, field) and self.matches(self.kafka, kafka)
                and self.matches(self.ours, ours))

    @staticmethod
    def matches(wanted, found):
        if wanted is None or found is None:
            return wanted == found or wanted == "*"
        return pattern(wanted).fullmatch(found) is not None


def parse(text):
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 5:
            case, field, kafka, ours = (None if cell == "–" else cell.strip("`") for cell in cells[:4])
            rows.append(Row(case, field, kafka, ours))
    return rows


def read():
    with open(TABLE) as file:
        return parse(file.read())


def is_message(field, kafka, ours):
    return field.endswith(("rrorMessage",)) and kafka in (None, "null", '""') and ours == '"…"'


def remaining(case, differences, rows, used):
    """Those that no row allows; `used` gets the rows that were needed."""
    left, entries = [], []
    for field, kafka, ours in differences:
        if is_message(field, kafka, ours):
            continue
        row = next((row for row in rows if row.allows(case, field, kafka, ours)), None)
        if row is None:
            left.append((field, kafka, ours))
            continue
        used.add(row)
        if field.split(".")[-1] in CODES:
            entries.append(field.rpartition(".")[0])
    return [(field, kafka, ours) for field, kafka, ours in left
            if not any(entry == "" or field.startswith(entry + ".") for entry in entries)]


def judge(wanted, runs, rows):
    """({scenario: [what differs]}, the rows that were needed) of {(scenario, label, version): answer} and {(scenario, version): steps}."""
    found = {(scenario, label, version): answer for (scenario, version), steps in runs.items() for label, answer in steps}
    verdicts, used = {}, set()
    for key in sorted(wanted.keys() | found.keys(), key=str):
        scenario, label, version = key
        told = verdicts.setdefault(scenario, [])
        if key not in wanted or key not in found:
            told.append(f"{label} v{version}: {'not asked' if key in wanted else 'Apache Kafka was not asked'}")
            continue
        differences = list(answers.differences(wanted[key], found[key]))
        told += [f"{label} v{version}: {field} is {ours}, with Kafka {kafka}" for field, kafka, ours in
                 remaining(f"{scenario} / {label}", differences, rows, used)]
    return verdicts, used
