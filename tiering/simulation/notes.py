"""Notes on knobs that have no effect in a scenario, shown beside them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiering.simulation.scenario import Process, Scenario

DEMOTION = (
    "lru", "tiering_mode", "demote_scale_factor", "rmap_ns", "age_ns", "demote_us", "ping_pong_s",
)  # fmt: skip
"""Knobs of reclaim that matter only where folios can sink; its watermarks matter everywhere."""

ANY_DEMOTION = ("demote_us", "ping_pong_s")
"""Those of them that matter to pro-active demotion too."""


VIRTUAL = (
    "budget", "holes", "pte_top_ns", "pte_none_ns", "prctl", "scan_scale", "stretch",
    "failure_feedback", "failure_stretch", "target",
)  # fmt: skip
"""Knobs of a scan that are about VMAs, processes or the top tier."""


def notes(scenario: "Scenario") -> dict[str, str]:
    """A sentence for each knob without effect, by path, whether the preset shows it or not."""
    found: dict[str, str] = {}
    for paths, why in (*_scanning(scenario), *_migrating(scenario), *_reclaiming(scenario)):
        for path in paths:
            found.setdefault(path, f"No effect here: {why}")
    return found


Note = tuple[list[str], str]


def _scanning(scenario: "Scenario") -> Iterator[Note]:
    physical = scenario.pte_scan.walk == "physical"
    if physical:
        yield [f"pte_scan.{name}" for name in VIRTUAL], "the walk is physical."
    else:
        yield [f"pte_scan.{name}" for name in ("rmap_factor", "nr_sharers")], "the walk is virtual."
    one_each = all(one_vma(process) for process in scenario.processes)
    if one_each and not physical and not scenario.pte_scan.page_budget_pct:
        yield (
            ["pte_scan.scan_size_mib"],
            "every mm is one VMA, and as posted the budget is tested only between VMAs.",
        )
    tiers = [node.tier for node in scenario.nodes]
    if tiers.count(min(tiers)) == 1:
        yield ["pte_scan.target"], "there is one top-tier node."
    if scenario.pte_scan.prctl == "none":
        yield ["pte_scan.scan_scale"], "prctl is none."
    if scenario.pte_scan.prctl != "period" and not scenario.pte_scan.failure_feedback:
        yield ["pte_scan.stretch"], "neither scale nor failures stretch a period."
    if not scenario.pte_scan.failure_feedback:
        yield ["pte_scan.failure_stretch"], "failure_feedback is false."
    if all(vma.populated_pct == 100 for process in scenario.processes for vma in process.vmas):
        yield ["pte_scan.holes", "pte_scan.pte_none_ns"], "no VMA has holes (populated_pct)."
    if not any(node.cpus for node in scenario.nodes):
        yield ["pte_scan.nice"], "no node says how many CPUs it has, so one is always idle."
    if not any(_allocates_later(process) for process in scenario.processes):
        yield ["machine.fault_us"], "nobody touches memory for the first time while the run lasts."


def _migrating(scenario: "Scenario") -> Iterator[Note]:
    if scenario.joined.waits:
        names = ("owner", "thread_sleep_ms", "batch_nr", "queue_max")
        yield [f"migration.{name}" for name in names], "kmigrated migrates what it finds ready."
    if scenario.migration.owner == "scanner":
        yield ["migration.thread_sleep_ms", "migration.lists"], "the scanner migrates itself."
    if not any(vma.shared_pct for process in scenario.processes for vma in process.vmas):
        yield ["migration.refuse_shared", "pte_scan.skip_shared"], "no VMA has shared_pct."
    elif scenario.pte_scan.skip_shared:
        yield ["migration.refuse_shared"], "the scan passes over shared folios."


def _reclaiming(scenario: "Scenario") -> Iterator[Note]:
    knobs = scenario.reclaim
    sinking = [f"reclaim.{name}" for name in DEMOTION]
    if len({node.tier for node in scenario.nodes}) == 1:
        yield ["reclaim.demotion_enabled", *sinking], "there is no lower tier to demote to."
    elif not knobs.demotion_enabled and scenario.demotes:
        kept = [f"reclaim.{name}" for name in DEMOTION if name not in ANY_DEMOTION]
        yield kept, "demotion_enabled is false."
    elif not knobs.demotion_enabled:
        yield sinking, "demotion_enabled is false."
    elif knobs.lru == "active_inactive":
        yield ["reclaim.age_ns"], "only MGLRU walks page tables to age."


def _allocates_later(process: "Process") -> bool:
    """True if the process begins after the begin of the run, begins again, or grows."""
    grows = any(vma.pattern == "growing" for vma in process.vmas)
    return grows or process.start_s > 0 or process.every_s > 0


def one_vma(process: "Process") -> bool:
    """True if the process is one VMA, so that a visit always walks all of it."""
    if process.recording is not None or len(process.vmas) != 1:
        return False
    vma = process.vmas[0]
    return vma.split_mib == 0 or vma.split_mib >= vma.size_mib
