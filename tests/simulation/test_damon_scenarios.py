"""What the scenarios of DAMON show."""

from typing import Any

import pytest

from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation

pytestmark = pytest.mark.compiled
SCAN = {
    "rooms.sources": ["pte_scan"], "rooms.hotness": "last_report",
    "rooms.promotion": "every_report", "migration.owner": "thread",
}  # fmt: skip


def result_of(name: str, **changes: Any) -> dict[str, Any]:
    simulation = Simulation(load_file(name, changes), 1)
    while not simulation.done:
        simulation.next_block()
    return simulation.result()


def test_regions_bring_the_hot_range_up_where_a_scan_fills_dram_with_what_it_sees_first() -> None:
    damon = result_of("damon-against-scan", until_s=30.0)["metrics"]
    scan = result_of("damon-against-scan", until_s=30.0, **SCAN)["metrics"]
    assert damon["top_tier_share"] > 0.95 * damon["oracle_share"]
    assert scan["top_tier_share"] < 0.1 * scan["oracle_share"]
    assert damon["promoted_untouched_share"] < 0.01
    assert scan["promoted_untouched_share"] > 0.4
    assert damon["thread_busy_s"]["kdamond"] < 2 * scan["thread_busy_s"]["kmmscand"]
    assert damon["thread_busy_s"]["kdamond"] < sum(scan["thread_busy_s"].values()) / 4


def test_as_posted_the_tuning_keeps_the_exchange_from_beginning() -> None:
    counters = result_of("damon-mtier", until_s=20.0, **{"damon.tuned_apply": "as_posted"})
    assert counters["counters"]["damos_hot_nr_tried"] == 0
    meant = result_of("damon-mtier", until_s=20.0)["counters"]
    assert meant["damos_hot_nr_tried"] > 0
    assert meant["pgpromote_success"] > 0
