"""Classes of processes in whole runs: what a scenario may say of them, and what comes of it."""

from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tests.simulation.test_load import problem
from tiering.engine.shares import LOW, RANK
from tiering.simulation.checkpoint import restore, save
from tiering.simulation.classes import classes_in_use, scan_scale, shares
from tiering.simulation.load import ScenarioError
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

A_NAME = "allowed is a name of 1 .. 40 letters, digits or _.- that begins with a letter or digit"
STANDARD = "latency_critical, default, latency_tolerant"
FAST: dict[str, Any] = {"pte_scan__scan_period_ms": 100, "pte_scan__scan_delay_ms": 0}


def tenants(first: str = "default", second: str = "default", **changes: Any) -> Scenario:
    """Two processes of 24 MiB on the slow node, a top tier of 64 MiB."""
    vmas = [{"name": "heap", "size_mib": 24.0, "node": "CXL", "pattern": "uniform"}]
    names = [("one", first), ("two", second)]
    processes = [{"name": name, "class": policy, "vmas": vmas} for name, policy in names]
    return composed(processes, **(FAST | {"until_s": 3.0} | changes))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("classes", 5, "classes = 5: should be tables [classes.NAME]"),
        ("classes.gold", 5, "classes.gold = 5: should be a table; allowed are promote, "),
        ("classes.gold.promot", 5, "classes.gold.promot: unknown key; allowed are promote, "),
        ("classes.gold.promote", 1, "classes.gold.promote = 1: allowed is true or false"),
        ("classes.gold.protect_mib", -1, "classes.gold.protect_mib = -1: allowed is a whole"),
        (
            "classes.gold.promotion_share_pct",
            101,
            "classes.gold.promotion_share_pct = 101: allowed is 0 .. 100 %",
        ),
        ("classes.-x.promote", True, f"classes.-x = '-x': {A_NAME}"),
        ("processes.0.class", 5, f"processes.0.class = 5: {A_NAME}"),
        (
            "processes.0.class",
            "gold",
            f"processes.0.class = 'gold': classes are {STANDARD}; others need a table "
            "[classes.gold]",
        ),
    ],
)
def test_a_wrong_class_is_told_in_a_sentence(key: str, value: Any, words: str) -> None:
    assert problem(**{key: value}).startswith(f"tiny: {words}")


def test_standard_classes_ask_for_nothing_until_a_scenario_says_so() -> None:
    scenario = tenants("latency_critical", "latency_tolerant")
    assert list(classes_in_use(scenario)) == ["latency_critical", "latency_tolerant"]
    assert shares(scenario).of.size == 0
    said = tenants("latency_critical", classes__latency_critical__protect_mib=1)
    assert shares(said).of[:, LOW].tolist() == [256, 0]


def test_turns_of_reclaim_are_dense_and_protection_takes_one_more() -> None:
    scenario = tenants("a", "b", classes__a__protect_mib=1, classes__b__demotion_priority=7)
    asked = shares(scenario)
    assert (asked.of[:, RANK].tolist(), asked.last) == ([1, 0], 2)


def test_a_process_says_its_scale_itself_or_its_class_does() -> None:
    scenario = tenants("a", "a", classes__a__scan_scale=3, processes__1__scan_scale=5)
    assert [scan_scale(scenario, process) for process in scenario.processes] == [3, 5]
    assert scan_scale(tenants(), tenants().processes[0]) is None


def test_a_bound_is_met_to_the_page_and_the_neighbour_is_promoted() -> None:
    _, rows, _ = finished(tenants("a", classes__a__top_tier_max_mib=5))
    assert rows["mm_node.resident_mib"][-1, :, 0].tolist() == [5.0, 24.0]
    assert rows["migrate_capped"][-1] > 0


def test_what_is_never_promoted_stays_and_is_counted() -> None:
    _, rows, _ = finished(tenants("a", classes__a__promote=False))
    assert rows["mm_node.resident_mib"][-1, :, 0].tolist() == [0.0, 24.0]
    assert rows["migrate_refused"][-1] > 0
    assert rows["mm.nr_scanned"][-1, 0] > 0, "it is scanned all the same"


@pytest.mark.parametrize("preset", ["kmmscand_v0", "kscand_v3", "numa_balancing_2"])
def test_who_opts_out_is_neither_scanned_nor_marked(preset: str) -> None:
    left_out = tenants("a", classes__a__numa_balancing=False, preset=preset)
    _, rows, _ = finished(left_out)
    ours, others = rows["mm_node.resident_mib"][-1, :, 0]
    assert ours == 0.0
    assert others > 0.0
    assert rows["migrate_refused"][-1] == 0
    if preset == "numa_balancing_2":
        assert rows["numa_pte_updates"][-1] > 0
    else:
        assert (rows["mm.nr_scanned"][-1] > 0).tolist() == [False, True]


def test_samples_of_who_opts_out_are_refused() -> None:
    _, rows, _ = finished(tenants("a", classes__a__numa_balancing=False, preset="hw_sample"))
    assert rows["mm_node.resident_mib"][-1, 0, 0] == 0.0
    assert rows["mm_node.resident_mib"][-1, 1, 0] > 0.0
    assert rows["migrate_refused"][-1] > 0


def test_a_class_may_have_a_threshold_of_its_own() -> None:
    """A threshold of 1 ms, which no fault on folios this cold meets; that of others is 60 s."""
    scenario = tenants(
        "a", preset="numa_balancing_2", classes__a__hot_threshold_ms=1,
        hot_threshold__hot_threshold_ms=60_000, hot_threshold__spare_mib=1024,
        processes__0__think_ns=1e6, processes__1__think_ns=1e6,
    )  # fmt: skip
    _, rows, _ = finished(scenario)
    assert rows["promote_too_old"][-1] > 0
    ours, others = rows["mm_node.resident_mib"][-1, :, 0]
    assert ours < others / 10


def test_a_checkpointed_run_goes_on_to_the_same_bytes(tmp_path: Any) -> None:
    asked: dict[str, Any] = {
        "classes__a__protect_mib": 4, "classes__a__promotion_share_pct": 30.0,
        "classes__b__demotion_priority": 2, "classes__b__top_tier_max_mib": 9,
        "migration__rate_limit_mib_s": 8, "reclaim__demotion_enabled": True,
    }  # fmt: skip
    scenario = tenants("a", "b", **asked, nodes__0__capacity_mib=12)
    straight = Simulation(scenario, 1)
    blocks = []
    while not straight.done:
        blocks.append(straight.next_block().rows)
    halfway = Simulation(scenario, 1)
    for _ in range(len(blocks) // 2):
        halfway.next_block()
    path = tmp_path / "half.ckpt"
    save(halfway, path)
    again = restore(path)
    rest = []
    while not again.done:
        rest.append(again.next_block().rows)
    assert rest == blocks[len(blocks) // 2 :]
    assert again.queue.books.shares is again.reclaimers.sink.shares
    assert np.array_equal(again.world.memory.held, straight.world.memory.held)


def test_a_scenario_without_classes_counts_nothing_by_class() -> None:
    assert Simulation(tenants(), 1).world.memory.group.size == 0
    with pytest.raises(ScenarioError):
        tenants("gold")
