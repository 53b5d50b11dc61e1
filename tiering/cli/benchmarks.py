"""What `bench` measures: the table of all benchmarks."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tiering.cli.bench_batch import batch_figure
from tiering.cli.bench_cost import COSTS
from tiering.cli.bench_load import THRASH, bench_scenario
from tiering.cli.bench_memory import MEMORY
from tiering.cli.bench_replay import REPLAYS
from tiering.cli.bench_sources import BY_SOURCE
from tiering.cli.bench_speed import SPEEDS
from tiering.cli.bench_visit import VISITS
from tiering.cli.measure import REPEATS, Figure, best, rewrite_rate, scatter_rate
from tiering.engine.closed_loop import Load, Nodes, room, solve
from tiering.engine.migrate import drain
from tiering.engine.reports import in_runs
from tiering.simulation.loop import Simulation
from tiering.stream.codec import Block, encode


def _migrate() -> Figure:
    """Folios a second through the migration queue."""
    changes = {
        "nodes.0.capacity_mib": 8192,
        "processes.0.vmas.0.node": "CXL",
        "processes.0.vmas.0.pattern": "uniform",
    }
    scenario = bench_scenario(1, 4096, THRASH, 1.0, changes)

    def work(simulation: Simulation) -> float:
        world, queue = simulation.world, simulation.queue
        folios = np.arange(world.memory.folio.size, dtype=np.uint32)
        begin = time.perf_counter()
        queue.add(in_runs(folios))
        drain(
            world.memory, world.rates, simulation.scratch, queue.chunks, 0, 2**62,
            simulation.progress.pace, queue.terms, queue.books,
        )  # fmt: skip
        return folios.size / (time.perf_counter() - begin)

    rate = max(work(Simulation(scenario, 1)) for _ in range(REPEATS))
    ratio = f"{rate / scatter_rate():.3f} of the random access limit"
    return Figure(rate / 1e6, "M folios/s", "through the migration queue", ratio)


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

    return Figure(best(work) / 1e3, "thousand solutions/s", "cold start, 1 process, 2 nodes")


def _encode() -> Figure:
    """Blocks encoded a second, 64 mms on two nodes."""
    rows = np.zeros(2 * 64 * 12, np.float64).tobytes()

    def work() -> float:
        for step in range(2000):
            encode(Block(step, 2, rows, []))
        return 2000.0

    return Figure(best(work) / 1e3, "thousand blocks/s", f"{len(rows)} bytes of rows each")


def _start() -> Figure:
    """Wall time of `python -m tiering scenarios` in a new process, warm caches."""
    command = [sys.executable, "-m", "tiering", "scenarios"]

    def work() -> float:
        subprocess.run(command, check=True, capture_output=True)
        return 1.0

    return Figure(1.0 / best(work, 3), "s", "python -m tiering scenarios, in a new process")


def _page_up() -> Figure:
    """Wall time from `python app.py` until the page is served, warm caches, embedded server."""
    app = Path(__file__).resolve().parents[2] / "app.py"
    shortest = float("inf")
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        for _ in range(3):
            command = [sys.executable, str(app), "--port", "0", "--data-dir", data]
            begin = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                line = process.stdout.readline() if process.stdout else ""
                took = time.perf_counter() - begin
                process.terminate()
            if "ready" in line:
                shortest = min(shortest, took)
    return Figure(shortest, "s", "python app.py until the page is served")


def _rewrite_figure() -> Figure:
    return Figure(rewrite_rate() * 8 / 1e9, "GB/s", "limit: every u32 of 256 MiB read and written")


def _scatter_figure() -> Figure:
    return Figure(scatter_rate() / 1e6, "M/s", "limit: random u32 of 256 MiB read and written")


BENCHMARKS: dict[str, Callable[[], Figure]] = {
    "limit_rewrite": _rewrite_figure,
    "limit_random": _scatter_figure,
    **SPEEDS,
    **VISITS,
    **REPLAYS,
    "batch_8g_60s": batch_figure,
    **MEMORY,
    **COSTS,
    "migrate": _migrate,
    "solve": _solve,
    "encode": _encode,
    "start": _start,
    "page_up": _page_up,
    **BY_SOURCE,
}
