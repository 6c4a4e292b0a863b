#!/usr/bin/env python3
"""GET /metrics: well-formed by a strict reader of Prometheus' text format, and true."""

import os
import re
import subprocess
import time
import unittest
import urllib.request

import raw_kafka
import tripos

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
SUFFIXES = {"counter": [""], "gauge": [""], "summary": ["", "_sum", "_count"], "histogram": ["_bucket", "_sum", "_count"]}


def parse(text):
    """{(sample's name, frozenset of labels): value}, {family: type}. ValueError, with the line, for anything that the format has not."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    samples, types, helped, current = {}, {}, set(), None
    for line in text.splitlines():
        if found := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            if found[1] in helped:
                raise ValueError(f"a second HELP: {line}")
            helped.add(found[1])
        elif found := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|summary|histogram)", line):
            if found[1] in types:
                raise ValueError(f"a second TYPE, or a family in two places: {line}")
            current = found[1]
            types[current] = found[2]
        elif found := SAMPLE.fullmatch(line):
            if current is None or found[1] not in [current + suffix for suffix in SUFFIXES[types[current]]]:
                raise ValueError(f"not of family {current}: {line}")
            labels = re.findall(LABEL, found[2] or "")
            if len(dict(labels)) != len(labels):
                raise ValueError(f"a label twice: {line}")
            series = (found[1], frozenset(labels))
            if series in samples:
                raise ValueError(f"a series twice: {line}")
            samples[series] = float(found[7])
        else:
            raise ValueError(f"no line of the format: {line}")
    check_histograms(samples, types)
    return samples, types


def check_histograms(samples, types):
    for family in (name for name, kind in types.items() if kind == "histogram"):
        rows = {}
        for (name, labels), value in samples.items():
            if name == f"{family}_bucket":
                rest = frozenset(label for label in labels if label[0] != "le")
                rows.setdefault(rest, []).append((float(dict(labels)["le"]), value))
        for labels, buckets in rows.items():
            values = [value for _, value in sorted(buckets)]
            if values != sorted(values) or max(buckets)[0] != float("inf") or values[-1] != samples[f"{family}_count", labels]:
                raise ValueError(f"{family}: buckets that do not add up: {sorted(buckets)}")


class FormatTest(unittest.TestCase):
    GOOD = '# HELP a help\n# TYPE a gauge\na{x="1"} 2\na{x="2"} 3\n'

    def test_the_reader_is_strict(self):
        self.assertEqual(len(parse(self.GOOD)[0]), 2)
        for bad in ("a 1\n", self.GOOD[:-1], self.GOOD + 'a{x="1"} 5\n', self.GOOD + "b 1\n", self.GOOD + "\n", "# TYPE a odd\n",
                    self.GOOD + "# TYPE b gauge\nb 1\n# TYPE a gauge\na 1\n", '# TYPE a gauge\na{x="1",x="2"} 1\n', "# TYPE a gauge\na x\n",
                    '# TYPE a gauge\na{x="1} 1\n', '# TYPE a gauge\na{x="\\t"} 1\n',
                    '# TYPE a histogram\na_bucket{le="1"} 3\na_bucket{le="+Inf"} 2\na_sum 1\na_count 2\n',
                    '# TYPE a histogram\na_bucket{le="1"} 2\na_sum 1\na_count 2\n'):
            with self.assertRaises(ValueError, msg=bad):
                parse(bad)


class MetricsTest(tripos.TriposTest):
    def scrape(self):
        with urllib.request.urlopen(f"http://{self.server.http}/metrics", timeout=30) as response:
            self.assertEqual(response.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            text = response.read().decode()
        self.judge(text)
        self.samples, self.types = parse(text)
        return self

    def judge(self, text):
        """By Prometheus' own client, where it is installed."""
        try:
            from prometheus_client.parser import text_string_to_metric_families
        except ImportError:
            return
        self.assertGreater(len(list(text_string_to_metric_families(text))), 20)

    def value(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def setUp(self):
        super().setUp()
        self.server = self.serve("--set", "group.initial.rebalance.delay.ms=0")

    def produce(self, topic, count):
        self.server.run("produce", topic, stdin=b"".join(b'{"i":%d}\n' % i for i in range(count)))

    def test_what_was_sent_is_counted(self):
        self.server.run("topic", "create", "t")
        self.server.run("topic", "create", "u")
        self.produce("t", 100)
        self.produce("u", 5)
        first = self.scrape()
        messages = "kafka_server_brokertopicmetrics_messagesin_total"
        self.assertEqual(first.value(messages, topic="t"), 100)
        self.assertEqual(first.value(messages, topic="u"), 5)
        self.assertEqual(first.value(messages), 105)
        size = os.path.getsize(max((os.path.join(folder, name) for folder, _, names in os.walk(self.data) for name in names
                                    if name.endswith(".log") and "topics" in folder), key=os.path.getsize))
        self.assertEqual(first.value("kafka_server_brokertopicmetrics_bytesin_total", topic="t"), size)
        self.assertEqual(first.value("kafka_log_log_size", topic="t", partition="0"), size)
        self.assertEqual(first.value("kafka_log_log_logendoffset", topic="t", partition="0"), 100)
        self.assertEqual(first.value("kafka_log_log_logstartoffset", topic="t", partition="0"), 0)
        self.assertEqual(first.value("kafka_server_brokertopicmetrics_bytesout_total", topic="t"), 0)
        self.assertEqual(first.value("kafka_server_replicamanager_underminisrpartitioncount"), 0)
        self.assertEqual(first.value("kafka_server_replicamanager_partitioncount"), 2)
        self.assertEqual(first.value("kafka_controller_kafkacontroller_offlinepartitionscount"), 0)
        produced = first.value("kafka_network_requestmetrics_requests_total", request="Produce")
        self.assertGreaterEqual(produced, 2)
        self.assertEqual(first.value("kafka_network_requestmetrics_totaltimems_count", request="Produce"), produced)
        self.assertEqual(first.value("tripos_request_duration_seconds_count", request="Produce"), produced)
        self.assertGreater(first.value("kafka_network_requestmetrics_totaltimems", request="Produce", quantile="0.99"), 0)
        self.assertGreater(first.value("tripos_log_sync_duration_seconds_count"), 0)

        self.server.run("consume", "t", "--from-beginning", "--until-end")
        self.assertEqual(self.scrape().value("kafka_server_brokertopicmetrics_bytesout_total", topic="t"), size)
        # The sum over all topics never falls, also when one goes.
        self.server.run("topic", "delete", "t", "--confirm", "t")
        after = self.scrape()
        self.assertNotIn((messages, frozenset({("topic", "t")})), after.samples)
        self.assertEqual(after.value(messages), 105)

    def test_the_lag_of_groups(self):
        self.server.run("topic", "create", "t")
        self.produce("t", 10)
        subprocess.run(["kcat", "-b", self.server.kafka, "-G", "g", "-c", "10", "-X", "auto.offset.reset=earliest", "-q", "t"],
                       stdout=subprocess.DEVNULL, timeout=60, check=True)
        where = {"consumergroup": "g", "topic": "t", "partition": "0"}
        now = self.scrape()
        self.assertEqual([now.value(f"kafka_consumergroup_{what}", **where) for what in ("current_offset", "lag", "lag_seconds")],
                         [10, 0, 0])
        self.assertEqual(now.value("kafka_coordinator_group_groupmetadatamanager_numgroups"), 1)
        self.assertEqual(now.value("tripos_consumergroups", state="Empty"), 1)
        begin = time.monotonic()
        self.produce("t", 3)
        while True:
            now = self.scrape()
            self.assertEqual(now.value("kafka_consumergroup_lag", **where), 3)
            self.assertLessEqual(now.value("kafka_consumergroup_lag_seconds", **where), time.monotonic() - begin)
            if now.value("kafka_consumergroup_lag_seconds", **where) > 1:
                break
            self.assertLess(time.monotonic() - begin, 60)
            time.sleep(0.2)

    def test_an_open_transaction_shows(self):
        self.server.run("topic", "create", "t")
        producer = raw_kafka.Producer(self.server.kafka, "nightly")
        self.addCleanup(producer.close)
        self.assertEqual([producer.init(), producer.add("t"), producer.send("t", b"{}")], [0, 0, 0])
        now = self.scrape()
        self.assertEqual(now.value("kafka_cluster_partition_laststableoffsetlag", topic="t", partition="0"), 1)
        self.assertEqual(now.value("tripos_transactional_ids", state="Ongoing"), 1)
        producer.commit()
        now = self.scrape()
        self.assertEqual(now.value("kafka_cluster_partition_laststableoffsetlag", topic="t", partition="0"), 0)
        self.assertEqual(now.value("tripos_oldest_open_transaction_seconds"), 0)

    def test_the_process(self):
        now = self.scrape()
        stat = f"/proc/{self.server.process.pid}"
        with open(f"{stat}/limits") as limits:
            self.assertEqual(now.value("process_max_fds"), float(re.search(r"Max open files +(\d+)", limits.read())[1]))
        self.assertAlmostEqual(now.value("process_start_time_seconds"), time.time(), delta=60)
        self.assertGreater(now.value("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(now.value("process_open_fds"), 3)
        self.assertGreater(now.value("tripos_data_free_bytes"), 0)

    def test_every_family_is_in_the_reference(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "..", "..", "docs", "reference", "metrics.md")) as file:
            documented = set(re.findall(r"^\| `([a-z_]+)` \|", file.read(), re.MULTILINE))
        self.assertLessEqual(set(self.scrape().types), documented)


if __name__ == "__main__":
    unittest.main()
