"""Runs the scenarios on one broker: {(scenario, version): [(label, answer)]}, answers in the form of answers.py."""

import sys
import time

import answers
import random_requests  # noqa: F401
import scenarios_configs  # noqa: F401: each file of scenarios fills the list
import scenarios_groups  # noqa: F401
import scenarios_records  # noqa: F401
import scenarios_topics  # noqa: F401
import scenarios_transactions  # noqa: F401
from registry import SCENARIOS
from scene import Scene


def plain_steps(scene):
    normaliser = answers.Normaliser(scene.prefix, scene.topics, scene.time_ms)
    return [(label, normaliser.plain(answer)) for label, answer in scene.steps]


def start(broker):
    """Internal topics come with the first who needs them: they are there before the first scenario."""
    scene = Scene(broker, "start")
    topic = scene.topic("t")
    for kind in (0, 1):  # which makes them
        scene.quiet("FindCoordinator", {"coordinatorKeys": [scene.name("any")], "keyType": kind})
    scene.quiet("OffsetCommit", {"groupId": scene.name("g"), "generationIdOrMemberEpoch": -1, "topics": [
        {"name": topic, "partitions": [{"partitionIndex": 0}]}]}, version=8)
    scene.producer(scene.name("x"))
    scene.end()


def run(broker, only="", told=False):
    runs = {}
    start(broker)
    for title, api, versions, play in SCENARIOS:
        if only not in title:
            continue
        started = time.monotonic()
        for version in versions:
            scene = Scene(broker, title, version, api)
            try:
                play(scene)
            except RuntimeError as error:  # what it needs did not come: the steps that it lacks are differences
                print(f"{title} v{version}: {error}", file=sys.stderr)
            finally:
                scene.end()
            runs[(title, version)] = plain_steps(scene)
        if told:
            print(f"{title}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return runs
