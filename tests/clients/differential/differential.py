"""Single requests, held against Apache Kafka's answers field by field."""

import argparse
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import answers  # noqa: E402
from registry import SCENARIOS  # noqa: E402
from scene import Broker, Scene, Wire  # noqa: E402
import scenarios_topics, scenarios_configs, scenarios_records, scenarios_groups, scenarios_transactions  # noqa: E402,F401,E401


def run(broker, only=""):
    runs = {}
    for title, api, versions, play in SCENARIOS:
        if only and only not in title:
            continue
        started = time.monotonic()
        for version in versions:
            scene = Scene(broker, title, version, api)
            try:
                play(scene)
            except Exception:
                print(f"!! {title} v{version}", file=sys.stderr)
                traceback.print_exc()
            scene.end()
            normaliser = answers.Normaliser(scene.prefix, scene.topics)
            runs[(title, version)] = [(label, normaliser.plain(answer)) for label, answer in scene.steps]
        print(f"{title}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return runs


if __name__ == "__main__":
    address, out, settle = sys.argv[1], sys.argv[2], float(sys.argv[3])
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    wire = Wire()
    runs = run(Broker(wire, address, f"diff-{os.getpid():06x}", settle), only)
    open(out, "w").write(answers.write(runs))
