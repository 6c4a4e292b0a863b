"""Attempts for tests: built by hand, and what is true of them computed in Python, without a line of Tripos' own."""

import copy
import datetime
import glob
import json
import os
from collections import defaultdict

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
START = datetime.datetime(2021, 3, 1, 9, 0, 0, tzinfo=datetime.timezone.utc)


def the_firms_file():
    """The path of the firm's file, or None."""
    places = [os.environ.get("TRIPOS_ATTEMPTS_FILE", "")] + glob.glob(os.path.join(ROOT, "..", "shared", "data", "attempts", "*.json"))
    return next((place for place in places if place and os.path.exists(place)), None)


def iso(seconds):
    return (START + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text):
    """Seconds since 1970 of a time, or None."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def rule(question):
    checked = [option for option in question["options"] if option.get("checked")]
    right = [option for option in question["options"] if option.get("correct")]
    if not checked:
        return "unanswered"
    if any(not option.get("correct") for option in checked):
        return "incorrect"
    return "correct" if len(checked) == len(right) else "missed_some"


COUNTED_AS = {"correct": "correct", "missed_some": "incomplete", "incorrect": "incorrect", "unanswered": "unanswered"}


def marked(attempt):
    """Writes the marks that follow from the answers."""
    counts = dict.fromkeys(("incomplete", "submitted", "incorrect", "correct", "total", "unanswered"), 0)
    for question in attempt["sequences"]["questions"]:
        mark = rule(question)
        question.update(user_result=mark, user_correct=mark == "correct", user_incomplete=mark == "missed_some",
                        user_submitted=mark != "unanswered")
        counts[COUNTED_AS[mark]] += 1
        counts["total"] += 1
        counts["submitted"] += mark != "unanswered"
    counts["all_correct"] = counts["correct"] == counts["total"]
    attempt["sequences"]["counts"] = counts
    return attempt


def attempt(number, checked, exam="Optics", key=("x..", "xx.", ".x"), started=None, took=100, **fields):
    """`key`, `checked`: for each question a letter an option: x where it is right, or checked."""
    started = number * 1000 if started is None else started
    questions = []
    for i, (right, chosen) in enumerate(zip(key, checked)):
        options = []
        for j, (is_right, is_checked) in enumerate(zip(right, chosen)):
            option = {"checked": is_checked == "x", "id": f"{exam}-q{i}-o{j}"}
            if is_checked == "x":
                option["at"] = iso(started + 10 + i)
                option["submitted"] = 1
            if is_right == "x":
                option["correct"] = True
            options.append(option)
        questions.append({"id": f"{exam}-q{i}", "options": options})
    recorded = str(START.timestamp() + started + took)
    made = {"keen_timestamp": recorded, "max_attempts": "1.0", "started_at": iso(started), "base_exam_id": f"id of {exam}",
            "user_exam_id": f"sitting {number}", "sequences": {"questions": questions, "attempt": 1, "id": f"sequence {number}"},
            "keen_created_at": recorded, "certification": "false", "keen_id": f"keen {number}", "exam_name": exam}
    made.update(fields)
    return marked(made)


def without_counts(made):
    made = copy.deepcopy(made)
    del made["sequences"]["counts"]
    for question in made["sequences"]["questions"]:
        for name in ("user_result", "user_correct", "user_incomplete", "user_submitted"):
            del question[name]
    return made


def marks_agree(made):
    for question in made["sequences"]["questions"]:
        mark = rule(question)
        by_rule = {"user_result": mark, "user_correct": mark == "correct", "user_incomplete": mark == "missed_some",
                   "user_submitted": mark != "unanswered"}
        if any(question.get(name, value) != value for name, value in by_rule.items() if question.get(name) is not None):
            return False
    counts = made["sequences"].get("counts")
    return counts is None or counts == marked(copy.deepcopy(made))["sequences"]["counts"]


def quality(messages):
    """What `tripos quality` must say of messages that are all in one partition."""
    groups, names, ids = defaultdict(list), defaultdict(set), defaultdict(set)
    sittings = defaultdict(set)
    found = dict.fromkeys(("unreadable_times", "ends_before_start", "longer_than_limit", "touched_before_start", "touched_after_end",
                           "out_of_order", "without_counts", "questions_without_key"), 0)
    disagreeing, before = [], None
    for offset, message in enumerate(messages):
        groups[message["keen_id"]].append(json.dumps(message, sort_keys=True))
        if message["exam_name"] is not None:
            names[message["exam_name"]].add(message["base_exam_id"])
        ids[message["base_exam_id"]].add(message["exam_name"])
        sittings[message["user_exam_id"]].add(message["keen_id"])
        start, end = epoch(message["started_at"]), epoch(message["keen_timestamp"])
        found["unreadable_times"] += start is None or end is None
        questions = message["sequences"]["questions"]
        touched = [option["at"] for question in questions for option in question["options"] if option.get("at")]
        if start is not None and end is not None:
            found["ends_before_start"] += end < start
            found["longer_than_limit"] += end - start > 24 * 3600
        if start is not None and touched:
            found["touched_before_start"] += epoch(min(touched)) < start
        if end is not None and touched:
            found["touched_after_end"] += epoch(max(touched)) > end
        found["out_of_order"] += end is not None and before is not None and end < before
        before = end
        found["without_counts"] += "counts" not in message["sequences"]
        found["questions_without_key"] += any(not any(o.get("correct") for o in q["options"]) for q in questions)
        if not marks_agree(message):
            disagreeing.append(offset)
    found.update(messages=len(messages), distinct=len(groups), surplus_messages=len(messages) - len(groups),
                 duplicate_groups=sum(len(group) > 1 for group in groups.values()),
                 duplicates_that_differ=sum(len(set(group)) > 1 for group in groups.values()), without_identity=0, rejected=0,
                 marks_disagreeing=len(disagreeing), names_with_several_ids=sum(len(of) > 1 for of in names.values()),
                 ids_with_several_names=sum(len(of) > 1 for of in ids.values()),
                 sittings_over_max_attempts=sum(len(of) > 1 for of in sittings.values()), starts_in_the_future=0)
    return found, disagreeing


def lines(messages):
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def leaves(value, path, found):
    """The leaves that a message has, as quality names them: path -> how many of them are not null."""
    if isinstance(value, dict):
        for key, below in value.items():
            leaves(below, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        found[path + "[]"] += 1
        for element in value:
            leaves(element, path + "[]", found)
    elif value is not None:
        found[path] += 1
    return found


KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def kinds_of(value, path=""):
    """The kinds of values at a message's paths: a set of (path, kind)."""
    found = {(path, KINDS[type(value)])} if path else set()
    if isinstance(value, dict):
        for key, below in value.items():
            found |= kinds_of(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for element in value:
            found |= kinds_of(element, path + "[]")
    return found
