"""The engine and the naive twin are one stochastic process, pattern by pattern.

A process whose memory is slow is scanned as kmmscand V0 does; the first folios found fill the fast
node, all others are refused for the rest of the run.
"""

import random
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.naive.patterns import LAWS, law_of
from tests.naive.twin import Wrong
from tests.recordings.records import MIB, packed, record
from tests.simulation.twins import Pair, app, filler, host
from tiering.simulation.scenario import Vma
from tiering.workloads.table import PATTERNS

MIB_OF_APP = 0.25
KNOBS: dict[str, dict[str, Any]] = {
    "uniform": {},
    "hot_set": {"hot_size_pct": 25.0},
    "zipf": {},
    "gaussian": {},
    "moving_hot_set": {"hot_size_pct": 25.0, "step_pct": 12.5, "phase_accesses": 30.0},
    "phases": {"hot_size_pct": 12.5, "phase_accesses": 30.0},
    "growing": {"step_accesses": 25.0, "steps": 12},
}
FIGURES = ["migrate_no_room", "found", "recall"]

# The engine groups folios of these patterns into classes of one rate, the twin has the exact law.
# So much of the accesses may go to another folio: far below what these runs can tell apart.
CLASS_TOLERANCE = {"zipf": 0.003, "gaussian": 1e-8}


@cache
def pair(pattern: str) -> Pair:
    """Some 80 accesses a second to 64 folios, of which 32 find room."""
    vma = {"size_mib": MIB_OF_APP, "pattern": pattern, pattern: KNOBS[pattern]}
    return Pair(host(filler(0.875), app(1.2e7, vma), migration__reserve="none"))


@pytest.mark.parametrize("pattern", KNOBS)
def test_the_engine_agrees_with_the_twin_in_distribution(pattern: str) -> None:
    figures = FIGURES if pattern != "moving_hot_set" else ["migrate_no_room", "recall"]
    pair(pattern).check(*figures)
    assert set(pair(pattern).fast["pgpromote_success"]) == {32}


@pytest.mark.parametrize("pattern", CLASS_TOLERANCE)
def test_classes_differ_from_the_exact_law_by_what_is_tolerated_here(pattern: str) -> None:
    nr = round(MIB_OF_APP * 256)
    build = PATTERNS[pattern].build
    assert build is not None
    region = build(PATTERNS[pattern].knobs(), nr, 1)
    vma = Vma(size_mib=MIB_OF_APP, pattern=pattern)
    (exact,) = law_of(vma, nr, random.Random(1)).weights
    classes = np.sort(region.share[0, region.classes])
    elsewhere = np.abs(classes - np.sort(exact)).sum() / 2
    assert 0 < elsewhere < CLASS_TOLERANCE[pattern]


@pytest.mark.parametrize("split_mib", [0.0, 0.05], ids=["one VMA", "several"])
@pytest.mark.parametrize("stride", [1, 5])
def test_a_sweep_is_the_same_to_the_last_access(stride: int, split_mib: float) -> None:
    knobs = {"stride_pages": stride, "burst": 2}
    vma = {"size_mib": MIB_OF_APP, "pattern": "sequential", "sequential": knobs}
    process = app(1.2e7, vma | {"split_mib": split_mib})
    scenario = host(filler(0.875), process, migration__reserve="none")
    assert Pair(scenario).equal()["pgpromote_candidate"] > 1000


def test_vmas_with_phases_of_their_own_agree_with_one_table_of_the_process() -> None:
    turns = {"hot_size_pct": 12.5, "phase_accesses": 100.0}
    window = {"hot_size_pct": 25.0, "step_pct": 25.0, "phase_accesses": 50.0}
    sweep = {"stride_pages": 5, "burst": 3}
    process = app(
        8e6,
        {"size_mib": 0.5, "pattern": "phases", "phases": turns},
        {"size_mib": 0.25, "pattern": "sequential", "sequential": sweep},
        {"size_mib": 0.75, "pattern": "moving_hot_set", "moving_hot_set": window},
    )
    Pair(host(filler(0.5), process), runs=25).check(*FIGURES, "precision", "untouched")


DEMOTING = {
    "reclaim__demotion_enabled": True,
    "reclaim__min_free_kbytes": 128,
    "reclaim__watermark_scale_factor": 300,
}


@pytest.mark.parametrize("lru", ["", "active_inactive", "mglru"], ids=lambda lru: lru or "none")
def test_a_recording_agrees_with_its_rates(lru: str, tmp_path: Path) -> None:
    """Three snapshots of three MiB, replayed so slowly that a page is touched now and then.

    Without demotion, then in closed loop.
    """
    heat = [(16, 2, 1), (3, 20, 1), (1, 1, 9)]
    snapshots = record()[0]["snapshots"][:1] * 3
    (tmp_path / "r.damo").write_bytes(packed(record(snapshots=[
        snapshots[0] | {
            "start_time": f"{5 + k}000000000",
            "end_time": f"{6 + k}000000000",
            "regions": [
                {"start": str((4096 + i) * MIB), "end": str((4097 + i) * MIB),
                 "nr_accesses": {"samples": nr, "percent": None},
                 "age": {"usec": None, "aggr_intervals": "1"}}
                for i, nr in enumerate(row)
            ],
        }
        for k, row in enumerate(heat)
    ])))  # fmt: skip
    fields = {"recording": "r.damo", "repeat": 0, "node": "CXL", "mlp": 0.01}
    knobs = {"cell_mib": 1, "accesses_per_touch": 4.0}
    process = {"think_ns": 3e4, "vmas": [], "damon_recording": knobs} | fields
    changes: dict[str, Any] = DEMOTING | {"reclaim__lru": lru} if lru else {}
    scenario = host(process, **changes).model_copy(update={"folder": str(tmp_path)})
    figures = ["pgpromote_success", "pgdemote_kswapd", "reclaim_scanned", "untouched"]
    Pair(scenario, runs=40).check(*(figures if lru else FIGURES), "precision", "visits")


def test_no_pattern_is_left_without_a_twin() -> None:
    elsewhere = {
        "sequential": test_a_sweep_is_the_same_to_the_last_access,
        "damon_recording": test_a_recording_agrees_with_its_rates,
    }
    assert {*KNOBS, *elsewhere} == set(PATTERNS)
    recorded = {name for name, pattern in PATTERNS.items() if pattern.from_recording}
    assert {*LAWS, *recorded} == set(PATTERNS)


def test_every_mistake_that_the_twin_can_make_is_a_negative_control() -> None:
    texts = [path.read_text() for path in Path(__file__).parent.glob("test_twin*.py")]
    for mistake in fields(Wrong):
        assert any(f"Wrong({mistake.name}=" in text for text in texts), mistake.name


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [("uniform", Wrong(rate=0.7)), ("moving_hot_set", Wrong(still=True))],
    ids=["a wrong rate", "heat that stands still"],
)
def test_the_comparison_has_power_to_reject(pattern: str, wrong: Wrong) -> None:
    pair(pattern).differs(wrong, "found" if wrong.still else "migrate_no_room")
