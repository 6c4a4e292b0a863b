"""Answers in a form in which two brokers', or two runs of one, can be held against each other: all that may differ between them is a word;
lists without an order are sorted. And their file: the answers of Apache Kafka, kept.

The file has steps, each a line `$ scenario / request: label versions` with the answer in the next line; versions whose answer is the same
share a step. Fields that say nothing (no error, no throttling) are left out.
"""

import itertools
import json
import re
import time

NOW_RANGE_MS = 24 * 3600 * 1000
# By the names of their fields: a word, and a number in the order in which they come.
NUMBERED = {"topicId": "TOPIC", "memberId": "MEMBER", "leader": "MEMBER", "producerId": "PRODUCER", "sessionId": "SESSION"}
NOTHING = {"topicId": ("AAAAAAAAAAAAAAAAAAAAAA",), "memberId": ("",), "leader": ("", -1, 0, 1), "producerId": (-1, 0), "sessionId": (0,)}
WORDS = {"clusterId": "CLUSTER", "host": "HOST", "port": "PORT", "clientHost": "HOST", "logDir": "DIRECTORY"}
ORDERED = {"records"}


class Normaliser:
    """Of one scene: the same id gets the same word in all its answers."""

    def __init__(self, prefix, topics=None, time_ms=0):
        """`topics`: {id: name} of those that the scene knows; `time_ms`: of its first record."""
        self.prefix, self.topics, self.time_ms = prefix, dict(topics or {}), time_ms
        self.now_ms = time.time() * 1000
        self.ids = {}

    def plain(self, answer):
        return self.numbered(self.arranged(answer))

    def arranged(self, value, key=None):
        """All but the numbered ids, whose order is that of the lists."""
        if isinstance(value, dict):
            return {name: self.arranged(each, name) for name, each in value.items() if not self.says_nothing(name, each)}
        if isinstance(value, list):
            kept = [self.arranged(each, key) for each in value if not self.is_strange(each)]
            if key not in ORDERED and kept:
                kept.sort(key=lambda each: json.dumps(self.masked(each), sort_keys=True))
            return kept
        if key in ("errorMessage", "batchIndexErrorMessage") and value:
            return "…"
        if key in WORDS and value not in (None, "", -1):
            return WORDS[key]
        if isinstance(value, str):
            return value.replace(self.prefix, "s")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value - self.time_ms < 1000:
            return f"T+{value - self.time_ms}"
        if isinstance(value, int) and not isinstance(value, bool) and abs(value - self.now_ms) < NOW_RANGE_MS:
            return "NOW"
        return value

    @staticmethod
    def says_nothing(name, value):
        return (name in ("errorCode", "throttleTimeMs") and value == 0) or (name in ("errorMessage", "batchIndexErrorMessage")
                                                                            and value is None)

    def is_strange(self, entry):
        """What belongs to another scene, or to whoever else uses the broker, in a list of all that there is."""
        if not isinstance(entry, dict):
            return False
        owners = [entry.get(key) for key in ("groupId", "transactionalId")]
        return any(isinstance(name, str) and name and not name.startswith(self.prefix) for name in owners)

    def masked(self, value):
        if isinstance(value, dict):
            return {name: "ID" if self.is_id(name, each) else self.masked(each) for name, each in value.items()}
        return [self.masked(each) for each in value] if isinstance(value, list) else value

    @staticmethod
    def is_id(name, value):
        return name in NUMBERED and isinstance(value, (str, int)) and value not in NOTHING[name]

    def numbered(self, value):
        if isinstance(value, dict):
            topic = value.get("name", value.get("topicName", value.get("topic")))
            if topic and value.get("topicId") not in (None, *NOTHING["topicId"]):
                self.topics[value["topicId"]] = topic
            return {name: self.number(name, each) if self.is_id(name, each) else self.numbered(each) for name, each in value.items()}
        return [self.numbered(each) for each in value] if isinstance(value, list) else value

    def number(self, name, value):
        if name == "topicId" and value in self.topics:
            return "ID of " + self.topics[value].replace(self.prefix, "s")
        word = NUMBERED[name]
        count = sum(1 for known, _ in self.ids if known == word)
        return self.ids.setdefault((word, value), f"{word}-{count + 1}")


def text_of(answer):
    return json.dumps(answer, sort_keys=True, ensure_ascii=False)


# --- The file


def ranges(versions):
    """2, 3, 4, 7 → 2-4,7"""
    runs = itertools.groupby(enumerate(sorted(versions)), lambda pair: pair[1] - pair[0])
    groups = [[number for _, number in run] for _, run in runs]
    return ",".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in groups)


def numbers(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def write(runs):
    """`runs`: {(scenario, version): [(label, answer)]} → the file's text."""
    steps = {}
    for (scenario, version), run in runs.items():
        for label, answer in run:
            steps.setdefault((scenario, label), {}).setdefault(text_of(answer), []).append(version)
    return "".join(f"$ {scenario} / {label} v{ranges(versions)}\n  {text}\n" for (scenario, label), answers in steps.items()
                   for text, versions in answers.items())


def read(text):
    """{(scenario, label, version): answer}"""
    found, title = {}, None
    for line in text.splitlines():
        if line.startswith("$ "):
            title = re.fullmatch(r"\$ (.*?) / (.*) v([\d,-]+)", line)
        elif line.startswith("  "):
            for version in numbers(title[3]):
                found[(title[1], title[2], version)] = json.loads(line)
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"neither a step nor its answer: {line!r}")
    return found


# --- Comparing

KEYS = ("name", "topicName", "topic", "topicId", "groupId", "transactionalId", "memberId", "resourceName", "partitionIndex", "partition",
        "index", "nodeId")


def keyed(entries):
    """{key: entry} of a list whose entries each have a key of their own, or None."""
    for key in KEYS:
        if all(isinstance(each, dict) and each.get(key) not in (None, "") for each in entries):
            found = {each[key]: each for each in entries}
            if len(found) == len(entries):
                return found
    return None


def differences(kafka, ours, path=""):
    """(path, Apache Kafka's value or None, ours or None) of all that differs, values as text."""
    if isinstance(kafka, dict) and isinstance(ours, dict):
        for key in sorted(kafka.keys() | ours.keys()):
            inner = f"{path}.{key}" if path else key
            if key not in kafka or key not in ours:
                yield inner, text_of(kafka[key]) if key in kafka else None, text_of(ours[key]) if key in ours else None
            else:
                yield from differences(kafka[key], ours[key], inner)
        return
    if isinstance(kafka, list) and isinstance(ours, list):
        theirs, here = keyed(kafka), keyed(ours)
        if theirs is not None and here is not None and (theirs or here):
            for key in sorted(theirs.keys() | here.keys(), key=str):
                inner = f"{path}[{key}]"
                if key not in theirs or key not in here:
                    yield inner, text_of(theirs[key]) if key in theirs else None, text_of(here[key]) if key in here else None
                else:
                    yield from differences(theirs[key], here[key], inner)
            return
        if len(kafka) == len(ours):
            for each, other in zip(kafka, ours):
                yield from differences(each, other, path + "[]")
            return
    if kafka != ours:
        yield path, text_of(kafka), text_of(ours)
