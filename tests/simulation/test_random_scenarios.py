"""Whole runs of scenarios drawn at random: whatever is allowed must run, and its books balance."""

import contextlib
import random
from typing import Any

import numpy as np
import pytest

from tests.engine.avx512 import needs_avx512
from tests.simulation.scenarios import composed, finished
from tiering.simulation.load import ScenarioError
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

PATTERNS = ["uniform", "zipf", "hot_set", "gaussian", "sequential", "growing"]
KNOBS: dict[str, list[Any]] = {
    "preset": [
        "none",
        "kmmscand_v0",
        "kmmscand_interim",
        "kmmscand_v1",
        "kscand_v2",
        "kscand_v3",
        "klruscand",
        "chmu",
    ],
    "sample_ms": [10, 50, 100, 500],
    "reclaim__demotion_enabled": [False, True, True],
    "reclaim__lru": ["active_inactive", "mglru"],
    "reclaim__tiering_mode": [False, True],
    "reclaim__demote_scale_factor": [0, 200, 1000],
    "reclaim__watermark_scale_factor": [10, 500, 3000],
    "reclaim__min_free_kbytes": [0, 64, 4000],
    "reclaim__age_ns": [0.0, 15.0],
    "migration__owner": ["scanner", "thread"],
    "migration__reserve": ["none", "min", "high"],
    "migration__refuse_shared": [False, True],
    "migration__batch_nr": [1, 16, 512],
    "migration__lists": ["one", "first_mm", "round_robin"],
    "migration__still_hot": ["not_asked", "active", "not_idle"],
    "migration__rate_limit_mib_s": [0, 0, 1],
    "migration__queue_max": [0, 0, 100],
    "pte_scan__nr_threads": [0, 1, 2, 5],
    "pte_scan__nice": [-20, 0, 19],
    "pte_scan__scan_delay_ms": [0, 100],
    "pte_scan__budget": ["raised", "strict", "until_useful"],
    "pte_scan__walk": ["virtual", "virtual", "physical"],
    "pte_scan__holes": ["stop", "pass"],
    "pte_scan__page_budget_pct": [0, 1, 25],
    "pte_scan__scan_sleep_ms": [0, 1, 16],
    "pte_scan__scan_period_min_ms": [10, 400],
    "lru_gen_walk__interval_ms": [10, 100],
    "lru_gen_walk__batch_nr": [1, 300, 131_072],
    "chmu__epoch_type": ["epoch", "always_on"],
    "chmu__access_type": ["both", "reads", "writes"],
    "chmu__epoch_ms": [10, 100],
    "chmu__hotness_granual": [12, 14, 21],
    "chmu__hotness_threshold": [1, 8, 500],
    "chmu__nr_counters": [0, 50, 2000],
    "chmu__hotlist_max": [0, 20],
    "machine__fault_us": [0.0, 1.0, 50.0],
}
CLASS: dict[str, list[Any]] = {
    "promote": [True, True, True, False],
    "promotion_share_pct": [100.0, 30.0, 0.0],
    "top_tier_max_mib": [0, 0, 1, 5],
    "protect_mib": [0, 0, 3, 100],
    "demotion_priority": [0, 1, 9],
    "scan_scale": [-1, 0, 10],
    "numa_balancing": [True, True, True, False],
}
NODE: dict[str, list[Any]] = {
    "capacity_mib": [8, 16, 40, 64],
    "read_gb_s": [1.0, 20.0, 1000.0],
    "write_gb_s": [0.5, 10.0, 1000.0],
    "cpus": [0, 0, 2, 8],
}
PROCESS: dict[str, list[Any]] = {
    "threads": [1, 4, 16],
    "think_ns": [0.0, 750.0, 1e6],
    "write_pct": [0.0, 50.0],
    "start_s": [0.0, 0.0, 0.005, 0.31],
    "work_accesses": [0.0, 0.0, 1e5],
}
VMA: dict[str, list[Any]] = {
    "size_mib": [2.0, 4.0, 10.0, 34.0],
    "order": [0, 0, 4, 9],
    "pattern": PATTERNS,
    "pinned_pct": [0.0, 0.0, 30.0, 100.0],
    "shared_pct": [0.0, 20.0],
    "kind": ["anon", "anon", "page_cache"],
}


def drawn(one: random.Random, table: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: one.choice(values) for name, values in table.items()}


def some_nodes(one: random.Random) -> list[dict[str, Any]]:
    return [
        {"name": f"N{tier}{i}", "tier": tier, "latency_ns": 100.0 * (tier + 1)} | drawn(one, NODE)
        for tier in range(one.choice([1, 2, 2, 3]))
        for i in range(one.choice([1, 1, 2]))
    ]


def some_process(one: random.Random, nr: int, names: list[str]) -> dict[str, Any]:
    process = {"name": f"p{nr}"} | drawn(one, PROCESS)
    if one.random() < 0.5:
        process |= {"lifetime_s": one.choice([0.01, 0.2]), "every_s": one.choice([0.0, 0.2, 0.5])}
    if one.random() < 0.3:
        process["home_node"] = one.choice(names)
    process["vmas"] = []
    for at in range(one.randint(1, 3)):
        vma = {"name": f"v{at}"} | drawn(one, VMA)
        vma["node"] = one.choice(["first_touch", "first_touch", one.choice(names)])
        if vma["pattern"] == "growing":
            vma["growing"] = {"steps": 5, "step_accesses": one.choice([1e3, 1e5])}
        elif one.random() < 0.3 and vma["pattern"] != "sequential":
            vma["split_mib"] = 2.0
        if vma["order"] == 0 and vma["kind"] == "anon":
            vma["populated_pct"] = one.choice([100.0, 100.0, 30.0, 0.2])
        process["vmas"].append(vma)
    return process


def some_scenario(seed: int) -> Scenario:
    one = random.Random(seed)
    nodes, knobs = some_nodes(one), drawn(one, KNOBS)
    names = [node["name"] for node in nodes]
    processes = [some_process(one, nr, names) for nr in range(one.randint(1, 4))]
    other = random.Random(f"classes of {seed}")
    for process in processes:
        process["class"] = other.choice(["default", "latency_critical", "latency_tolerant", "gold"])
    classes = {f"classes__{name}": drawn(other, CLASS) for name in ("gold", "latency_critical")}
    return composed(processes, nodes, **knobs, **classes, until_s=0.6)


def check(seed: int) -> None:
    """Run the scenario of that seed; `finished` checks books and counters in every block."""
    scenario = some_scenario(seed)
    simulation, rows, _ = finished(scenario, seed)
    assert (rows["time_ns"][:-1] % (scenario.sample_ms * 10**6) == 0).all()
    assert np.isfinite(rows["throughput"]).all()
    assert (rows["mm.throughput"] >= 0).all()
    assert ((rows["node.utilisation"] >= 0) & (rows["node.utilisation"] < 1)).all()
    assert (rows["thread.busy_share"] < 1 + 1e-9).all()
    assert (rows["top_tier_share"] <= 1 + 1e-12).all()
    last = rows[-1]
    fates = simulation.queue.handled + last["queue_len"] + last["queue_dropped"]
    assert last["pgpromote_candidate"] == fates
    late = [t.clock for t in simulation.threads if not t.draining]
    assert all(clock >= simulation.time_ns - 10**7 for clock in late), "no thread lags behind"


@pytest.mark.parametrize("first", range(0, 250, 50))
def test_whatever_is_allowed_runs_and_its_books_balance(first: int) -> None:
    refused = []
    for seed in range(first, first + 50):
        try:
            check(seed)
        except ScenarioError as error:
            refused.append(str(error))
    assert all("does not fit" in text or "VMA" in text for text in refused), refused
    assert len(refused) < 30, "most of them fit"


def rows_of(scenario: Scenario, vector: bool) -> bytes:
    simulation, rows = Simulation(scenario, 1, vector), b""
    while not simulation.done:
        rows += simulation.next_block().rows
    return rows


@needs_avx512
def test_a_run_says_the_same_bytes_in_vector_and_in_portable_code() -> None:
    same = []
    for seed in range(1000, 1040):
        with contextlib.suppress(ScenarioError):
            scenario = some_scenario(seed)
            same.append(rows_of(scenario, True) == rows_of(scenario, False))
    assert all(same)
    assert len(same) > 20, "most of them fit"
