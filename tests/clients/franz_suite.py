"""franz-go's own tests of its client that need a broker: franz_suite.py HOST:PORT NAME [--kafka]

They come with the module and are run as franz-go's own CI runs them. --kafka: against Apache Kafka, started for it.
"""

import contextlib
import os
import re
import subprocess
import sys

import suites
from apache_kafka import ApacheKafka
from checks import HERE, judge_arguments, run_checks

ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(ROOT, "build", "clients", "kgo.test")
MODULE = "github.com/twmb/franz-go"
RECORDS = "100000"  # of those that a chain of groups passes on; franz-go's own number is five times that
TIMEOUT_S = 500
BROKER = re.compile(r"\b(newTestClient|testClientOpts|getSeedBrokers|tmpTopic\w*)\(")


def go(*command, cwd):
    done = subprocess.run(["go", *command], cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(f"go {' '.join(command[:3])}: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def package():
    return os.path.join(go("list", "-m", "-f", "{{.Dir}}", MODULE, cwd=os.path.join(HERE, "go")), "pkg", "kgo")


def install():
    go("mod", "download", MODULE, cwd=os.path.join(HERE, "go"))
    go("test", "-c", "-o", PROGRAM, ".", cwd=package())
    return go("list", "-m", "-f", "{{.Version}}", MODULE, cwd=os.path.join(HERE, "go"))


def tests_of_a_broker(sources):
    """The names of the tests that talk to a broker themselves, of the texts of Go files."""
    names = []
    for text in sources:
        for function in re.split(r"^(?=func )", text, flags=re.M):
            found = re.match(r"func (Test\w+)\(t \*testing\.T\)", function)
            if found and BROKER.search(function):
                names.append(found[1])
    return names


def parse(output):
    """{test: (state, why)} of what `go test -v` says; a test that began and has no result has failed."""
    states = {"PASS": "passes", "FAIL": "fails", "SKIP": "skips"}
    said, results, current = {}, {}, ""
    for line in output.splitlines():
        if found := re.match(r"=== (RUN|NAME|CONT|PAUSE) +(\S+)", line):
            current = found[2]
            results.setdefault(current, ("fails", "it did not end"))
        elif found := re.match(r" *--- (PASS|FAIL|SKIP): (\S+)", line):
            current = found[2]
            results[current] = (states[found[1]], "")
        elif found := re.match(r" +\w+_test\.go:\d+: (?!deleting |FAILED TESTING|\S+ completed in )(.*)", line):
            said[current] = found[1]
    return {test: (state, said.get(test, why)) for test, (state, why) in results.items()}


def franz_tests(options):
    folder = package()
    sources = []
    for name in sorted(os.listdir(folder)):
        if name.endswith("_test.go"):
            with open(os.path.join(folder, name)) as file:
                sources.append(file.read())
    wanted = tests_of_a_broker(sources)
    with contextlib.ExitStack() as stack:
        address = options.address
        if options.kafka:
            address = stack.enter_context(ApacheKafka({"group.initial.rebalance.delay.ms": "100"})).address
        done = subprocess.run([PROGRAM, "-test.v", f"-test.timeout={TIMEOUT_S}s", f"-test.run=^({'|'.join(wanted)})$"], cwd=folder,
                              capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S + 60,
                              env={**os.environ, "KGO_SEEDS": address, "KGO_TEST_RF": "1", "KGO_TEST_RECORDS": RECORDS,
                                   "KGO_LOG_LEVEL": "none"})
    results = parse(done.stdout)
    if (done.returncode == 0) != all(state != "fails" for state, _ in results.values()):
        raise RuntimeError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    if missing := set(wanted) - results.keys():
        raise RuntimeError(f"not run: {missing}")
    suites.judge("franz-go", results, options.kafka)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    run_checks(franz_tests, judge_arguments("--kafka").parse_args())
