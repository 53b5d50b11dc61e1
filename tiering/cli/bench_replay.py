"""Speeds of page-trace replay: 10 M accesses, Zipf 1 over 2 M scattered pages, one core."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiering.cli.measure import Figure, best
from tiering.cli.peer import installed, peer_replay, write_trace
from tiering.engine.irm import alias_table, draw, zipf_law
from tiering.engine.limits import scatter
from tiering.engine.random import stream_key
from tiering.engine.replay import replay
from tiering.workloads.scatter import scattered_ranks

NR_PAGES = 2_000_000
NR_ACCESSES = 10_000_000
FRAMES = 200_000
OTHER_FRAMES = (20_000, 400_000)
TARGETS = {"lru": 45.0}


@cache
def _table() -> NDArray[np.uint64]:
    by_rank = zipf_law(NR_PAGES, 1.0)
    law = np.empty(NR_PAGES)
    for first, rank in scattered_ranks(NR_PAGES, 1):
        law[first : first + rank.size] = by_rank[rank]
    return alias_table(law)


@cache
def _trace() -> NDArray[np.uint32]:
    trace = np.empty(NR_ACCESSES, np.uint32)
    draw(_table(), stream_key(1), 0, trace)
    return trace


@cache
def _scatter_rate() -> float:
    """Random u32 a second in 8 MiB, the room that the last touches of 2 M pages take."""
    words = np.zeros(1 << 21, np.uint32)
    salt = iter(np.arange(1, 100, dtype=np.uint64) << np.uint64(40))

    def work() -> float:
        scatter(words, NR_ACCESSES, next(salt))
        return float(NR_ACCESSES)

    return best(work)


def _rate(policy: str, frames: int) -> float:
    def work() -> float:
        replay(policy, _trace(), NR_PAGES, frames)
        return float(NR_ACCESSES)

    return best(work)


def _against_peer(policy: str, rate: float) -> str:
    """The ratio to libCacheSim on the same trace, and whether both count the same hits."""
    if not installed():
        return "libcachesim is not installed"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "trace.bin"
        write_trace(_trace(), path)
        runs = [peer_replay(policy, path, NR_ACCESSES, FRAMES) for _ in range(3)]
    theirs = NR_ACCESSES / min(seconds for _, seconds in runs)
    same = runs[0][0] == replay(policy, _trace(), NR_PAGES, FRAMES).hits
    hits = "the same hits" if same else "OTHER HITS"
    return f"{rate / theirs:.0f} x libcachesim ({theirs / 1e6:.1f} M/s, {hits})"


def _replay(policy: str) -> Figure:
    rate = _rate(policy, FRAMES)
    others = ", ".join(f"{_rate(policy, n) / 1e6:.0f} on {n:,}" for n in OTHER_FRAMES)
    note = f"on {FRAMES:,} frames ({others}); {_against_peer(policy, rate)}"
    return Figure(rate / 1e6, "M accesses/s", note, _ratio(rate), TARGETS.get(policy))


def _ratio(rate: float) -> str:
    return f"{rate / _scatter_rate():.2f} of the random access limit in 8 MiB"


def _draw() -> Figure:
    trace = np.empty(NR_ACCESSES, np.uint32)

    def work() -> float:
        draw(_table(), stream_key(2), 0, trace)
        return float(NR_ACCESSES)

    rate = best(work)
    return Figure(rate / 1e6, "M accesses/s", "drawn from an alias table", _ratio(rate))


REPLAYS: dict[str, Callable[[], Figure]] = {
    "replay_lru_dense": lambda: _replay("lru"),
    "replay_fifo_dense": lambda: _replay("fifo"),
    "replay_irm_draw": _draw,
}
