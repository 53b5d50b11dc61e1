from typing import Any

import pytest

from tests.simulation.scenarios import composed, tiny
from tiering.simulation.scenario import Scenario

SINKING = {
    "reclaim.lru", "reclaim.tiering_mode", "reclaim.demote_scale_factor", "reclaim.rmap_ns",
    "reclaim.age_ns", "reclaim.demote_us", "reclaim.ping_pong_s",
}  # fmt: skip


def noted(scenario: Scenario, section: str) -> dict[str, str]:
    return {path: note for path, note in scenario.knob_notes().items() if path.startswith(section)}


def test_scan_size_has_a_note_where_every_mm_is_one_vma() -> None:
    assert "pte_scan.scan_size_mib" in tiny().knob_notes()
    assert "pte_scan.scan_size_mib" not in tiny(processes__0__vmas__0__split_mib=32.0).knob_notes()


def test_without_demotion_all_that_serves_it_has_a_note_and_the_watermarks_have_none() -> None:
    found = noted(tiny(), "reclaim")
    assert set(found) == SINKING
    assert set(found.values()) == {"No effect here: demotion_enabled is false."}


@pytest.mark.parametrize(
    ("lru", "left"), [("active_inactive", {"reclaim.age_ns"}), ("mglru", set())]
)
def test_with_demotion_only_aging_has_a_note_and_only_by_lists(lru: str, left: set[str]) -> None:
    assert set(noted(tiny(reclaim__demotion_enabled=True, reclaim__lru=lru), "reclaim")) == left


def test_demotion_on_a_machine_of_one_tier_is_explained() -> None:
    nodes = [{"name": "DRAM0", "tier": 0}, {"name": "DRAM1", "tier": 0}]
    app: dict[str, Any] = {"vmas": [{"size_mib": 1.0}]}
    scenario = composed([app], nodes, reclaim__demotion_enabled=True)
    found = noted(scenario, "reclaim")
    assert set(found) == SINKING | {"reclaim.demotion_enabled"}
    assert set(found.values()) == {"No effect here: there is no lower tier to demote to."}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("pte_scan.nice", {"nodes__0__cpus": 4}),
        ("machine.fault_us", {"processes__0__start_s": 1.0}),
        ("machine.fault_us", {"processes__0__lifetime_s": 1.0, "processes__0__every_s": 2.0}),
        ("machine.fault_us", {"processes__0__vmas__0__pattern": "growing"}),
        ("migration.thread_sleep_ms", {"migration__owner": "thread"}),
        ("migration.lists", {"migration__owner": "thread"}),
        ("pte_scan.skip_shared", {"processes__0__vmas__0__shared_pct": 5.0}),
        ("pte_scan.scan_scale", {"pte_scan__prctl": "switch"}),
        ("pte_scan.stretch", {"pte_scan__failure_feedback": True}),
        ("migration.refuse_shared", {"processes__0__vmas__0__shared_pct": 5.0}),
        ("pte_scan.rmap_factor", {"pte_scan__walk": "physical"}),
        ("pte_scan.nr_sharers", {"pte_scan__walk": "physical"}),
        ("pte_scan.scan_size_mib", {"pte_scan__walk": "physical"}),
        ("pte_scan.failure_stretch", {"pte_scan__failure_feedback": True}),
        ("pte_scan.holes", {"processes__0__vmas__0__populated_pct": 50.0}),
        ("pte_scan.pte_none_ns", {"processes__0__vmas__0__populated_pct": 50.0}),
    ],
)
def test_a_note_goes_when_the_knob_gets_an_effect(path: str, changes: dict[str, Any]) -> None:
    assert tiny().knob_notes()[path].startswith("No effect here: ")
    assert path not in tiny(**changes).knob_notes()


def test_only_knobs_that_the_preset_shows_have_notes() -> None:
    scenario = tiny(preset="none")
    assert set(scenario.knob_notes()) <= set(scenario.knob_specs())
    assert "pte_scan.nice" not in scenario.knob_notes()


def test_knobs_of_page_tables_and_processes_have_no_effect_on_a_physical_walk() -> None:
    found = noted(tiny(pte_scan__walk="physical"), "pte_scan")
    assert found["pte_scan.prctl"] == "No effect here: the walk is physical."
    assert {"pte_scan.pte_top_ns", "pte_scan.holes", "pte_scan.budget"} <= set(found)
