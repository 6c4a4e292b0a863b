"""The history of a run: what clients did and saw, one event after another. crash.py writes it, checker.py judges it.

Times are seconds of one clock (time.monotonic() of the test). `begin` is before the request was sent, `end` after its answer came: what
ended before something else began has happened before it. Events, each a dictionary with "op":

  write        producer, number, topic, partition, value, begin, end, outcome, offset (if ok), transaction (an id, or None)
               outcome: ok (acknowledged at this offset), failed (refused for good), unknown (then `end` is None). `value` is unique in
               the run; a producer's writes are numbered in the order in which it sent them.
  transaction  id, decided, begin, end (infinite: it never came), outcome: committed, aborted, unknown. `decided`: when its producer first
               asked for its end.
  read         reader, isolation (committed, uncommitted), topic, partition, from, records [[offset, value]…], begin, end, final
               What was read from offset `from` on, without a gap. `final`: all of the partition, after the run.
               group: set if the reader is a member of a consumer group; then `records` were delivered to it.
  ends         topic, partition, begin, end, and of these what was asked for: start, high, stable
  commit       group, topic, partition, offset, begin, end, outcome: ok, unknown
  committed    group, topic, partition, offset (None: nothing is committed), begin, end, final
  table        topics, values, begin, end, final: what one SQL statement found in the tables of these topics together
  count        topic, count, begin, end: what `tripos sql` counted after the run
  copy         group, source, target: the group's members copied each record of `source` to `target`, with its value, exactly once, in
               transactions that bore the group's offsets
"""

import json


class History:
    """Append-only; appending is safe from several threads."""

    def __init__(self):
        self.events = []

    def add(self, op, **fields):
        """The event; who adds it may say more of it later."""
        event = {"op": op, **fields}
        self.events.append(event)
        return event

    def save(self, path):
        with open(path, "w") as file:
            file.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in list(self.events))


def load(path):
    with open(path) as file:
        return [json.loads(line) for line in file]
