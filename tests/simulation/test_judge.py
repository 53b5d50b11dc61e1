from typing import Any

import numpy as np

from tests.simulation.scenarios import composed, finished
from tiering.engine.folios import CLASS_MASK
from tiering.engine.reports import in_runs
from tiering.simulation.loop import Simulation

HOT: dict[str, Any] = {
    "size_mib": 4.0, "node": "CXL", "pattern": "hot_set",
    "hot_set": {"hot_size_pct": 25.0, "layout": "contiguous"},
}  # fmt: skip
NONE = np.zeros((0, 3), np.int64)


def judged(**changes: Any) -> Simulation:
    """1,024 folios on CXL, the first 256 hot; DRAM holds just them."""
    app = {"threads": 4, "vmas": [HOT]}
    return Simulation(composed([app], nodes__0__capacity_mib=1, **changes), 1)


def a_pass(nr: int = 0) -> np.ndarray:
    """A full scan that ended after `nr` reports."""
    return np.array([[0, 5, nr]])


def test_the_hot_folios_are_those_that_would_fill_the_top_tier() -> None:
    simulation = judged()
    hot = simulation.optimum.hot[simulation.world.memory.folio[:1024] & np.uint32(CLASS_MASK)]
    assert np.flatnonzero(hot).tolist() == list(range(256))
    assert not simulation.optimum.flat


def test_precision_and_recall_by_hand() -> None:
    judge = judged().judge
    judge.take(0, in_runs(np.arange(192, 320, dtype=np.uint32)), NONE)
    precision, recall = judge.since_last()
    assert precision == 0.5
    assert np.isnan(recall)
    judge.take(0, in_runs(np.arange(64, dtype=np.uint32)), a_pass(64))
    assert judge.since_last() == (1.0, 0.5), "128 of 256 in the whole pass"
    assert judge.so_far() == (128 / 192, 0.5)


def test_without_reports_there_is_no_precision_and_without_a_pass_no_recall() -> None:
    judge = judged().judge
    assert np.isnan(judge.since_last()).all()
    assert judge.so_far() == (None, None)


def test_hot_folios_that_have_risen_are_no_longer_there_to_be_found() -> None:
    """After the first visits all of the hot set is on DRAM, or as much as fits."""
    simulation = judged(migration__reserve="none", until_s=3.0)
    while not simulation.done:
        simulation.next_block()
    left = simulation.world.memory.resident[0]
    counts = simulation.judge.counts
    assert left.sum() == 256
    assert counts[2] <= counts[3], "never more found than there was"
    assert simulation.judge.so_far()[1] == counts[2] / counts[3]


def test_the_scan_of_a_process_that_exits_does_not_go_on_in_its_next_life() -> None:
    judge = judged().judge
    judge.take(0, in_runs(np.arange(100, dtype=np.uint32)), NONE)
    judge.forget(0)
    judge.take(0, in_runs(np.arange(28, dtype=np.uint32)), a_pass(28))
    assert judge.counts.tolist() == [128, 128, 28, 256]


def test_a_short_life_is_forgotten_with_its_scan() -> None:
    """Each life has a visit to the first of two VMAs; no pass ends, so nothing is open after it."""
    vmas = [HOT | {"size_mib": 32.0}, HOT | {"size_mib": 32.0, "name": "more"}]
    short: dict[str, Any] = {"lifetime_s": 0.3, "every_s": 1.0, "vmas": vmas}
    budget: dict[str, Any] = {"pte_scan__scan_size_mib": 32, "pte_scan__scan_size_min_mib": 32}
    limit: dict[str, Any] = {"pte_scan__scan_size_max_mib": 32, "nodes__1__capacity_mib": 1024}
    simulation, _, _ = finished(composed([short], **budget | limit, until_s=2.9))
    assert simulation.scanner is not None
    assert simulation.scanner.mms.nr_visits[0] == 3
    assert simulation.judge.counts[3] == 0
    simulation.judge.take(0, in_runs(np.zeros(0, np.uint32)), a_pass())
    assert simulation.judge.counts[2] == 0, "nothing of an earlier life was found in this pass"
