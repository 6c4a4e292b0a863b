"""librdkafka's own tests that need a broker: librdkafka_suite.py HOST:PORT NAME [--kafka]

They come as source with a package of npm and are built here. Each test runs in a process of its own, so that one that aborts ends no other:
in quick mode, as librdkafka's own CI runs them, against servers of their own (their scenarios ask for settings). --kafka: against Apache
Kafka, started for it.
"""

import concurrent.futures
import contextlib
import os
import re
import shutil
import subprocess
import sys

import suites
from apache_kafka import ApacheKafka, classpath, version
from checks import HERE, judge_arguments, run_checks
from own_server import OwnServer

WORK = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "clients", "librdkafka")
PACKAGE, PACKAGE_VERSION = "@confluentinc/kafka-javascript", "1.10.1"
SOURCE = os.path.join(WORK, "package", "deps", "librdkafka")
KAFKA = os.path.join(WORK, "kafka")  # as much of a Kafka installation as the tests call
TOOLS = {"kafka-topics": "org.apache.kafka.tools.TopicCommand", "kafka-configs": "kafka.admin.ConfigCommand",
         "kafka-acls": "org.apache.kafka.tools.AclCommand"}
JOBS = 4
TIMEOUT_S = 200  # of one test; the longest takes 90 s
SCENARIOS = {"default": {}, "noautocreate": {"auto.create.topics.enable": "false"}}  # by its name there: its settings
SETTINGS = {"num.partitions": "4", "group.initial.rebalance.delay.ms": "100"}
BY_PARTS = {"0081": "0081-admin.c", "0103": "0103-transactions.c"}


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout.strip()


# --- Installing


def make_kafka_folder():
    """KAFKA: start scripts around the jars that Maven has."""
    shutil.rmtree(KAFKA, ignore_errors=True)
    for folder in ("bin", "libs"):
        os.makedirs(os.path.join(KAFKA, folder))
    for jar in classpath().split(":"):
        os.symlink(jar, os.path.join(KAFKA, "libs", os.path.basename(jar)))
    scripts = {"kafka-run-class": 'exec java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$CLASSPATH:$(dirname "$0")/../libs/*" "$@"'}
    for name, tool in TOOLS.items():
        scripts[name] = f'exec "$(dirname "$0")/kafka-run-class.sh" {tool} "$@"'
    for name, text in scripts.items():
        path = os.path.join(KAFKA, "bin", f"{name}.sh")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)


def install():
    for command in ("make", "g++", "npm", "javac"):
        if shutil.which(command) is None:
            raise RuntimeError(f"{command} is missing")
    kept = os.path.join(WORK, "version")
    wanted = f"{PACKAGE} {PACKAGE_VERSION}, Kafka {version()}\n"
    if not os.path.exists(kept) or open(kept).read() != wanted:
        if not os.path.exists("/usr/include/rapidjson/document.h"):
            raise RuntimeError("a header is missing that some of the tests are written with: apt-get install rapidjson-dev")
        shutil.rmtree(WORK, ignore_errors=True)
        os.makedirs(WORK)
        archive = run("npm", "pack", "--silent", f"{PACKAGE}@{PACKAGE_VERSION}", cwd=WORK).splitlines()[-1]
        run("tar", "xzf", archive, "package/deps/librdkafka", cwd=WORK)
        os.remove(os.path.join(WORK, archive))
        run("./configure", "--disable-gssapi", "--disable-curl", cwd=SOURCE)
        run("make", "-j2", "libs", cwd=SOURCE)
        run("make", "-j2", "-C", "tests", "build", cwd=SOURCE)
        make_kafka_folder()
        run("make", "-C", "tests/java", f"KAFKA_PATH={KAFKA}", cwd=SOURCE)
        with open(kept, "w") as file:
            file.write(wanted)
    with open(os.path.join(SOURCE, "src", "rdkafka.h")) as header:
        number = int(re.search(r"define RD_KAFKA_VERSION\s+(0x\w+)", header.read())[1], 16)
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}"


# --- What there is, and what it says


def tests_of_a_broker(source):
    """[(number, name, scenario)] of the table in test.c; without those that run by themselves or by hand."""
    table = source[source.index("struct test tests[]"):source.index("{NULL}};")]
    found = []
    for entry in re.split(r"\b_TEST\(", table)[1:]:
        name = re.match(r"(\d{4})_\w+", entry)
        if name and "TEST_F_LOCAL" not in entry and "TEST_F_MANUAL" not in entry:
            scenario = re.search(r'\.scenario = "(\w+)', entry)
            found.append((name[1], name[0], scenario[1] if scenario else "default"))
    return found


def parts_of(source):
    return sorted(part for part in set(re.findall(r"^ +(do_test_\w+)\(", source, re.M)) if f" {part}(" in source)


def plain(output):
    return re.sub(r"\x1b\[[0-9;]*m", "", output)


def why_not(output):
    for sign in (r"^Test assertion failed: (.*)$", r"^\S+ rdkafka error: (.*)$", r"^### Test .*? failed at (.*)$"):
        if told := re.search(sign, output, re.M):
            return told[1]
    return output.strip().splitlines()[-1] if output.strip() else "it said nothing"


def state_of_test(name, output):
    """By the row of the summary; a run that has none was aborted."""
    row = re.search(rf"^\|\s*{name}\s*\|\s*(PASSED|FAILED|SKIPPED)\s*\|[^|\n]*\|[ \t]*(.*)$", output, re.M)
    if row is None or row[1] == "FAILED":
        return "fails", why_not(output)
    return ("passes" if row[1] == "PASSED" else "skips"), row[2]


def state_of_part(part, name, output):
    """None: a function of that name is no part."""
    state, why = state_of_test(name, output)
    if state == "passes" and f"[ {part}:" not in output:
        return None
    return ("skips", "it skipped itself") if state == "passes" and not re.search(rf"\[ {part}:.*: PASS", output) else (state, why)


def conf_path(scenario):
    return os.path.join(WORK, f"{scenario}.conf")


class Task:
    def __init__(self, number, names, scenario, part=None):
        self.number, self.names, self.scenario, self.part = number, names, scenario, part

    def run(self, address):
        """{test: (state, why)}"""
        folder = os.path.join(SOURCE, "tests")
        environment = {**os.environ, "LD_LIBRARY_PATH": "../src:../src-cpp", "RDKAFKA_TEST_CONF": conf_path(self.scenario),
                       "TEST_KAFKA_VERSION": version(), "KAFKA_PATH": KAFKA, "BROKERS": address,
                       "TESTS": self.number, "TEST_SCENARIO": self.scenario}
        if self.part:
            environment["SUBTESTS"] = f"{self.part}:"
        log = os.path.join(WORK, "logs", f"{self.number}-{self.part or self.scenario}")
        with open(log, "wb") as out:
            process = subprocess.Popen(["./test-runner", "-L", "-Q", "-p1"], cwd=folder, env=environment, stdout=out,
                                       stderr=subprocess.STDOUT)
            try:
                process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                out.write(b"\nit did not end in time\n")
        with open(log, errors="replace") as file:
            output = plain(file.read())
        if self.part is None:
            return {name: state_of_test(name, output) for name in self.names}
        state = state_of_part(self.part, self.names[0], output)
        return {f"{self.names[0]}/{self.part}": state} if state else {}


def tasks():
    with open(os.path.join(SOURCE, "tests", "test.c")) as file:
        tests = tests_of_a_broker(file.read())
    made = []
    for number, scenario in dict.fromkeys((number, scenario) for number, _, scenario in tests):
        names = [name for each, name, its_scenario in tests if (each, its_scenario) == (number, scenario)]
        if number in BY_PARTS:
            with open(os.path.join(SOURCE, "tests", BY_PARTS[number])) as file:
                made += [Task(number, names, scenario, part) for part in parts_of(file.read())]
        else:
            made.append(Task(number, names, scenario))
    return made[::-1]  # the longest are near the end


def librdkafka_tests(options):
    shutil.rmtree(os.path.join(WORK, "logs"), ignore_errors=True)
    os.makedirs(os.path.join(WORK, "logs"))
    results = {}
    with contextlib.ExitStack() as stack:
        addresses = {}
        for scenario, settings in SCENARIOS.items():
            if options.kafka:
                addresses[scenario] = stack.enter_context(ApacheKafka({**SETTINGS, **settings}, heap="512M")).address
            else:
                server = OwnServer({**SETTINGS, **settings})
                stack.callback(server.remove)
                addresses[scenario] = server.address
            with open(conf_path(scenario), "w") as conf:
                conf.write(f"bootstrap.servers={addresses[scenario]}\n")
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for found in pool.map(lambda task: task.run(addresses[task.scenario]), tasks()):
                results.update(found)
    suites.judge("librdkafka", results, options.kafka)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    run_checks(librdkafka_tests, judge_arguments("--kafka").parse_args())
