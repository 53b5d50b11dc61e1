"""What `bench` measures. Each figure is the best of a few repeats, since machines are shared."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tiering.engine.closed_loop import Load, Nodes, room, solve
from tiering.engine.flow import Pace
from tiering.engine.limits import rewrite, scatter
from tiering.engine.migrate import drain
from tiering.engine.touch import scratch
from tiering.simulation.load import load_text
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.sources.pte_walk import walk
from tiering.stream.codec import Block, encode

REPEATS = 5


class Figure(NamedTuple):
    """One measured figure; note says the ratio to a limit, or what was measured."""

    value: float
    unit: str
    note: str = ""


def _best(work: Callable[[], float], repeats: int = REPEATS) -> float:
    """Largest rate (units a second) of several calls; work returns the units it did."""
    work()
    best = 0.0
    for _ in range(repeats):
        begin = time.perf_counter()
        units = work()
        best = max(best, units / (time.perf_counter() - begin))
    return best


@cache
def _rewrite_rate() -> float:
    words = np.zeros(1 << 26, np.uint32)

    def work() -> float:
        rewrite(words)
        return float(words.size)

    return _best(work)


@cache
def _scatter_rate() -> float:
    words = np.zeros(1 << 26, np.uint32)
    salt = iter(np.arange(1, 100, dtype=np.uint64) << np.uint64(40))

    def work() -> float:
        scatter(words, 1 << 22, next(salt))
        return float(1 << 22)

    return _best(work)


def _host(size_mib: int, pattern: str, think_ns: float, dram_mib: int, until_s: float) -> str:
    return f"""
title = "bench"
question = "how fast?"
topic = "bench"
preset = "kmmscand_v0"
until_s = {until_s}
[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = {dram_mib}
latency_ns = 90.0
read_gb_s = 300.0
write_gb_s = 300.0
[[nodes]]
name = "CXL"
tier = 1
capacity_mib = {size_mib}
latency_ns = 250.0
read_gb_s = 36.0
write_gb_s = 30.0
[[processes]]
name = "load"
threads = 1
think_ns = {think_ns}
[[processes.vmas]]
size_mib = {size_mib}.0
split_mib = 1024.0
node = "CXL"
pattern = "{pattern}"
[pte_scan]
scan_size_mib = 1024
scan_size_max_mib = 1024
"""


def _speed(think_ns: float, until_s: float = 120.0) -> Figure:
    """Simulated seconds per wall second: 8 GiB in 1 GiB VMAs, 1 mm, Zipf, DRAM a quarter."""
    scenario = load_text(_host(8192, "zipf", think_ns, 2048, until_s), "bench")

    def work() -> float:
        simulation = Simulation(scenario, 1)
        begin[0] = time.perf_counter()
        while not simulation.done:
            simulation.next_block()
        scanned[0] = simulation.result()["metrics"]["nr_scanned"]
        spent[0] = time.perf_counter() - begin[0]
        return simulation.time_ns / NS_PER_S

    begin, spent, scanned = [0.0], [0.0], [0.0]
    work()
    best, folios = 0.0, 0.0
    for _ in range(3):
        simulated = work()
        if simulated / spent[0] > best:
            best, folios = simulated / spent[0], scanned[0] / spent[0]
    limit = folios / _rewrite_rate()
    return Figure(best, "simulated s / wall s", f"{limit:.3f} of the memory rewrite limit")


def _visit(pattern: str, size_mib: int) -> Figure:
    """Folio visits a second of the scan loop over memory that is all on the slow tier."""
    world = Simulation(load_text(_host(size_mib, pattern, 1000.0, 1024, 1.0), "bench"), 1).world
    speed = world.nr_folios.sum() / 2 / NS_PER_S  # every other folio touched in a second
    out, buffers, at = np.zeros(32 * 8192, np.uint32), scratch(), [0]
    pace = Pace(np.zeros(2, np.int64), np.zeros(1), np.array([speed]), np.array([np.inf]))

    def work() -> float:
        granule, visited = 0, 0
        at[0] += NS_PER_S
        while granule < world.memory.nr.size:
            granule, _, _, scanned = walk(
                world.memory, world.rates, buffers, granule, world.memory.nr.size, at[0], 2**62,
                pace, (0.0, 0.0), out,
            )  # fmt: skip
            visited += scanned
        return float(visited)

    rate = _best(work)
    return Figure(rate / 1e6, "M folios/s", f"{rate / _rewrite_rate():.3f} of the rewrite limit")


def _migrate() -> Figure:
    """Folios a second through the migration queue."""
    scenario = load_text(_host(4096, "uniform", 1000.0, 8192, 1.0), "bench")

    def work(simulation: Simulation) -> float:
        world, queue = simulation.world, simulation.queue
        folios = np.arange(world.memory.folio.size, dtype=np.uint32)
        begin = time.perf_counter()
        queue.add(folios, 0)
        drain(
            world.memory, world.rates, simulation.scratch, queue.chunks, 0, 2**62,
            simulation.progress.pace, queue.terms(), queue.books,
        )  # fmt: skip
        return folios.size / (time.perf_counter() - begin)

    rate = max(work(Simulation(scenario, 1)) for _ in range(REPEATS))
    return Figure(
        rate / 1e6, "M folios/s", f"{rate / _scatter_rate():.3f} of the random access limit"
    )


def _solve() -> Figure:
    """Solutions of the closed loop a second, two nodes, one busy process."""
    nodes = Nodes(
        np.array([90.0, 250.0]), np.full(2, 0.1), np.full(2, 2), np.array([300.0, 36.0]),
        np.array([300.0, 30.0]),
    )  # fmt: skip
    load = Load(
        np.array([64.0]), np.array([10.0]), np.zeros(1), np.array([[0.5], [0.5]]),
        np.zeros(2), np.zeros(2),
    )  # fmt: skip

    work_room = room(1)

    def work() -> float:
        for _ in range(1000):
            solve(nodes, load, nodes.idle_ns.copy(), np.zeros(2), np.zeros(1), work_room)
        return 1000.0

    return Figure(_best(work) / 1e3, "thousand solutions/s", "cold start, 1 process, 2 nodes")


def _encode() -> Figure:
    """Blocks encoded a second, 64 mms on two nodes."""
    rows = np.zeros(2 * 64 * 12, np.float64).tobytes()

    def work() -> float:
        for step in range(2000):
            encode(Block(step, 2, rows, []))
        return 2000.0

    return Figure(_best(work) / 1e3, "thousand blocks/s", f"{len(rows)} bytes of rows each")


def _start() -> Figure:
    """Wall time of `python -m tiering scenarios` in a new process, warm caches."""
    command = [sys.executable, "-m", "tiering", "scenarios"]

    def work() -> float:
        subprocess.run(command, check=True, capture_output=True)
        return 1.0

    return Figure(1.0 / _best(work, 3), "s", "python -m tiering scenarios, new process")


def _page_up() -> Figure:
    """Wall time from `python app.py` until the page is served, warm caches, embedded server."""
    app = Path(__file__).resolve().parents[2] / "app.py"
    best = float("inf")
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        for _ in range(3):
            command = [sys.executable, str(app), "--port", "0", "--data-dir", data]
            begin = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                line = process.stdout.readline() if process.stdout else ""
                took = time.perf_counter() - begin
                process.terminate()
            if "ready" in line:
                best = min(best, took)
    return Figure(best, "s", "python app.py until the page is served")


def _rewrite_figure() -> Figure:
    return Figure(_rewrite_rate() * 8 / 1e9, "GB/s", "limit: every u32 of 256 MiB read and written")


def _scatter_figure() -> Figure:
    return Figure(_scatter_rate() / 1e6, "M/s", "limit: random u32 of 256 MiB read and written")


BENCHMARKS: dict[str, Callable[[], Figure]] = {
    "limit_rewrite": _rewrite_figure,
    "limit_random": _scatter_figure,
    "speed_8g_1mm_light": lambda: _speed(23_842.0),  # 0.02 accesses per folio and second
    "speed_8g_1mm_thrash": lambda: _speed(477.0),  # 1 access per folio and second
    "visit_pass_uniform_8g": lambda: _visit("uniform", 8192),
    "visit_pass_zipf_8g": lambda: _visit("zipf", 8192),
    "visit_pass_zipf_64g": lambda: _visit("zipf", 65536),
    "migrate": _migrate,
    "solve": _solve,
    "encode": _encode,
    "start": _start,
    "page_up": _page_up,
}
