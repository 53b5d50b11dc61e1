"""What is measured for the report, on runs small enough for a test."""

import pytest

from tiering.simulation.load import load_file
from tiering.validation import abench, pmbench
from tiering.validation.fit import fitted

SMALL = {"processes__0__vmas__0__size_mib": 64.0, "processes__0__work_accesses": 2e9}


def test_the_fitted_constants_are_those_of_the_profile() -> None:
    scenario = load_file("kmmscand-v0-abench-8g")
    found = fitted()
    assert round(found["nodes.0.latency_ns"], 1) == scenario.nodes[0].latency_ns
    assert round(found["machine.walk_memory_ns"], 1) == scenario.machine.walk_memory_ns


def test_overheads_are_told_apart() -> None:
    runs = abench.runs((1,), 1, **SMALL)
    pages = 64 * 256
    base, patched = runs["base", 8][0], runs["patched", 8][0]
    knobs = load_file("kmmscand-v0-abench-8g").hint_fault
    assert base.looking == pytest.approx(pages * knobs.pte_update_ns / 1e9)
    assert base.moving > pages * knobs.fault_ns / 1e9
    assert patched.moving > pages * 1e-6
    assert 0 < patched.looking < patched.moving
    assert min(base.elapsed, patched.elapsed) > 1.0


def test_the_rate_is_limited_to_half_of_what_selection_promotes() -> None:
    small = {
        "processes__0__vmas__0__size_mib": 1024.0, "nodes__0__capacity_mib": 256, "until_s": 80.0,
    }  # fmt: skip
    steps = pmbench.steps((1,), 1, **small)
    assert steps["off"][0].promoted == 0
    assert 0 < steps["limited"][0].promoted < steps["hot"][0].promoted
