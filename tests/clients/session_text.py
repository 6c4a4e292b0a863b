"""The transcript of a scripted session: steps, each a line `$ what was done` and the lines that it said, with all that may differ between
two runs against the same broker (names, ids, addresses, times, the width of columns) written as a word.
"""

import difflib
import re

ALWAYS = (
    (r"\s+", " "),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"(TopicId: )[\w-]{22}", r"\1ID"),
    (r"(FinalizedVersionLevel: .* Epoch: )\d+", r"\1N"),
    (r"(Cluster ID: )[\w-]{22}", r"\1ID"),
    (r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+\] ", ""),
    (r"/127\.0\.0\.1", "/HOST"),
)
# What Java's libraries say about themselves, on any broker.
NOISE = ("SLF4J:", "OpenJDK 64-Bit", "Picked up ", "WARNING: ")


class Transcript:
    def __init__(self, name, address):
        """`name`: what the session's topics, groups and ids begin with; `address`: the broker's."""
        self.name, self.address = name, address
        self.steps = []  # (title, lines)

    def plain(self, text, hide=()):
        text = text.replace(self.name, "session").replace(self.address, "HOST:PORT").replace(self.address.split(":")[1], "PORT")
        for pattern, word in (*hide, *ALWAYS):
            text = re.sub(pattern, word, text)
        return text.strip()

    def add(self, title, text, end=None, hide=(), only=None, ordered=True):
        """`end`: its last line; `hide`: (pattern, word) of what differs between runs; `only`: a pattern that a line must match to be told;
        not `ordered`: the order in which the lines come means nothing."""
        lines = [self.plain(line, hide) for line in text.splitlines() if line.strip() and not line.startswith(NOISE)]
        lines = [line for line in lines if only is None or re.search(only, line)]
        lines = (lines if ordered else sorted(lines)) + ([end] if end else [])
        self.steps.append((self.plain(title, hide), lines))

    def text(self):
        return "".join(f"$ {title}\n" + "".join(f"  {line}\n" for line in lines) for title, lines in self.steps)


def parse(text):
    """The steps of a transcript's text."""
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif line.startswith("  ") and steps:
            steps[-1][1].append(line[2:])
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"neither a step nor what it said: {line!r}")
    return steps


def parse_differences(text):
    """{(step's title, Apache Kafka's line or None): Tripos's line or None} of the Markdown table of intended differences."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 4:
            title, kafka, ours = (None if cell == "–" else cell.strip("`") for cell in cells[:3])
            found.setdefault((title, kafka), []).append(ours)
    return found


def apply(steps, differences, used):
    """What Apache Kafka's steps shall be here; `used` gets the differences that were met."""
    wanted = []
    for title, lines in steps:
        changed = []
        for line in lines:
            key = (title, line)
            if key in differences:
                used.add(key)
                changed += [ours for ours in differences[key] if ours is not None]
            else:
                changed.append(line)
        if (title, None) in differences:
            used.add((title, None))
            changed[-1:-1] = differences[(title, None)]  # before the exit code
        if changed != lines and lines[:-1] == sorted(lines[:-1]):
            changed[:-1] = sorted(changed[:-1])  # as it was, so that a line of ours has its place
        wanted.append((title, changed))
    return wanted


def compare(wanted, found):
    """(passed, title, why) for each step of either."""
    verdicts = []
    left = list(found)
    for title, lines in wanted:
        if not left or left[0][0] != title:
            verdicts.append((False, title, f"not done: {left[0][0] if left else 'the session ended'} came instead"))
            return verdicts
        said = left.pop(0)[1]
        changes = [change for change in difflib.unified_diff(lines, said, "Kafka", "here", n=0, lineterm="")
                   if not change.startswith(("---", "+++", "@@"))]
        verdicts.append((not changes, title, "; ".join(changes)[:600]))
    return verdicts + [(False, title, "a step that the transcript lacks") for title, _ in left]
