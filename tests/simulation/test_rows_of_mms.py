"""What a row tells of a process, and what the log tells of its phases."""

from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished, tiny
from tests.simulation.test_phases import turns
from tiering.simulation.events import MOST_EVENTS, clipped
from tiering.simulation.loop import Simulation

QUIET: dict[str, Any] = {"preset": "none", "until_s": 1.0, "machine__fault_us": 0.0}
FEW = {"hw_sample__buffer_nr": 8, "hw_sample__sample_period": 1000}
FAR = {"name": "heap", "size_mib": 8.0, "node": "CXL", "pattern": "uniform"}


def test_the_slowdown_of_a_row_is_the_time_over_that_on_an_idle_top_tier() -> None:
    _, rows, _ = finished(composed([{"vmas": [FAR]}], **QUIET))
    slow = (750 + 250) / (750 + 100)
    assert rows["mm.slowdown"][:, 0] == pytest.approx([slow] * 10, rel=1e-3)


def test_who_did_not_run_all_the_time_has_no_slowdown() -> None:
    late = {"name": "late", "start_s": 0.45, "vmas": [FAR]}
    done = {"name": "done", "work_accesses": 3.5e5, "vmas": [FAR]}
    _, rows, _ = finished(composed([late, done, {"work_accesses": 9e6, "vmas": [FAR]}], **QUIET))
    told = np.isfinite(rows["mm.slowdown"])
    assert told[:, 0].tolist() == [False] * 5 + [True] * 5, "it came inside the fifth"
    assert told[:, 1].tolist() == [True] * 3 + [False] * 7, "350 ms of work at 1 us an access"
    assert told[:, 2].all()


def test_a_row_counts_the_full_scans_of_an_mm() -> None:
    simulation, rows, _ = finished(tiny(until_s=10.0))
    scanner = simulation.scanner
    assert scanner is not None
    ended = sum(len(one) for one in scanner.pass_ns)
    assert rows["mm.nr_full_scans"][-1].tolist() == [ended]
    assert ended > 2


def test_a_phase_that_begins_is_told_once() -> None:
    """The sets take turns of 100,000 accesses, some 1.6 million a second."""
    _, rows, events = finished(turns(preset="none", until_s=0.5))
    borders = int(rows["accesses"][-1] // 1e5)
    told = [text for text in events if "phase" in text]
    assert told[:2] == ["app: phase 2 of 2 begins", "app: phase 1 of 2 begins"]
    assert abs(len(told) - borders) <= 1, "the last may be told with the next tick"


def test_a_process_without_phases_tells_of_none() -> None:
    _, _, events = finished(tiny(until_s=2.0))
    assert not any("phase" in text for text in events)


def test_phases_are_lines_of_which_a_block_has_so_many_at_most() -> None:
    events = [{"t_ns": n, "kind": "phase", "text": "x"} for n in range(MOST_EVENTS + 3)]
    kept = clipped(events)
    assert len(kept) == MOST_EVENTS + 1
    assert kept[-1]["text"].startswith("... 3 more lines")


def test_sources_tell_what_they_list_sample_and_lose() -> None:
    listed = Simulation(tiny(preset="chmu", until_s=3.0), 1)
    sampled = Simulation(tiny(preset="hw_sample", until_s=3.0, **FEW), 1)
    for one in (listed, sampled):
        while not one.done:
            one.next_block()
    assert listed.result()["counters"]["chmu_listed"] > 0
    assert sampled.result()["counters"]["hw_samples"] > 0
    assert sampled.result()["counters"]["hw_samples_lost"] > 0
