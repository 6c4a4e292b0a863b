"""Kafka's own command-line tools, by the names of their scripts, all in one Java machine (ToolRunner.java)."""

import os
import subprocess
import tempfile
import threading

from apache_kafka import classpath
from checks import HERE

CLASSES = os.path.join(HERE, "..", "..", "build", "clients", "tools")
MAIN = {
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "transactional-message-copier": "org.apache.kafka.tools.TransactionalMessageCopier",
}
BROKER_FIRST = ("kafka-features", "kafka-transactions")  # before the sub-command
BROKER_OPTION = {
    "kafka-producer-perf-test": ("--producer-props", "bootstrap.servers={}"),
    "transactional-message-copier": ("--broker-list", "{}"),
}
TIMEOUT_S = 90


class KafkaTools:
    def __init__(self, address):
        self.address = address
        jars = classpath()
        os.makedirs(CLASSES, exist_ok=True)
        subprocess.run(["javac", "-nowarn", "-Xlint:none", "-cp", jars, "-d", CLASSES, os.path.join(HERE, "ToolRunner.java")], check=True)
        self.command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{CLASSES}:{jars}", "ToolRunner"]
        self.process = None

    def run(self, tool, *arguments, stdin=""):
        """(exit code, what it said). A tool that hangs is ended with its machine; the next one gets a new machine."""
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        option, value = BROKER_OPTION.get(tool, ("--bootstrap-server", "{}"))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(stdin)
            file.flush()
            broker = [option, value.format(self.address)]
            told = [*broker, *arguments] if tool in BROKER_FIRST else [*arguments, *broker]
            words = [MAIN[tool], file.name, *told]
            limit = threading.Timer(TIMEOUT_S, self.process.kill)
            limit.start()
            try:
                self.process.stdin.write("\t".join(words).encode() + b"\n")
                self.process.stdin.flush()
                head = self.process.stdout.readline().split()
                said = self.process.stdout.read(int(head[1])) if head else b""
            finally:
                limit.cancel()
        if not head:
            self.close()
            return "none", f"{tool} did not end within {TIMEOUT_S} s"
        return int(head[0]), said.decode(errors="replace")

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None
