"""What `bench` measures: the table of all benchmarks."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tiering.cli.bench_replay import REPLAYS
from tiering.cli.bench_visit import VISITS
from tiering.cli.measure import REPEATS, Figure, best, host, rewrite_rate, scatter_rate
from tiering.engine.closed_loop import Load, Nodes, room, solve
from tiering.engine.migrate import drain
from tiering.engine.reports import in_runs
from tiering.simulation.load import load_text
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.stream.codec import Block, encode


def _speed(think_ns: float, until_s: float = 120.0) -> Figure:
    """Simulated seconds per wall second: 8 GiB in 1 GiB VMAs, 1 mm, Zipf, DRAM a quarter."""
    scenario = load_text(host(8192, "zipf", think_ns, 2048, until_s), "bench")

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
    fastest, folios = 0.0, 0.0
    for _ in range(3):
        simulated = work()
        if simulated / spent[0] > fastest:
            fastest, folios = simulated / spent[0], scanned[0] / spent[0]
    limit = folios / rewrite_rate()
    return Figure(fastest, "simulated s / wall s", f"{limit:.3f} of the memory rewrite limit")


def _migrate() -> Figure:
    """Folios a second through the migration queue."""
    scenario = load_text(host(4096, "uniform", 1000.0, 8192, 1.0), "bench")

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
    return Figure(
        rate / 1e6, "M folios/s", f"{rate / scatter_rate():.3f} of the random access limit"
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

    return Figure(1.0 / best(work, 3), "s", "python -m tiering scenarios, new process")


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
    "speed_8g_1mm_light": lambda: _speed(23_842.0),  # 0.02 accesses per folio and second
    "speed_8g_1mm_thrash": lambda: _speed(477.0),  # 1 access per folio and second
    **VISITS,
    **REPLAYS,
    "migrate": _migrate,
    "solve": _solve,
    "encode": _encode,
    "start": _start,
    "page_up": _page_up,
}
