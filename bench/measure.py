"""What a piece of work costs: wall time, CPU seconds and peak memory of a process or of a whole tree of processes, and tables of it.

CPU seconds are the steadier figure on a machine that does other things too. Of a tree they are what the kernel has counted for its living
members plus what these have reaped; memory is the largest sum of resident sizes seen, looked at every 20 ms, with pages of the page cache
that a process has mapped (a log, a Parquet file) left out: RssAnon. Beside the sum: the peaks of the tree's root and of the largest of
its descendants (a server and its workers), which Memory holds to their limits.
"""

import os
import resource
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds, user and system, all members
    peak: int = 0  # bytes, all members together
    root_peak: int = 0
    descendant_peak: int = 0  # of the largest
    output: str = ""


PEAKS = ("peak", "root_peak", "descendant_peak")


def machine_bytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _children(pid):
    """Of all its threads; those of a process that ends meanwhile may be missing."""
    direct = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as listed:
                direct += [int(child) for child in listed.read().split()]
    except OSError:
        pass
    return direct


def tree(pid):
    members = [pid]
    for member in members:
        members += _children(member)
    return members


def _cpu(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / TICKS  # utime, stime, cutime, cstime


def _memory(pid, name):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def resident(pid):
    """All that is resident, mapped files included."""
    return _memory(pid, "VmRSS")


class Watch:
    """The cost of what a living tree of processes does between enter and exit."""

    def __init__(self, pid):
        self.pid = pid
        self.cost = Cost()

    def _watch(self):
        while not self._ended.wait(0.02):
            members = tree(self.pid)
            sizes = [_memory(member, "RssAnon") for member in members]
            self.cost.peak = max(self.cost.peak, sum(sizes))
            self.cost.root_peak = max(self.cost.root_peak, sizes[0])
            self.cost.descendant_peak = max([self.cost.descendant_peak, *sizes[1:]])
            self.seen_cpu = max(self.seen_cpu, sum(_cpu(member) for member in members) - self._cpu)

    def __enter__(self):
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._cpu = sum(_cpu(member) for member in tree(self.pid))
        self._wall = time.monotonic()
        self.seen_cpu = 0.0  # the most that was seen, for trees that end before they can be asked
        self._thread.start()
        return self.cost

    def __exit__(self, *failure):
        self.cost.wall = time.monotonic() - self._wall
        self.cost.cpu += sum(_cpu(member) for member in tree(self.pid)) - self._cpu
        self._ended.set()
        self._thread.join()


class Failed(SystemExit):
    """A command did."""


def run(command, memory_max=None, **arguments):
    """The cost of a command from its start to its end; fails as the command does. CPU: what its descendants took that it waited for, or
    what was last seen of its tree where that is more (a Java machine that nobody waits for)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    if memory_max:  # bytes that each of its processes may have, files that it maps not counted
        arguments["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_DATA, (memory_max, memory_max))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **arguments)
    watch = Watch(process.pid)
    with watch:
        output = process.communicate()[0]
    if process.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peaks = {name: getattr(watch.cost, name) for name in PEAKS}
    return Cost(wall=time.monotonic() - started, cpu=max(cpu, watch.seen_cpu), output=output, **peaks)


def median(costs):
    """The median of each figure by itself, of peaks the largest; the output of the first."""
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        output=costs[0].output,
        **{name: max(getattr(cost, name) for cost in costs) for name in PEAKS},
    )


class Memory:
    """The limits of a server: its own memory without workers, and that of each worker. Takes the costs of all stages; says what they
    reached, and ends the benchmark with an error if that is more."""

    SERVER_MB = 256
    WORKER_MB = 1024
    CONFIGURATION = f"[sql]\nworker_memory_mb = {WORKER_MB}\n"

    def __init__(self):
        self.server = 0
        self.worker = 0

    def add(self, cost):
        self.server = max(self.server, cost.root_peak)
        self.worker = max(self.worker, cost.descendant_peak)

    def report(self):
        over = []
        for name, peak, limit in (("server without workers", self.server, self.SERVER_MB), ("largest worker", self.worker, self.WORKER_MB)):
            print(f"Memory of the {name}, at its peak: {peak / 2**20:,.0f} MiB of {limit:,}")
            if peak > limit * 2**20:
                over.append(name)
        if over:
            raise SystemExit(f"above its limit of memory: {' and '.join(over)}")


@dataclass
class Table:
    """Rows of one stage, each with what it is compared with: the first row's figure over its own."""

    title: str
    input_bytes: int
    rows: list = field(default_factory=list)

    def add(self, name, cost):
        self.rows.append((name, cost))
        print(f"  … {name}: {cost.wall:.3f} s, {cost.cpu:.3f} CPU s", flush=True)

    def add_failure(self, name, why):
        self.rows.append((name, why))
        print(f"  … {name}: {why}", flush=True)

    def text(self):
        megabytes = self.input_bytes / 1e6
        lines = [
            f"### {self.title}",
            "",
            "| | wall s | MB/s | CPU s | MB per CPU s | Tripos is × per CPU s | peak MB |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        ours = self.rows[0][1].cpu if self.rows else 0
        for name, cost in self.rows:
            if isinstance(cost, str):
                lines.append(f"| {name} | {cost} | | | | | |")
                continue
            ratio = f"{cost.cpu / ours:.2f}" if ours > 0 else ""
            lines.append(
                f"| {name} | {cost.wall:.3f} | {megabytes / max(cost.wall, 1e-9):,.0f} | {cost.cpu:.3f} |"
                f" {megabytes / max(cost.cpu, 1e-9):,.0f} | {ratio} | {cost.peak / 1e6:,.0f} |"
            )
        return "\n".join(lines) + "\n"
