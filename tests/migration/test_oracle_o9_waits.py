"""Oracle O9: waits in the migration queue where candidates arrive at random (M/D/1, M/G/1).

Candidates come one by one at Poisson times, and the thread that drains the queue is the server: a
pinned candidate takes b, one that moves b and its copy.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import flat_memory, flat_rates, pace
from tiering.engine.elementary import log
from tiering.engine.folios import PINNED
from tiering.engine.migrate import drain
from tiering.engine.random import stream_key, uniform_of
from tiering.engine.reports import in_runs
from tiering.engine.touch import scratch
from tiering.migration.queue import Migration, MigrationQueue

P_THRESHOLD = 1e-4
FOREVER = 2**62
NR, PARTS = 32_000, 32  # candidates; parts of the run whose means are nearly independent
FOLIO_NS, COPY_NS = 2000, 18_000
GAP, MOVES = 1, 2  # streams of the run's key


def waits(load: float, moving: float, seed: int) -> NDArray[np.float64]:
    """f64[PARTS] mean wait of each part of the run, ns.

    load: rho; moving: part of the candidates that are not pinned.
    """
    knobs = Migration(batch_us=0.0, folio_us=FOLIO_NS / 1e3, copy_gb_s=4096 / COPY_NS)
    memory = flat_memory(NR)
    key = stream_key(seed)
    pinned = [uniform_of(key, MOVES, i) > moving for i in range(NR)]
    memory.folio[:NR][pinned] |= np.uint32(PINNED)
    queue = MigrationQueue(knobs, memory, np.zeros(2, np.int64), 1)
    mean_gap = (FOLIO_NS + moving * COPY_NS) / load
    gaps = -log(np.array([uniform_of(key, GAP, i) for i in range(NR)])) * mean_gap
    arrivals = np.cumsum(gaps).astype(np.int64)
    for i, arrival in enumerate(arrivals.tolist()):
        queue.add(in_runs(np.array([i], np.uint32), arrival))
    rates, buffers, motionless = flat_rates(0.0), scratch(), pace()
    totals, clock = [0], 0
    for part in range(1, PARTS + 1):
        end = int(arrivals[part * NR // PARTS]) if part < PARTS else FOREVER
        while queue.oldest_ns() < end and len(queue):
            clock = max(clock, queue.oldest_ns())
            clock = drain(
                memory, rates, buffers, queue.chunks, clock, max(end, clock + 1), motionless,
                queue.terms, queue.books,
            )  # fmt: skip
        totals.append(int(queue.books.age[0]))
    assert queue.handled == NR
    return np.diff(totals) / (NR / PARTS)


def p_value(means: NDArray[np.float64], expected: float) -> float:
    """Of the mean of the parts being that one; parts at the begin and the end are left out."""
    return float(stats.ttest_1samp(means[1:-1], expected).pvalue)


@pytest.mark.parametrize(("load", "ratio"), [(0.3, 0.21429), (0.5, 0.5), (0.8, 2.0)])
def test_equal_candidates_wait_as_in_an_m_d_1_queue(load: float, ratio: float) -> None:
    """Wq = rho D / (2 (1 - rho))."""
    assert load / (2 * (1 - load)) == pytest.approx(ratio, abs=1e-5)
    means = waits(load, 0.0, seed=1)
    assert p_value(means, ratio * FOLIO_NS) > P_THRESHOLD
    memoryless = load / (1 - load) * FOLIO_NS  # negative control: M/M/1
    assert p_value(means, memoryless) < P_THRESHOLD


@pytest.mark.parametrize(("load", "moving"), [(0.3, 0.1), (0.5, 0.25), (0.7, 0.5)])
def test_candidates_of_two_sorts_wait_as_pollaczek_and_khinchine_say(
    load: float, moving: float
) -> None:
    """Wq = lambda E[S**2] / (2 (1 - rho)), S = b for pinned ones and b + copy for the others."""
    mean = FOLIO_NS + moving * COPY_NS
    square = (1 - moving) * FOLIO_NS**2 + moving * (FOLIO_NS + COPY_NS) ** 2
    expected = load / mean * square / (2 * (1 - load))
    means = waits(load, moving, seed=2)
    assert p_value(means, expected) > P_THRESHOLD
    all_alike = load * mean / (2 * (1 - load))  # negative control: M/D/1 of the same load
    assert p_value(means, all_alike) < P_THRESHOLD
