#!/usr/bin/env python3
"""The seeded mutations of mutations.toml: lists them for CMake, makes a mutated source, runs the mutated simulations, writes their table.

  mutations.py list                        NAME;FILE of each, one a line
  mutations.py apply NAME SOURCE OUTPUT    OUTPUT: SOURCE with the mutation's fault
  mutations.py run FOLDER [NAME…]          runs FOLDER/sim_NAME of each: it must find the fault, by a check that the mutation names; the
                                           search begins at the seed that the mutation names, where it was found before
  mutations.py page [--write]              docs/simulation.md has the table of the mutations
"""

import os
import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "simulation.md")
BEGIN, END = "<!-- mutations: begin -->", "<!-- mutations: end -->"
POINTS = 60_000  # distinct states after which a mutation counts as not found
SECONDS = 1200  # after which one hangs


def mutations():
    with open(os.path.join(HERE, "mutations.toml"), "rb") as file:
        return tomllib.load(file)["mutation"]


def simulated():
    """Those that the simulation has to find; the others name the test of a folder that does."""
    return [each for each in mutations() if "found_by" in each]


def mutated(mutation, source):
    count = source.count(mutation["old"])
    if count != 1:
        raise SystemExit(f"mutation {mutation['name']}: what it changes stands {count} times in {mutation['file']}, not once; "
                         "tests/sim/mutations.toml must follow the source")
    return source.replace(mutation["old"], mutation["new"])


def apply(name, source, output):
    mutation = next(each for each in mutations() if each["name"] == name)
    with open(source) as file:
        text = mutated(mutation, file.read())
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with open(output, "w") as file:
        file.write(text)


def found_by(program, seed):
    """The check that finds the fault, and what was said; None: nothing is found."""
    command = [program, "--points", str(POINTS), "--seed", str(seed), "--jobs", "1"]  # one job: the same seed finds it each time
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, errors="replace")
    wrong = re.search(r"^WRONG ([a-z_]+): (.*)$", ran.stdout, re.MULTILINE)
    if wrong:
        return wrong[1], wrong[2] + ", " + re.search(r"seed \d+", ran.stdout)[0]
    if ran.returncode == 0:
        return None, ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ""
    return "crash", "\n".join(ran.stdout.strip().splitlines()[-3:])


def is_found(folder, mutation):
    """Whether it is found as it says; prints what came of it."""
    name, expected = mutation["name"], mutation["found_by"]
    begin = time.monotonic()
    try:
        check, said = found_by(os.path.join(folder, f"sim_{name}"), mutation.get("seed", 1))
    except subprocess.TimeoutExpired:
        check, said = None, f"nothing in {SECONDS} s"
    found = check in expected
    verdict = f"found ({check})" if found else f"NOT FOUND BY {', '.join(expected)}" + (f", but by {check}" if check else "")
    print(f"{mutation['rule']:5} {name:42} {verdict}, {time.monotonic() - begin:.1f} s: {said}", flush=True)
    return found


def run(folder, names):
    chosen = [mutation for mutation in simulated() if not names or mutation["name"] in names]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(lambda mutation: is_found(folder, mutation), chosen))
    if not all(found):
        blind = [mutation["name"] for mutation, seen in zip(chosen, found) if not seen]
        raise SystemExit(f"the simulation is blind to {', '.join(blind)}")


def table():
    rows = ["| rule | mutation | what it breaks | in | found by |", "|---|---|---|---|---|"]
    for each in sorted(mutations(), key=lambda mutation: [int(part) for part in mutation["rule"].split(".")]):
        checks = ", ".join(each["found_by"]) if "found_by" in each else f"not here, but by {each['test']}"
        rows.append(f"| {each['rule']} | `{each['name']}` | {each['breaks']} | `{each['file'].removeprefix('src/')}` | {checks} |")
    return "\n".join(rows) + "\n"


def page(write):
    with open(PAGE) as file:
        text = file.read()
    head, rest = text.split(BEGIN + "\n")
    tail = rest.split(END)[1]
    right = head + BEGIN + "\n" + table() + END + tail
    if write:
        with open(PAGE, "w") as file:
            file.write(right)
    elif right != text:
        raise SystemExit("docs/simulation.md is not what tests/sim/mutations.toml says: run tests/sim/mutations.py page --write")
    # Each mutation can be made, whether it is compiled or not.
    for mutation in mutations():
        with open(os.path.join(HERE, "..", "..", mutation["file"])) as file:
            mutated(mutation, file.read())
    print(f"{len(mutations())} mutations, as docs/simulation.md says")


def main(arguments):
    if arguments[:1] == ["list"]:
        for mutation in simulated():
            print(f"{mutation['name']};{mutation['file']}")
    elif arguments[:1] == ["apply"] and len(arguments) == 4:
        apply(*arguments[1:])
    elif arguments[:1] == ["run"] and len(arguments) >= 2:
        run(arguments[1], arguments[2:])
    elif arguments[:1] == ["page"]:
        page("--write" in arguments)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
