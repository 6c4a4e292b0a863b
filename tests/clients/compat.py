#!/usr/bin/env python3
"""Outside judges: other people's clients against the built program. Called by ./run compat.

  compat.py PROGRAM [--core | --all] [--write FILE] [--list] [JUDGE…]

A judge is a client: it is installed by its own package manager, then runs programs that print a line for each check:

  pass  what was checked
  FAIL  what was checked  (why)
  done

A judge fails if a check does, if it ends before `done`, with an exit code that its lines do not explain, with no check at all, or not in
time. Programs that take --sabotage are run with it too: they keep a record back, or ask for something untrue, and every check must fail:
a judge that can't fail is none. --core: those that CI runs. --write: the report card, as Markdown.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid

import franz_suite
import librdkafka_suite

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "build", "clients")
PYTHON = os.path.join(WORK, "venv", "bin", "python")
SPARK_PYTHON = os.path.join(WORK, "spark", "bin", "python")
TIMEOUT_S = 600


@dataclasses.dataclass
class Program:
    command: list  # then the broker's address, a name for topics and groups, and `arguments`
    arguments: tuple = ()
    sabotage: bool = False
    only_all: bool = False  # too much for a run without --all
    told: bool = True  # address and name; else the address is in the environment, TRIPOS_KAFKA


@dataclasses.dataclass
class Judge:
    name: str
    install: object  # () -> version; raises if it can't be had
    programs: list
    core: bool = False


@dataclasses.dataclass
class Verdict:
    judge: str
    version: str = ""
    checks: list = dataclasses.field(default_factory=list)  # (passed, what, why)

    def add(self, passed, what, why=""):
        self.checks.append((passed, what, why))
        print(f"{'pass' if passed else 'FAIL'}  {self.judge}: {what}{f'  ({why})' if why and not passed else ''}", flush=True)

    @property
    def failed(self):
        return [check for check in self.checks if not check[0]]


# --- Reading what a program says


def parse(output):
    """(passed, what, why) of each line that is a check's; Python's unittest too. Whether `done` was the last word."""
    checks, done = [], False
    for line in output.splitlines():
        if found := re.match(r"(pass|FAIL)  (.*?)(?:  \((.*)\))?$", line):
            checks.append((found[1] == "pass", found[2], found[3] or ""))
        elif found := re.match(r"test_(\w+) \(.*\) \.\.\. (\w+)(.*)$", line):
            checks.append((found[2] == "ok", found[1].replace("_", " "), "" if found[2] == "ok" else found[2] + found[3]))
        elif line == "done" or re.match(r"Ran \d+ tests? in ", line):
            done = True
    return checks, done


def execute(command, environment, timeout_s):
    """(output, exit code); the code is None if time ran out, and all that it had started is ended."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment,
                               start_new_session=True)
    try:
        return process.communicate(timeout=timeout_s)[0], process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0], None


def run_program(program, address, verdict, timeout_s=TIMEOUT_S, sabotaged=False):
    """A control comes after the program itself: its checks are those that passed there, not what a program says that broke down."""
    name = f"compat-{uuid.uuid4().hex[:8]}"
    command = [*program.command, *([address, name] if program.told else []), *program.arguments]
    if sabotaged:
        command.append("--sabotage")
    environment = {**os.environ, "TRIPOS_KAFKA": address, "PYTHONPATH": HERE, "PYTHONUNBUFFERED": "1"}
    output, code = execute(command, environment, timeout_s)
    checks, done = parse(output)
    if sabotaged:
        blind = [what for passed, what, _ in checks if passed]
        passed_before = {what for passed, what, _ in verdict.checks if passed}
        strange = [f"{what}: {why}" for _, what, why in checks if what not in passed_before]
        good = done and bool(checks) and not blind and not strange
        verdict.add(good, "control: with a record kept back every check fails",
                    f"passed: {blind}, failed without having passed before: {strange[:3]}, done: {done}")
        return
    for check in checks:
        verdict.add(*check)
    title = " ".join(os.path.basename(part) for part in program.command[-2:])
    tail = output.strip().splitlines()[-1][-300:] if output.strip() else "it said nothing"
    if code is None:
        verdict.add(False, f"{title} ended in time", f"not within {timeout_s} s; {tail}")
    elif not done:
        verdict.add(False, f"{title} ran to its end", f"exit code {code}; {tail}")
    elif not checks:
        verdict.add(False, f"{title} checked something", tail)
    elif (code == 0) != all(passed for passed, _, _ in checks):
        verdict.add(False, f"{title} ended as its checks say", f"exit code {code}")


# --- Installing


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout.strip()


def up_to_date(source, target):
    """Whether `target` holds what `source` does; where it doesn't, the one who asks installs and then calls keep()."""
    with contextlib.suppress(FileNotFoundError), open(source) as a, open(target) as b:
        return a.read() == b.read()
    return False


def python_clients():
    wanted, kept = os.path.join(HERE, "requirements.txt"), os.path.join(WORK, "venv", "requirements.txt")
    if not up_to_date(wanted, kept):
        run(sys.executable, "-m", "venv", os.path.dirname(kept))
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted)
        shutil.copy(wanted, kept)


def python_client(package):
    def install():
        python_clients()
        return run(PYTHON, "-c", f"import importlib.metadata; print(importlib.metadata.version({package!r}))")
    return install


def spark():
    wanted, venv = os.path.join(HERE, "spark_requirements.txt"), os.path.dirname(os.path.dirname(SPARK_PYTHON))
    kept = os.path.join(venv, "requirements.txt")
    if not up_to_date(wanted, kept):
        run(sys.executable, "-m", "venv", venv)
        run(SPARK_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted)
        shutil.copy(wanted, kept)
    connector = re.search(r"spark-sql-kafka-0-10_2\.13-([\d.]+)\.jar", run(os.path.join(HERE, "kafka_classpath"), "spark_pom"))[1]
    installed = run(SPARK_PYTHON, "-c", "import pyspark; print(pyspark.__version__)")
    if connector != installed:
        raise RuntimeError(f"spark_pom.xml has {connector}, spark_requirements.txt pyspark {installed}: they must be of the same version")
    return installed


def kcat():
    python_clients()  # the groups' producer
    said = run("kcat", "-V")
    return re.search(r"Version ([\d.]+).*librdkafka ([\d.]+)", said, re.S).expand(r"\1 (librdkafka \2)")


def kafka_tools():
    python_clients()
    return re.search(r"kafka-tools-([\d.]+)\.jar", run(os.path.join(HERE, "kafka_classpath")))[1]


def kafka_programs():
    python_clients()
    return re.search(r"kafka-clients-([\d.]+)\.jar", run(os.path.join(HERE, "kafka_classpath"), "programs_pom"))[1]


def java_client():
    classpath = run(os.path.join(HERE, "kafka_classpath"))
    classes = os.path.join(WORK, "java")
    run("javac", "-nowarn", "-Xlint:none", "-cp", classpath, "-d", classes, os.path.join(HERE, "RoundTrip.java"))
    with open(os.path.join(WORK, "java.arguments"), "w") as arguments:
        arguments.write(f"-Xmx256m\n-XX:TieredStopAtLevel=1\n-cp\n{classes}:{classpath}\n")
    return re.search(r"kafka-clients-([\d.]+)\.jar", classpath)[1]


def go_client(folder, module):
    def install():
        run("go", "build", "-o", os.path.join(WORK, folder), f"./{folder}", cwd=os.path.join(HERE, "go"))
        return run("go", "list", "-m", "-f", "{{.Version}}", module, cwd=os.path.join(HERE, "go"))
    return install


def node_client(package):
    def install():
        folder = os.path.join(WORK, "node")
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(os.path.join(HERE, "node")):
            if name != "package.json":
                shutil.copy(os.path.join(HERE, "node", name), folder)
        wanted, kept = os.path.join(HERE, "node", "package.json"), os.path.join(folder, "package.json")
        if not up_to_date(wanted, kept):
            shutil.copy(wanted, kept)
            try:
                run("npm", "install", "--silent", "--no-package-lock", cwd=folder)
            except Exception:
                os.remove(kept)
                raise
        return run("node", "-p", f"require('./node_modules/{package}/package.json').version", cwd=folder)
    return install


def python(*arguments):
    return [PYTHON, os.path.join(HERE, arguments[0]), *arguments[1:]]


def suite(file):
    """Of tests that others wrote; needs no package of Python's."""
    command = [sys.executable, os.path.join(HERE, file)]
    return [Program(command), Program(command, ("--kafka",), only_all=True)]


def unit_tests(name):
    return Program([PYTHON, os.path.join(ROOT, "tests", "broker", "clients_test.py"), name], sabotage=True, told=False)


JUDGES = [
    Judge("kcat", kcat, [unit_tests("Kcat"), Program(python("groups.py"), ("kcat",), sabotage=True)], core=True),
    Judge("librdkafka (confluent-kafka)", python_client("confluent-kafka"),
          [unit_tests("Librdkafka"), Program(python("groups.py"), ("confluent",), sabotage=True),
           Program(python("groups.py"), ("confluent-cooperative",), sabotage=True)],
          core=True),
    Judge("kafka-clients (Java)", java_client, [Program(["java", f"@{WORK}/java.arguments", "RoundTrip"], sabotage=True)], core=True),
    Judge("Kafka's own tools", kafka_tools, [Program(python("tools.py"), sabotage=True)]),
    Judge("session against Apache Kafka", kafka_tools, [
        Program(python("session.py"), sabotage=True), Program(python("session.py"), ("--kafka",), only_all=True)]),
    Judge("single requests against Apache Kafka (differential)", kafka_tools, [
        Program(python("differential/differential.py"), sabotage=True),
        Program(python("differential/differential.py"), ("--kafka",), only_all=True)]),
    Judge("Kafka Streams, exactly-once v2", kafka_programs, [
        Program(python("streams.py"), sabotage=True), Program(python("streams.py"), ("--kill-broker",))]),
    Judge("Kafka Connect, distributed", kafka_programs, [Program(python("connect.py"), sabotage=True)]),
    Judge("Spark", spark, [
        Program([SPARK_PYTHON, os.path.join(HERE, "spark.py")], sabotage=True),
        Program([SPARK_PYTHON, os.path.join(HERE, "spark_streams.py")], sabotage=True),
        Program([SPARK_PYTHON, os.path.join(HERE, "spark_streams.py")], ("--kill-broker",), sabotage=True)]),
    Judge("kafka-python", python_client("kafka-python"), [unit_tests("KafkaPython"),
                                                          Program(python("groups.py"), ("kafka-python",), sabotage=True)]),
    Judge("aiokafka", python_client("aiokafka"), [Program(python("aiokafka_trip.py"), sabotage=True)]),
    Judge("franz-go", go_client("franz", "github.com/twmb/franz-go"), [Program([f"{WORK}/franz"], sabotage=True)]),
    Judge("kafka-go", go_client("kafkago", "github.com/segmentio/kafka-go"), [Program([f"{WORK}/kafkago"], sabotage=True)]),
    Judge("franz-go's own test suite", franz_suite.install, suite("franz_suite.py")),
    Judge("librdkafka's own test suite", librdkafka_suite.install, suite("librdkafka_suite.py")),
    Judge("kafkajs", node_client("kafkajs"), [Program(["node", f"{WORK}/node/kafkajs.js"], sabotage=True)]),
    Judge("@platformatic/kafka", node_client("@platformatic/kafka"), [Program(["node", f"{WORK}/node/platformatic.js"], sabotage=True)]),
]


# --- The program under judgement


class Server:
    def __init__(self, program):
        self.directory = tempfile.mkdtemp(prefix="tripos-compat-")
        self.data = os.path.join(self.directory, "data")
        self.process = subprocess.Popen([program, "serve", "--data", self.data, "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", "--set",
                                         "group.initial.rebalance.delay.ms=100"], stdout=subprocess.PIPE, text=True)
        self.address = next((line.split()[1] for line in self.process.stdout if line.startswith("kafka ")), None)
        if self.address is None:
            raise SystemExit(f"{program} serve ended before it told its address")

    def stop(self):
        """Its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "none: killed after 60 s"

    def remove(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def judge(one, server, everything):
    verdict = Verdict(one.name)
    try:
        verdict.version = one.install()
    except Exception as error:  # noqa: BLE001: whatever is missing, the others go on
        verdict.add(False, "it could be installed", re.sub(r"\s+", " ", str(error))[-300:])
        return verdict
    for program in one.programs:
        if program.only_all and not everything:
            continue
        run_program(program, server.address, verdict)
        if program.sabotage:
            run_program(program, server.address, verdict, sabotaged=True)
    return verdict


def judge_files(server):
    """After all the others: what they left on the disk, and how the program ends."""
    verdict = Verdict("kafka-dump-log")
    code = server.stop()
    verdict.add(code == 0, "the server stops cleanly", f"exit code {code}")
    try:
        verdict.version = kafka_tools()
        said = run(os.path.join(ROOT, "tests", "log", "dump_log.sh"), "--all", server.data)
        verdict.add(True, f"every batch of every partition is valid, the indexes agree: {said}")
    except Exception as error:  # noqa: BLE001
        verdict.add(False, "every batch of every partition is valid, the indexes agree", str(error)[-500:])
    return verdict


def report(verdicts, commit):
    rows = "\n".join(f"| {each.judge} | {each.version or '?'} | {len(each.checks) - len(each.failed)} of {len(each.checks)} | "
                     f"{'**failed**' if each.failed else 'passed'} |" for each in verdicts)
    text = f"""# Compatibility: other people's clients

Written by `./run compat --write` on {datetime.date.today()} against commit {commit}; not edited. Each client comes from its own package
manager and talks to the built program. "control": the client's program is run again with a record kept back, and each of its checks
must fail.

| client | version | checks passed | |
|---|---|---|---|
{rows}
"""
    for verdict in verdicts:
        text += f"\n## {verdict.judge}\n\n"
        for passed, what, why in verdict.checks:
            text += f"- {what}\n" if passed else f"- **failed:** {what}" + (f" ({why})" if why else "") + "\n"
    return text


def main():
    parser = argparse.ArgumentParser(description="other people's clients against the built program")
    parser.add_argument("program")
    parser.add_argument("--core", action="store_true", help="only those that CI runs")
    parser.add_argument("--all", action="store_true", help="every one, with what takes long: Apache Kafka itself beside us")
    parser.add_argument("--write", metavar="FILE", help="the report card")
    parser.add_argument("--list", action="store_true", help="the judges' names")
    parser.add_argument("judges", nargs="*", metavar="JUDGE", help="only those whose name holds this")
    options = parser.parse_args()
    chosen = [one for one in JUDGES if (one.core or not options.core)
              and (not options.judges or any(word.lower() in one.name.lower() for word in options.judges))]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    if not chosen:
        raise SystemExit(f"no judge is called {' or '.join(options.judges)}: --list names them")
    os.makedirs(WORK, exist_ok=True)
    os.environ["TRIPOS_PROGRAM"] = os.path.abspath(options.program)  # for judges that need a server of their own
    server = Server(os.path.abspath(options.program))
    os.environ["TRIPOS_DATA"] = server.data  # for those that ask it in SQL
    try:
        verdicts = [judge(one, server, options.all) for one in chosen]
        verdicts.append(judge_files(server))
    finally:
        server.remove()
    failed = sum(len(verdict.failed) for verdict in verdicts)
    print(f"\n{sum(len(verdict.checks) for verdict in verdicts) - failed} passed, {failed} failed")
    if options.write:
        commit = run("git", "describe", "--always", "--dirty", cwd=ROOT)
        with open(options.write, "w") as file:
            file.write(report(verdicts, commit))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
