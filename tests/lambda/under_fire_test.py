#!/usr/bin/env python3
"""batch run while records come and questions are asked: no answer is ever wrong, also after kill -9 in the middle."""

import json
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

from tripos import TriposTest

PARTITIONS = 2
TOPIC = "exams"


class Producer(threading.Thread):
    """Numbers each partition's rows from 0 without a gap; knows what was acknowledged."""

    def __init__(self, server, seconds):
        super().__init__()
        self.server = server
        self.end = time.monotonic() + seconds
        self.acknowledged = [0] * PARTITIONS

    def run(self):
        partition = 0
        while time.monotonic() < self.end:
            partition = (partition + 1) % PARTITIONS
            first = self.acknowledged[partition]
            rows = "".join(json.dumps({"p": partition, "n": first + i, "deep": {"x": first + i}}) + "\n" for i in range(50))
            done = subprocess.run(["kcat", "-b", self.server.kafka, "-X", "message.timeout.ms=5000",
                                   "-P", "-t", TOPIC, "-p", str(partition)],
                                  input=rows.encode(), capture_output=True, timeout=60)
            if done.returncode != 0:
                return  # the server was killed
            self.acknowledged[partition] = first + 50


def wrong_with(rows, acknowledged):
    """Each partition must hold n = 0, 1, 2 … once, at least what was acknowledged before the question."""
    found = {row[0]: row for row in rows}
    for partition, least in enumerate(acknowledged):
        if partition not in found:
            if least > 0:
                return f"partition {partition}: no row, {least} acknowledged"
            continue
        _, count, distinct, smallest, largest, total = found[partition]
        if not (count == distinct == largest + 1 and smallest == 0 and total == largest * (largest + 1) // 2):
            return f"partition {partition}: {found[partition]}"
        if count < least:
            return f"partition {partition}: {count} rows, {least} acknowledged before"
    return None


STATEMENT = f"SELECT p, count(*), count(DISTINCT n), min(n), max(deep.x), sum(n) FROM {TOPIC} GROUP BY p"


class Reader(threading.Thread):
    def __init__(self, server, producer):
        super().__init__()
        self.server = server
        self.producer = producer
        self.answers = 0
        self.wrong = []

    def run(self):
        while self.producer.is_alive():
            before = list(self.producer.acknowledged)
            try:
                rows = self.server.rows(STATEMENT)
            except urllib.error.HTTPError as error:
                text = error.read().decode()
                if "no table" in text and sum(before) == 0:
                    continue
                self.wrong.append(text)
                continue
            self.answers += 1
            problem = wrong_with(rows, before)
            if problem:
                self.wrong.append(problem)


class UnderFire(TriposTest):
    def batch(self, server):
        request = urllib.request.Request(f"http://{server.http}/v1/batch?topic={TOPIC}", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["tables"][0]

    def test_no_answer_is_wrong(self):
        server = self.serve()
        server.run("topic", "create", TOPIC, "--partitions", str(PARTITIONS))
        producer = Producer(server, 6)
        readers = [Reader(server, producer) for _ in range(3)]
        producer.start()
        for reader in readers:
            reader.start()
        written = 0
        while producer.is_alive():
            written += self.batch(server)["outcome"] == "written"
        for thread in [producer, *readers]:
            thread.join()
        for reader in readers:
            self.assertEqual(reader.wrong, [])
            self.assertGreater(reader.answers, 5)
        self.assertGreater(written, 5)
        self.assertIsNone(wrong_with(server.rows(STATEMENT), producer.acknowledged))

    def test_a_kill_in_a_snapshot_loses_and_doubles_nothing(self):
        server = self.serve()
        server.run("topic", "create", TOPIC, "--partitions", str(PARTITIONS))
        acknowledged = [0] * PARTITIONS
        for round_number in range(4):
            producer = Producer(server, 1.5)
            producer.acknowledged = acknowledged
            producer.start()
            time.sleep(0.7)
            snapshot = threading.Thread(target=self.batch_ignoring_errors, args=(server,))
            snapshot.start()
            time.sleep(0.02 * (round_number + 1))
            server.kill()
            producer.join()
            snapshot.join()
            server.start()
            # What was not acknowledged may be there too: kcat was cut off in a batch of 50. Start where the log ends.
            rows = server.rows(STATEMENT)
            self.assertIsNone(wrong_with(rows, acknowledged))
            for row in rows:
                acknowledged[row[0]] = row[1]
        self.batch(server)
        self.assertIsNone(wrong_with(server.rows(STATEMENT), acknowledged))

    def batch_ignoring_errors(self, server):
        try:
            self.batch(server)
        except (OSError, urllib.error.HTTPError, ValueError):
            pass

    def test_the_checker_sees_seams(self):
        exact = [[0, 3, 3, 0, 2, 3], [1, 1, 1, 0, 0, 0]]
        self.assertIsNone(wrong_with(exact, [3, 1]))
        self.assertIsNotNone(wrong_with(exact, [4, 1]))  # an acknowledged row is missing
        self.assertIsNotNone(wrong_with([[0, 4, 3, 0, 2, 3], exact[1]], [3, 1]))  # a row twice
        self.assertIsNotNone(wrong_with([[0, 2, 2, 0, 2, 2], exact[1]], [2, 1]))  # a gap
        self.assertIsNotNone(wrong_with(exact[:1], [3, 1]))


if __name__ == "__main__":
    unittest.main()
