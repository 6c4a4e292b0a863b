"""What Spark's judges share: a session with Spark's Kafka connector, its source, and the rows that a topic of checks.Topic must have."""

import json
import os
import subprocess
import sys

from checks import HERE, PARTITIONS, Topic, run

FIRST_MS = 1_700_000_000_000
STEP_MS = 1000


def session(name):
    """Two cores, the connector's jars from Maven."""
    from pyspark.sql import SparkSession

    jars = run(os.path.join(HERE, "kafka_classpath"), "spark_pom", timeout=900).stdout.strip()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.jars": jars.replace(":", ","),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "false",  # as the statements of Tripos are read
        "spark.sql.streaming.metricsEnabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName(name)
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


class Source:
    """Spark's Kafka source on one broker."""

    def __init__(self, spark, address):
        self.spark = spark
        self.address = address

    def _with(self, reader, topic, options):
        which = options if "subscribePattern" in options or "assign" in options else {"subscribe": topic, **options}
        return reader.format("kafka").option("kafka.bootstrap.servers", self.address).options(**which)

    def batch(self, topic=None, **options):
        """The table as Spark shows it: key, value, topic, partition, offset, timestamp, timestampType, headers where asked for."""
        return self._with(self.spark.read, topic, options).load()

    def stream(self, topic=None, **options):
        return self._with(self.spark.readStream, topic, {"startingOffsets": "earliest", **options}).load()


def fields(number):
    """Of message `number` of a numbered topic: key, value and a time of its own."""
    return {"key": f"key{number}".encode(), "value": str(number).encode(), "timestamp": FIRST_MS + number * STEP_MS}


def numbered(address, prefix, count, **settings):
    topic = Topic(address, prefix, **settings)
    topic.produce(count, fields)
    return topic


def expected(numbers):
    """(partition, offset, key, value, milliseconds) of these messages of a numbered topic, as rows() has them."""
    return sorted((i % PARTITIONS, i // PARTITIONS, f"key{i}", str(i), FIRST_MS + i * STEP_MS) for i in numbers)


def rows(frame):
    chosen = frame.selectExpr("partition", "offset", "CAST(key AS STRING)", "CAST(value AS STRING)", "unix_millis(timestamp)")
    return sorted(map(tuple, chosen.collect()))


def values(frame):
    return sorted(row[0] for row in frame.selectExpr("CAST(value AS STRING)").collect())


def said(wanted, found):
    """What of two lists of rows differs, for a check that fails."""
    missing, more = [row for row in wanted if row not in found], [row for row in found if row not in wanted]
    return f"{len(found)} rows of {len(wanted)}; missing {missing[:3]}, too many {more[:3]}"


def tripos_sql(statement):
    """The rows of Tripos's own answer, each by name; None where what is judged is no Tripos: TRIPOS_DATA names a Tripos's directory."""
    if "TRIPOS_DATA" not in os.environ:
        return None
    done = subprocess.run([os.environ["TRIPOS_PROGRAM"], "sql", "-o", "json", statement], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"tripos sql ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout)
    return [dict(zip((column["name"] for column in told["columns"]), row, strict=True)) for row in told["rows"]]
