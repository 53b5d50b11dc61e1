"""What the scenarios of single sources show, in the words of their questions."""

from typing import Any

import pytest

from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation


def result_of(name: str, **changes: Any) -> dict[str, Any]:
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    simulation = Simulation(load_file(name, overrides), 1)
    while not simulation.done:
        simulation.next_block()
    return simulation.result()


def test_a_hot_list_finds_the_hot_set_with_a_fraction_of_the_cpu_time_of_a_scan() -> None:
    """A scan promotes whatever it sees first; the device counts."""
    listed = result_of("chmu-hot-list")["metrics"]
    scanned = result_of("chmu-hot-list", preset="kmmscand_v0")["metrics"]
    assert listed["top_tier_share"] > 0.97 * listed["oracle_share"]
    assert scanned["top_tier_share"] < 0.5 * scanned["oracle_share"]
    assert 5 * listed["thread_busy_s"]["chmu"] < scanned["thread_busy_s"]["kmmscand"]


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ({"chmu__hotness_threshold": 40}, 0.0, 0.01),
        ({"chmu__hotness_granual": 21}, 0.2, 0.6),
        ({"chmu__nr_counters": 500}, 0.0, 0.4),
    ],
)
def test_a_threshold_too_high_units_too_large_or_counters_too_few_find_less(
    change: dict[str, Any], least: float, most: float
) -> None:
    share = result_of("chmu-hot-list", until_s=5.0, **change)["metrics"]["top_tier_share"]
    assert least <= share <= most
    assert result_of("chmu-hot-list", until_s=5.0)["metrics"]["top_tier_share"] > 0.85


def test_a_unit_that_is_always_on_reaches_any_threshold_but_few_counters_stay_with_the_cold() -> (
    None
):
    """A hot page has 36 accesses a second: sixteen in half a second, but never in 100 ms."""
    epochs = result_of("chmu-always-on", chmu__epoch_type="epoch")["metrics"]
    plenty = result_of("chmu-always-on", chmu__nr_counters=0)["metrics"]
    few = result_of("chmu-always-on")["metrics"]
    assert epochs["top_tier_share"] < 0.01
    assert plenty["time_to_90_s"] < 2
    assert plenty["top_tier_share"] > 0.99 * plenty["oracle_share"]
    assert few["time_to_90_s"] > 5 * plenty["time_to_90_s"]
    assert few["top_tier_share"] < 0.95 * few["oracle_share"]


def test_more_samples_bring_the_hot_set_home_sooner_and_cost_more_interrupts() -> None:
    """One access in 10,000 finds a hot page of 40 accesses a second once in four minutes."""
    many = result_of("sampled-accesses", until_s=10.0)["metrics"]
    few = result_of("sampled-accesses", until_s=10.0, hw_sample__sample_period=10_000)["metrics"]
    assert many["top_tier_share"] > 0.8
    assert few["top_tier_share"] < 0.1
    dear = {"hw_sample__interrupt_ns": 20_000.0, "until_s": 10.0}
    slowed = result_of("sampled-accesses", **dear)["metrics"]
    assert slowed["mean_throughput"] < 0.98 * many["mean_throughput"]


def test_a_byte_takes_for_hot_what_comes_round_long_after_and_four_bytes_can_ask_for_more() -> None:
    """Whatever the record, most of the hot set is on the top tier; what differs is what else is
    moved there and back."""
    byte = result_of("pghot-records")["metrics"]
    precise = result_of("pghot-records", preset="chmu_pghot_precise")["metrics"]
    strict = result_of(
        "pghot-records", preset="chmu_pghot_precise", pghot_precise__freq_threshold=4
    )["metrics"]
    for metrics in (byte, precise, strict):
        assert metrics["top_tier_share"] > 0.99 * metrics["oracle_share"]
    assert byte["demoted_mib"] > 1.4 * precise["demoted_mib"]
    assert precise["demoted_mib"] > 1000
    assert strict["demoted_mib"] == 0
    assert strict["time_to_90_s"] > 1.5 * byte["time_to_90_s"]
    assert precise["hotness_records_mib"] == 4 * byte["hotness_records_mib"] == 8.0


def test_promotion_at_the_second_fault_moves_less_and_is_later_at_the_same_throughput() -> None:
    """What the first fault wins in hits it pays in the time of tasks."""
    second, first = (
        result_of("second-fault", rooms__promotion=rule) for rule in ("active_list", "every_report")
    )
    assert second["counters"]["promote_inactive"] > second["counters"]["pgpromote_success"]
    late, soon = second["metrics"], first["metrics"]
    assert late["promoted_mib"] < 0.7 * soon["promoted_mib"]
    assert late["demoted_mib"] < 0.5 * soon["demoted_mib"]
    assert 0.7 < late["top_tier_share"] < soon["top_tier_share"]
    assert abs(late["mean_throughput"] / soon["mean_throughput"] - 1) < 0.02


def test_a_rate_limit_saves_the_time_of_tasks_and_costs_hits() -> None:
    """At the default the threshold can only climb; a limit that binds takes it down."""
    name = "numa-balancing-thresholds"
    free, tight = (
        result_of(name, hot_threshold__promote_rate_limit_mib_s=limit) for limit in (65_536, 20)
    )
    assert free["counters"]["promote_limited"] == 0
    assert tight["counters"]["promote_limited"] > tight["counters"]["pgpromote_candidate"] / 2
    most, least = free["metrics"], tight["metrics"]
    assert least["promoted_mib"] < 20 * 120
    assert 3 * least["promoted_mib"] < most["promoted_mib"]
    assert least["thread_busy_s"]["numa_work"] < 0.6 * most["thread_busy_s"]["numa_work"]
    assert least["top_tier_share"] < 0.3
    assert most["top_tier_share"] > 0.7
    assert most["mean_throughput"] > 1.1 * least["mean_throughput"]


def test_four_bytes_name_the_socket_that_accessed_and_a_byte_does_not() -> None:
    """The process is at home on DRAM1, and kmigrated's target node is DRAM0."""

    def grown(preset: str) -> list[int]:
        simulation = Simulation(load_file("which-socket", {"preset": preset, "until_s": 20.0}), 1)
        before = simulation.world.memory.resident.sum(axis=0)
        while not simulation.done:
            simulation.next_block()
        after = simulation.world.memory.resident.sum(axis=0)
        return [int(nr) for nr in after - before]

    byte, precise, device = map(grown, ("pghot", "pghot_precise", "chmu_pghot"))
    assert byte[0] > 100_000
    assert byte[1] == 0
    assert precise[0] == 0
    assert precise[1] > 100_000
    assert device[1] == 0, "the device does not know who accessed"
