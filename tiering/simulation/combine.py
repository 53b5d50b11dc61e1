"""What may not be joined: one sentence for each rule that a scenario's rooms break."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tiering.hotness.table import HOTNESS
from tiering.promotion.table import PROMOTION
from tiering.simulation.policy import policy_names
from tiering.simulation.rooms import ORACLE, Rooms
from tiering.sources.table import SOURCES

DAMON, REGIONS = "damon", "damon_regions"
HOT_SCHEME, COLD_SCHEME = "damos_migrate_hot", "damos_migrate_cold"

if TYPE_CHECKING:
    from tiering.simulation.scenario import Scenario


def objections(scenario: "Scenario") -> Iterator[str]:
    """Sentences, each beginning with the key and its value."""
    rooms = scenario.joined
    if len(set(rooms.sources)) < len(rooms.sources):
        yield f"rooms.sources = {list(rooms.sources)}: name each source once"
    if rooms.promotion == ORACLE:
        if rooms.sources or rooms.hotness or rooms.demotion:
            yield (
                "rooms.promotion = 'oracle': places every folio itself; leave sources and demotion "
                "empty, and hotness = ''"
            )
        return
    yield from _incomplete(rooms)
    if rooms.promotion and rooms.hotness:
        yield from _latency(rooms)
        yield from _heat(rooms)
    yield from _in_tasks(scenario)
    yield from _windows(scenario)
    yield from _classes_of_heat(scenario)
    yield from _policy(scenario)
    yield from _damon(rooms)


def _incomplete(rooms: Rooms) -> Iterator[str]:
    if rooms.sources and not rooms.hotness:
        yield f"rooms.hotness = '': somebody must take what sources report; {_one_of(HOTNESS)}"
    if rooms.sources and not rooms.promotion:
        yield f"rooms.promotion = '': somebody must choose among what is hot; {_one_of(PROMOTION)}"
    for room in ("hotness", "promotion"):
        name = getattr(rooms, room)
        if name and not rooms.sources:
            yield f"rooms.{room} = {name!r}: nobody reports; {_one_of(SOURCES)} in rooms.sources"


def _latency(rooms: Rooms) -> Iterator[str]:
    if not PROMOTION[rooms.promotion].by_latency or HOTNESS[rooms.hotness].keeps_time:
        return
    for name in rooms.sources:
        if not SOURCES[name].times:
            timed = [source for source, kind in SOURCES.items() if kind.times]
            keeping = [memory for memory, kind in HOTNESS.items() if kind.keeps_time]
            yield (
                f"rooms.promotion = {rooms.promotion!r}: judges by latency, which neither source "
                f"{name} nor hotness {rooms.hotness} knows; sources that do are {_names(timed)}, "
                f"memories {_names(keeping)}"
            )


def _heat(rooms: Rooms) -> Iterator[str]:
    if PROMOTION[rooms.promotion].by_heat and not HOTNESS[rooms.hotness].counts:
        counting = [memory for memory, kind in HOTNESS.items() if kind.counts]
        yield (
            f"rooms.promotion = {rooms.promotion!r}: judges by numbers of reports, which hotness "
            f"{rooms.hotness} does not count; memories that do are {_names(counting)}"
        )


def _windows(scenario: "Scenario") -> Iterator[str]:
    """A source that does not come round within a window never reports in two in a row."""
    if scenario.joined.hotness != "two_windows":
        return
    window_ms = scenario.two_windows.window_ms
    rounds = {
        "pte_scan": scenario.pte_scan.scan_period_min_ms, "chmu": scenario.chmu.epoch_ms,
        "hw_sample": scenario.hw_sample.drain_ms, "oracle": scenario.oracle.interval_ms,
        "lru_gen_walk": scenario.lru_gen_walk.interval_ms,
        "damon": scenario.damon.aggr_us // 1000,
        "page_cache_access": scenario.page_cache_access.look_ms,
    }  # fmt: skip
    for name in scenario.joined.sources:
        if rounds.get(name, 0) > window_ms:
            yield (
                f"two_windows.window_ms = {window_ms}: {name} comes round after {rounds[name]} ms "
                "at the soonest, so nothing is reported in windows one after another"
            )


def _classes_of_heat(scenario: "Scenario") -> Iterator[str]:
    heat = scenario.heat
    if scenario.joined.hotness == "heat" and heat.hot_class >= heat.heat_classes:
        yield (
            f"heat.hot_class = {heat.hot_class}: classes are 0 .. {heat.heat_classes - 1}, so "
            "nothing is ever hot"
        )


def _policy(scenario: "Scenario") -> Iterator[str]:
    asked = scenario.joined.promotion == "user_policy"
    if asked and not scenario.policy_file:
        yield (
            "rooms.promotion = 'user_policy': which is not said; give user_policy.file, one of "
            f"{_names(policy_names())} or a file beside the scenario"
        )
    if scenario.policy_file and not asked:
        yield (
            f"user_policy.file = {scenario.policy_file!r}: has no effect without rooms.promotion = "
            "'user_policy'"
        )


def _in_tasks(scenario: "Scenario") -> Iterator[str]:
    """Tasks migrate what they fault on; beside threads that do so inline is not modelled."""
    rooms = scenario.joined
    in_tasks = all(SOURCES[name].in_task for name in rooms.sources)
    if rooms.waits or in_tasks or scenario.migration.owner == "thread":
        return
    for name in rooms.sources:
        if SOURCES[name].in_task:
            yield (
                f"rooms.sources = {list(rooms.sources)}: {name} migrates in the tasks, others in "
                "their threads; give migration.owner = 'thread', or a hotness that waits for "
                "kmigrated: " + _names([one for one, kind in HOTNESS.items() if kind.waits])
            )
            return


def _damon(rooms: Rooms) -> Iterator[str]:
    """Regions are DAMON's own, and its schemes act on nothing else."""
    if rooms.hotness == REGIONS and rooms.sources and rooms.sources != (DAMON,):
        yield (
            f"rooms.hotness = {REGIONS!r}: remembers regions of damon alone, not what "
            f"{_names(name for name in rooms.sources if name != DAMON)} reports"
        )
    if rooms.sources and (rooms.promotion == HOT_SCHEME) != (rooms.hotness == REGIONS):
        yield (
            f"rooms.promotion = {rooms.promotion!r}: {HOT_SCHEME} and hotness {REGIONS} go with "
            "each other only"
        )
    if COLD_SCHEME in rooms.demotion and DAMON not in rooms.sources:
        yield (
            f"rooms.demotion = {list(rooms.demotion)}: {COLD_SCHEME} acts on regions of damon, "
            "which is not in rooms.sources"
        )


def _one_of(table: Iterable[str]) -> str:
    return f"give one of {_names(table)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
