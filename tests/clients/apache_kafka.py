"""Apache Kafka itself, from Maven: one node (KRaft), its defaults but for what a single node needs. What ./run compat --all and
./run bench broker hold Tripos against.

    with ApacheKafka({"flush.messages": "1"}) as kafka: … kafka.address, kafka.process.pid
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLUSTER = "dHJpcG9zLWNvbXBhdC0wMQ"


def classpath():
    return subprocess.run([os.path.join(HERE, "kafka_classpath")], capture_output=True, text=True, timeout=900, check=True).stdout.strip()


def version():
    return next(os.path.basename(jar)[len("kafka-clients-"):-len(".jar")] for jar in classpath().split(":") if "/kafka-clients-" in jar)


def free_ports(count):
    """Ports that nothing listens on now; all are held while they are chosen, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class ApacheKafka:
    def __init__(self, settings=None, heap="1G", parent=None):
        """`heap`: what Kafka's own start script gives it. `parent`: the folder that its data shall lie in."""
        self.directory = tempfile.mkdtemp(prefix="apache-kafka-", dir=parent)
        self.data = os.path.join(self.directory, "data")
        clients, controller = free_ports(2)
        self.address = f"127.0.0.1:{clients}"
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.data,
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            **(settings or {}),
        }
        path = os.path.join(self.directory, "server.properties")
        with open(path, "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in properties.items())
        # The flags of Kafka's own kafka-run-class.sh.
        flags = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
                 "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true", f"-Xmx{heap}", f"-Xms{heap}"]
        self.command = ["java", *flags, "-cp", classpath(), "kafka.Kafka", path]
        subprocess.run(["java", "-cp", classpath(), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", path], check=True,
                       capture_output=True, timeout=120)
        self.start()

    def start(self):
        self.log = open(os.path.join(self.directory, "output"), "ab")
        started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        host, port = self.address.split(":")
        while time.monotonic() - started < 120:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((host, int(port))) == 0:
                    self.start_seconds = time.monotonic() - started
                    return
            time.sleep(0.05)
        self.remove()
        raise RuntimeError("Apache Kafka did not start")

    def stop(self):
        """Its exit code; Java's for SIGTERM is 143."""
        self.process.terminate()
        try:
            return self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.stop()
        self.remove()
