"""What the scenarios of memories and rules show, in the words of their questions."""

from typing import Any

from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation


def result_of(name: str, **changes: Any) -> dict[str, Any]:
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    simulation = Simulation(load_file(name, overrides), 1)
    while not simulation.done:
        simulation.next_block()
    return simulation.result()


def test_heat_keeps_off_dram_what_is_touched_now_and_then() -> None:
    """The first report moves nearly five times as much, most of it there and back, and serves
    less."""
    faded = result_of("heat-that-fades")["metrics"]
    first = result_of(
        "heat-that-fades", rooms__hotness="last_report", rooms__promotion="every_report"
    )["metrics"]
    assert faded["promoted_mib"] < 0.3 * first["promoted_mib"]
    assert faded["demoted_mib"] == 0.0
    assert faded["top_tier_share"] > 0.99 * faded["oracle_share"]
    assert first["top_tier_share"] < 0.97 * first["oracle_share"]


def test_times_that_do_not_wrap_leave_less_to_move_there_and_back() -> None:
    exact = result_of("exact-times")["metrics"]
    byte = result_of("pghot-records")["metrics"]
    assert exact["demoted_mib"] < 0.5 * byte["demoted_mib"]
    for one in (exact, byte):
        assert one["top_tier_share"] > 0.99 * one["oracle_share"]


def test_looking_alone_moves_nothing_and_costs_the_scan() -> None:
    alone = result_of("looking-alone")
    moved = result_of("looking-alone", rooms__promotion="every_report")
    assert alone["counters"]["pgpromote_candidate"] == alone["counters"]["pgpromote_success"] == 0
    assert 0.9 < alone["metrics"]["precision"] < 1.0
    assert alone["metrics"]["thread_busy_s"]["migration"] == 0.0
    scans = [one["metrics"]["thread_busy_s"]["kscand"] for one in (alone, moved)]
    assert 0.5 < scans[0] / scans[1] < 2.0
