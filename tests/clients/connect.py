"""Kafka Connect, distributed, against a running broker: connect.py HOST:PORT NAME [--sabotage]

One worker; a file source fills a topic, a file sink writes it to another file. The worker is killed and started anew: it finds its
connectors and how far they had come in the broker's topics, and goes on. --sabotage: one line of each part is kept back.
"""

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request

from apache_kafka import free_ports
from checks import HERE, check, judge_arguments, run, run_checks, wait


class Worker:
    def __init__(self, address, name, folder):
        jars = run(os.path.join(HERE, "kafka_classpath"), "programs_pom", timeout=900).stdout.strip()
        self.rest = f"http://127.0.0.1:{free_ports(1)[0]}"
        settings = {
            "bootstrap.servers": address,
            "group.id": f"{name}-workers",
            "listeners": self.rest,
            "plugin.discovery": "only_scan",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "offset.flush.interval.ms": "500",
            "scheduled.rebalance.max.delay.ms": "1000",
            "session.timeout.ms": "6000",
            "heartbeat.interval.ms": "1000",
            # As Connect's own defaults: three replicas.
            **{f"{what}.storage.topic": f"{name}-{what}" for what in ("config", "offset", "status")},
        }
        path = os.path.join(folder, "worker.properties")
        with open(path, "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        self.command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars, "org.apache.kafka.connect.cli.ConnectDistributed", path]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, path, body=None):
        """The answer's JSON; None while there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.rest + path, data=data, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def runs(self, connector):
        status = self.request(f"/connectors/{connector}/status")
        return bool(status) and status["connector"]["state"] == "RUNNING" and [t["state"] for t in status["tasks"]] == ["RUNNING"]


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return file.read().split("\n")[:-1]


def connect(options):
    with tempfile.TemporaryDirectory(prefix="connect-") as folder:
        source, sink, topic = os.path.join(folder, "in"), os.path.join(folder, "out"), f"{options.name}-lines"
        patience = 5 if options.sabotage else 90
        expected = []

        def write(start):
            lines = [f"line {i} of the file" for i in range(start, start + 500)]
            expected.extend(lines)
            with open(source, "a") as file:
                file.writelines(line + "\n" for line in lines[1 if options.sabotage else 0:])

        write(0)
        worker = Worker(options.address, options.name, folder)
        try:
            if not wait(lambda: worker.request("/connectors") == [], 120):
                raise RuntimeError("the worker did not start")
            package = "org.apache.kafka.connect.file"
            for name, settings in (
                    ("source", {"connector.class": f"{package}.FileStreamSourceConnector", "file": source, "topic": topic}),
                    ("sink", {"connector.class": f"{package}.FileStreamSinkConnector", "file": sink, "topics": topic})):
                wait(lambda: worker.request("/connectors", {"name": name, "config": {"tasks.max": "1", **settings}}), 30)
            running = wait(lambda: worker.runs("source") and worker.runs("sink"), 60)
            if not options.sabotage:
                check("a file source and a file sink run", running)
            came = wait(lambda: lines_of(sink) == expected, patience)
            check("the sink's file is the source's", came, f"{len(lines_of(sink))} lines of {len(expected)}")
            wait(lambda: False, 2)  # offsets are written every half second
            worker.kill()
            write(500)
            worker.start()
            came = wait(lambda: set(lines_of(sink)) == set(expected), patience)
            check("the worker is killed and started anew: nothing is lost", came, f"{len(set(lines_of(sink)))} lines of {len(expected)}")
            check("it goes on where it was: no line comes twice", came and lines_of(sink) == expected, f"{len(lines_of(sink))} lines")
        finally:
            worker.kill()


if __name__ == "__main__":
    run_checks(connect, judge_arguments().parse_args())
