"""Rooms in any combination: what is legal runs and holds, the rest is refused with a sentence."""

import contextlib
import itertools
import re
from typing import Any

import numpy as np
import pytest

from tests.house.tree import ROOT
from tests.simulation.scenarios import composed, finished
from tiering.demotion.table import DEMOTION
from tiering.hotness.table import HOTNESS
from tiering.model.metrics import METRICS
from tiering.promotion.table import PROMOTION
from tiering.simulation.catalogue import scenario_names
from tiering.simulation.filters import MEMORIES, RULES
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.presets import PRESETS
from tiering.simulation.rooms import ORACLE, Rooms, sections
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import thread_names
from tiering.simulation.watcher import MAKERS
from tiering.sources.table import SOURCES

DEMOTED_BY = [m.name for m in METRICS if m.name.startswith("pgdemote_")]
NOBODY = [[], ["kswapd"]]
DEMOTIONS = NOBODY + [[name] for name in DEMOTION if name != "kswapd"]
APP: dict[str, Any] = {
    "threads": 2,
    "think_ns": 750.0,
    "vmas": [{
        "size_mib": 40.0, "pattern": "hot_set", "node": "CXL",
        "hot_set": {"hot_size_pct": 50.0, "hot_access_pct": 90.0},
    }],
}  # fmt: skip
RUN: dict[str, Any] = {
    "nodes__0__capacity_mib": 16, "until_s": 1.3, "reclaim__demotion_enabled": True,
    "migration__reserve": "none", "page_cache_access__pagecache_promotion_enabled": True,
    "coldest_first__interval_ms": 200, "coldest_first__idle_ms": 200,
    "two_windows__window_ms": 500, "hint_fault__scan_delay_ms": 100,
    "hw_sample__sample_period": 100, "counts__hot_reads": 2, "heat__hot_class": 1,
}  # fmt: skip


def joined(rooms: dict[str, Any], **changes: Any) -> Scenario:
    """A hot set that does not fit, seen and moved by these rooms."""
    keys = {f"rooms__{room}": value for room, value in rooms.items()}
    if rooms.get("promotion") == "user_policy":
        keys["user_policy__file"] = "young_and_hot.py"
    if "page_cache_access" in (rooms.get("sources") or []):
        keys["processes__0__vmas__0__kind"] = "page_cache"
    return composed([APP], **RUN | keys | changes)


def refused(rooms: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        joined(rooms, **changes)
    return str(error.value)


def allowed(rooms: dict[str, Any]) -> Scenario | None:
    """None where it is refused."""
    with contextlib.suppress(ScenarioError):
        return joined(rooms)
    assert re.match(r"composed: (rooms|\w+)\.\w+ = ", refused(rooms))
    return None


def hold(scenario: Scenario) -> int:
    """Books and counters (see `finished`), and no policy beats the optimum at any instant.

    Returns the pages promoted.
    """
    simulation, rows, _ = finished(scenario)
    assert (rows["top_tier_share"] <= rows["oracle_share"] + 1e-9).all()
    promoted = rows["pgpromote_success"][-1]
    demoted = sum(rows[by][-1] for by in DEMOTED_BY)
    assert promoted - demoted == rows["node.resident_mib"][-1, 0] * 256
    assert np.isfinite(rows["throughput"]).all()
    assert simulation.done
    return int(promoted)


@pytest.mark.parametrize("hotness", HOTNESS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_pairing_runs_and_holds_or_is_refused(source: str, hotness: str) -> None:
    ran = moved = 0
    for promotion, demotion in itertools.product(PROMOTION, DEMOTIONS):
        rooms = {
            "sources": [source], "hotness": hotness, "promotion": promotion, "demotion": demotion,
        }  # fmt: skip
        if (scenario := allowed(rooms)) is not None:
            promoted = hold(scenario)
            assert promotion != "never" or promoted == 0
            moved += promoted
            ran += 1
    if hotness == "damon_regions" and source != "damon":
        assert ran == 0, "regions are those of DAMON"
    else:
        assert ran > 0, "each source goes with each memory somehow"
        assert moved > 0, "and brings something home"


@pytest.mark.parametrize("pair", list(itertools.combinations(SOURCES, 2)), ids="+".join)
def test_two_sources_feed_one_record(pair: tuple[str, str]) -> None:
    rooms = {"sources": list(pair), "hotness": "pghot", "promotion": "hot_threshold"}
    simulation, rows, _ = finished(joined(rooms, until_s=3.0))
    by_source = simulation.result()["metrics"]["recorded_reports"]
    assert set(by_source) <= set(pair)
    assert sum(by_source.values()) == rows["pghot_recorded_accesses"][-1]
    assert (rows["top_tier_share"] <= rows["oracle_share"] + 1e-9).all()


def test_a_second_source_adds_its_reports_to_the_same_record() -> None:
    """Each page is seen about as often by either, so two of them make it ready sooner."""
    alone = {"sources": ["pte_scan"], "hotness": "pghot", "promotion": "hot_threshold"}
    both = alone | {"sources": ["pte_scan", "chmu"]}
    changes = {"until_s": 4.0, "chmu__hotness_threshold": 2, "chmu__hotlist_max": 65_536}
    told = [finished(joined(rooms, **changes))[0].result() for rooms in (alone, both)]
    counts = [one["metrics"]["recorded_reports"] for one in told]
    assert counts[0].keys() == {"pte_scan"}
    assert counts[1].keys() == {"pte_scan", "chmu"}
    assert min(counts[1].values()) > 0


def test_what_a_file_says_of_rooms_wins_over_the_preset() -> None:
    scenario = joined({"promotion": "hot_threshold", "hotness": "pghot"}, preset="chmu")
    assert scenario.joined == Rooms(("chmu",), "pghot", "hot_threshold", ("kswapd",))
    assert list(scenario.sections())[1:] == [
        "chmu", "pghot", "hot_threshold", "kmigrated", "migration", "reclaim",
    ]  # fmt: skip
    assert str(scenario.joined) == "chmu > pghot > hot_threshold > kswapd"
    assert str(PRESETS["none"].rooms) == "nobody > nobody > nobody > kswapd"


def test_threads_of_all_sources_have_names_in_their_order() -> None:
    rooms = {"sources": ["chmu", "pte_scan"], "hotness": "last_report"}
    scenario = joined(rooms, preset="kscand_v2", pte_scan__nr_threads=2)
    assert thread_names(scenario) == ("chmu", "kscand/0", "kscand/1", "migration", "kswapd0")


def test_joins_that_make_no_sense_are_refused_by_name() -> None:
    assert refused({"sources": ["chmu", "chmu"]}).startswith(
        "composed: rooms.sources = ['chmu', 'chmu']: name each source once"
    )
    assert "rooms.hotness = '': somebody must take" in refused({"hotness": ""})
    assert "rooms.promotion = '': somebody must choose" in refused({"promotion": ""})
    assert "rooms.hotness = 'last_report': nobody reports" in refused({"sources": []})
    assert "rooms.promotion = 'oracle': places every folio itself" in refused({"promotion": ORACLE})
    assert "judges by latency, which neither source pte_scan nor hotness last_report" in refused(
        {"promotion": "hot_threshold"}
    )
    assert "judges by numbers of reports, which hotness exact does not count" in refused(
        {"hotness": "exact", "promotion": "freq_threshold"}
    )
    assert "window_ms = 300: pte_scan comes round after 400 ms at the soonest" in refused(
        {"hotness": "two_windows"}, two_windows__window_ms=300
    )
    assert "window_ms = 300: lru_gen_walk comes round after 500 ms at the soonest" in refused(
        {"sources": ["lru_gen_walk"], "hotness": "two_windows"}, two_windows__window_ms=300
    )
    assert "heat.hot_class = 4: classes are 0 .. 3, so nothing is ever hot" in refused(
        {"hotness": "heat"}, heat__hot_class=4
    )
    assert "hint_fault migrates in the tasks" in refused({"sources": ["hint_fault", "chmu"]})
    assert "damos_migrate_hot and hotness damon_regions go with each other only" in refused(
        {"sources": ["damon"], "promotion": "damos_migrate_hot"}
    )
    assert "remembers regions of damon alone, not what chmu reports" in refused(
        {"sources": ["damon", "chmu"], "hotness": "damon_regions"}
    )
    assert "damos_migrate_cold acts on regions of damon" in refused(
        {"demotion": ["damos_migrate_cold"]}
    )
    unknown = refused({"sources": ["pebs"]})
    assert unknown.startswith("composed: rooms.sources.0 = 'pebs': allowed is one of 'pte_scan'")


def test_the_tables_and_those_who_make_what_they_name_agree() -> None:
    assert MAKERS.keys() == SOURCES.keys()
    assert MEMORIES.keys() == {"", *HOTNESS}
    assert RULES.keys() == {"", ORACLE, *PROMOTION}
    for preset in PRESETS.values():
        assert set(sections(preset.rooms)) >= set(preset.settings)


def test_every_mechanism_has_a_scenario_and_is_described() -> None:
    model = (ROOT / "docs" / "model.md").read_text()
    shown = [load_file(name).joined for name in scenario_names()]
    for name in (*SOURCES, *HOTNESS, *PROMOTION, *DEMOTION):
        assert re.search(rf"\b{name}\b", model), f"docs/model.md does not name {name}"
        assert any(
            name in (*one.sources, one.hotness, one.promotion, *one.demotion) for one in shown
        ), f"no scenario joins {name}"
