from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.engine.folios import UNTOUCHED
from tiering.simulation.loop import Simulation
from tiering.simulation.outcome import MOST_MMS, metrics, spread, time_to_90

MS = 1_000_000
MIB = 256  # pages


@pytest.mark.parametrize(
    ("shares", "seconds"),
    [
        ([], None),
        ([0.0, 0.0], None),
        ([0.5, 0.0], None),  # it is gone again
        ([0.1, 0.2, 0.89, 0.9, 1.0], 4.0),
        ([0.9, 0.1, 1.0], 1.0),  # the first time counts
        ([0.4, 0.4], 1.0),  # from the begin
        ([0.0, 0.0, 0.001], 3.0),
    ],
)
def test_time_to_90_is_the_first_row_with_nine_tenths_of_the_last(
    shares: list[float], seconds: float | None
) -> None:
    assert time_to_90(shares, 1.0, 99.0) == seconds


def test_time_to_90_is_never_after_the_end_of_the_run() -> None:
    """A run of 3.05 s has a last row after half a sample."""
    assert time_to_90([0.0, 0.0, 0.0, 1.0], 1.0, 3.05) == 3.05


@pytest.mark.parametrize("nr", [1, 2, 99, 100, 101, 200, 700, 1000, 12_345])
def test_the_99th_percentile_is_the_least_that_99_of_100_do_not_exceed(nr: int) -> None:
    values = np.random.default_rng(nr).permutation(nr).astype(np.int64) * MS
    found = spread(values)
    assert found is not None
    assert found["p99"] == -(-99 * nr // 100) - 1
    assert (values <= found["p99"] * MS).sum() * 100 >= 99 * nr
    assert (values < found["p99"] * MS).sum() * 100 < 99 * nr
    assert (found["nr"], found["min"], found["max"]) == (nr, 0.0, nr - 1)
    assert found["mean"] == pytest.approx((nr - 1) / 2)


def test_without_values_there_is_no_spread() -> None:
    assert spread(np.zeros(0, np.int64)) is None


QUIET: dict[str, Any] = {
    "nodes__1__capacity_mib": 1024, "migration__reserve": "none", "sample_ms": 100,
}  # fmt: skip


def one_pass(**changes: Any) -> tuple[Simulation, Any]:
    """A hot set of a tenth of 32 MiB on the slow node, and a first visit that reports all."""
    vma = {"size_mib": 32.0, "node": "CXL", "pattern": "hot_set", "hot_set": {}}
    app = {"threads": 4, "vmas": [vma]}
    simulation, rows, _ = finished(composed([app], **QUIET | {"until_s": 0.1} | changes))
    return simulation, rows


def test_a_first_pass_reports_everything_so_precision_is_the_share_of_hot_folios() -> None:
    """DRAM holds 4 MiB: the hot 819 folios, and cold ones that tie with the last to fit."""
    _, rows = one_pass(nodes__0__capacity_mib=3)
    assert rows["precision"][0] == pytest.approx(0.1, abs=1e-4)
    assert rows["recall"][0] == 1.0
    _, rows = one_pass(nodes__0__capacity_mib=4)
    assert rows["precision"][0] == 1.0, "cold folios would fit, and all of them tie"


def test_a_flat_pattern_has_nothing_to_find() -> None:
    app = {"vmas": [{"size_mib": 32.0, "node": "CXL"}]}
    simulation, rows, _ = finished(composed([app], **QUIET, until_s=0.5))
    assert np.isnan(rows["precision"]).all()
    assert np.isnan(rows["recall"]).all()
    found = metrics(simulation)
    assert (found["precision"], found["recall"]) == (None, None)


def test_figures_of_a_whole_run_are_those_of_its_rows() -> None:
    simulation, rows = one_pass(until_s=10.0)
    found = metrics(simulation)
    last = rows[-1]
    assert found["mean_throughput"] == pytest.approx(rows["throughput"].mean())
    assert found["top_tier_share"] == last["top_tier_share"]
    assert found["promoted_mib"] == last["pgpromote_success"] / MIB
    assert found["nr_visits"] == last["mm.nr_visits"].sum()
    assert found["missed_share"] == found["missed_deadlines"] / found["nr_visits"]
    assert found["longest_visit_ms"] == last["mm.longest_visit_ms"].max()
    assert found["full_scan_ms"]["nr"] == found["nr_visits"], "one VMA: a visit is a pass"
    assert found["mm_full_scan_ms"]["app"] == found["full_scan_ms"]
    assert found["thread_busy_s"]["kmmscand"] * 1e9 == pytest.approx(
        last["thread.busy_ns"][0], rel=1e-3
    )
    assert list(found["mm_elapsed_s"]) == ["app"]
    assert metrics(simulation) == found, "asking changes nothing"


def test_who_rose_for_nothing_is_counted_while_it_stays() -> None:
    """One access in 10 ms to 8,192 folios: of all that rose only a few were touched since."""
    app = {"threads": 1, "think_ns": 1e7, "vmas": [{"size_mib": 32.0, "node": "CXL"}]}
    simulation, _, _ = finished(composed([app], **QUIET, until_s=3.0))
    rose = simulation.queue.counters["pgpromote_success"]
    waiting = (simulation.world.memory.folio & np.uint32(UNTOUCHED) != 0).sum()
    share = metrics(simulation)["promoted_untouched_share"]
    assert rose == 8192
    assert waiting > 8100, "nobody looks at the top tier but migration itself"
    assert share == pytest.approx(np.exp(-3.0 * 100 / 8192), abs=0.02)


def test_who_rose_for_nothing_and_is_gone_is_counted_too() -> None:
    short = {
        "name": "short", "think_ns": 1e9, "lifetime_s": 0.5, "every_s": 1.0,
        "vmas": [{"size_mib": 32.0, "node": "CXL"}],
    }  # fmt: skip
    simulation, rows, _ = finished(composed([short], **QUIET, until_s=2.9))
    assert simulation.queue.counters["pgpromote_success"] == 3 * 8192
    assert rows["node.resident_mib"][-1].sum() == 0.0
    assert metrics(simulation)["promoted_untouched_share"] > 0.99


def test_of_many_mms_those_with_the_longest_full_scan_are_listed() -> None:
    many = MOST_MMS + 40
    small = {"name": "small", "count": many, "vmas": [{"size_mib": 0.1, "node": "CXL"}]}
    large = {"name": "large", "vmas": [{"size_mib": 64.0, "node": "CXL"}]}
    simulation, _, _ = finished(composed([small, large], **QUIET, until_s=1.0))
    found = metrics(simulation)["mm_full_scan_ms"]
    assert len(found) == MOST_MMS
    assert next(iter(found)) == "large"
    assert simulation.scanner is not None
    assert metrics(simulation)["full_scan_ms"]["nr"] == simulation.scanner.mms.nr_visits.sum()
