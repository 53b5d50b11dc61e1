"""The figures at the end of a run: what its rows add up to."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.figures import by_node, total_of
from tiering.engine.untouched import untouched_pages
from tiering.model.metrics import METRICS
from tiering.simulation.fairness import fairness
from tiering.simulation.scenario import FOLIOS_PER_MIB
from tiering.simulation.temperature import temperature

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
MOST_MMS = 256
"""Figures by mm are given for so many of them, those with the longest full scan."""
_OWN_UNITS = {
    "mean_throughput": "accesses/s", "accesses": "accesses", "nr_visits": "visits",
    "missed_deadlines": "visits",
}  # fmt: skip
_SUFFIXES = {"_ms": "ms", "_s": "s", "_mib": "MiB"}


def unit_of(name: str) -> str:
    """Unit of a figure or counter of a run; shares have none."""
    units = {metric.name: metric.unit for metric in METRICS if metric.scope in ("machine", "mm")}
    ends = [unit for suffix, unit in _SUFFIXES.items() if name.endswith(suffix)]
    return _OWN_UNITS.get(name) or units.get(name) or (ends[0] if ends else "")


def metrics(sim: "Simulation") -> dict[str, Any]:
    """Figures of the whole run up to now; times in the unit of their name. Changes nothing."""
    flow, world, scanner = sim.progress.flow, sim.world, sim.scanner
    share = np.zeros(world.capacity.size)
    by_node(flow.speed, flow.share, share)
    seconds = sim.time_ns / NS_PER_S
    names = [mm.name for mm in world.mms]
    ended = [int(t) / NS_PER_S if t >= 0 else None for t in sim.progress.finished_ns]
    done = total_of(np.minimum(flow.tau, world.work))
    precision, recall = sim.judge.so_far()
    threads = dict(zip(sim.shape.threads, sim.busy_ns(), strict=True))
    rose = sim.queue.counters["pgpromote_success"]
    for_nothing = int(sim.reclaimers.sunk.untouched[0]) + sim.population.untouched
    for_nothing += untouched_pages(
        world.memory, world.rates, sim.scratch, flow.tau, 0, world.memory.nr.size
    )
    figures = {
        "mean_throughput": done / seconds if seconds else 0.0,
        "top_tier_share": total_of(share * world.top_tier),
        "oracle_share": sim.optimum.share(),
        "time_to_90_s": time_to_90(sim.hit_share, sim.scenario.sample_ms / 1000, seconds),
        "precision": precision,
        "recall": recall,
        "promoted_mib": rose / FOLIOS_PER_MIB,
        "demoted_mib": int(sim.reclaimers.sunk.pages[0]) / FOLIOS_PER_MIB,
        "promoted_untouched_share": for_nothing / rose if rose else None,
        "ping_pong_share": int(sim.reclaimers.sunk.again[0]) / rose if rose else None,
        "candidate_age_max_ms": int(sim.queue.books.age[1]) / NS_PER_MS,
        "thread_busy_s": {name: busy / NS_PER_S for name, busy in threads.items()},
        "mm_elapsed_s": dict(list(zip(names, ended, strict=True))[:MOST_MMS]),
        **fairness(sim, MOST_MMS),
        **temperature(sim),
    }
    records = sim.filters.records
    if records is not None:
        below = int(world.capacity[~world.top_tier].sum())
        figures["recorded_reports"] = dict(records.recorded)
        figures["hotness_records_mib"] = below * records.records.itemsize / 2**20
    if scanner is None:
        return figures
    mms = scanner.mms
    scanned, useful = int(mms.nr_scanned.sum()), rose - for_nothing
    rows = [np.zeros((0, 2), np.int64), *scanner.pass_ns]
    passes: NDArray[np.int64] = np.concatenate(rows)
    return figures | {
        "nr_visits": int(mms.nr_visits.sum()),
        "nr_scanned": scanned,
        "scans_per_useful_promotion": scanned / useful if useful else None,
        "missed_deadlines": int(mms.missed.sum()),
        "missed_share": float(mms.missed.sum() / max(int(mms.nr_visits.sum()), 1)),
        "longest_visit_ms": int(mms.longest_ns.max(initial=0)) / NS_PER_MS,
        "scan_s": sum(thread.scan_ns for thread in sim.threads) / NS_PER_S,
        "full_scan_ms": spread(passes[:, 1]),
        "mm_full_scan_ms": _by_mm(passes, scanner.names),
    }


def time_to_90(hit_share: list[float], sample_s: float, end_s: float) -> float | None:
    """Simulated seconds until the share of top-tier accesses first came to 90 % of its last value;
    None if that is 0. The last row is of end_s, before a whole sample if the run ended there."""
    shares = np.array(hit_share)
    if not shares.size or shares[-1] <= 0.0:
        return None
    return min(float((int(np.argmax(shares >= 0.9 * shares[-1])) + 1) * sample_s), end_s)


def spread(values: NDArray[np.int64]) -> dict[str, float] | None:
    """Number, least, mean, 99th percentile and most, in ms, of times in ns; None without any."""
    if not values.size:
        return None
    ordered = np.sort(values) / NS_PER_MS
    at = min(int(np.ceil(0.99 * ordered.size)) - 1, ordered.size - 1)
    return {
        "nr": int(ordered.size),
        "min": float(ordered[0]),
        "mean": float(np.cumsum(ordered)[-1]) / ordered.size,
        "p99": float(ordered[at]),
        "max": float(ordered[-1]),
    }


def _by_mm(passes: NDArray[np.int64], names: list[str]) -> dict[str, Any]:
    """The spread of each mm; of many mms only those with the longest full scan."""
    order = np.argsort(passes[:, 0], kind="stable")
    mms, first = np.unique(passes[order, 0], return_index=True)
    parts = np.split(passes[order, 1], first[1:]) if mms.size else []
    spreads = [(names[mm], spread(part)) for mm, part in zip(mms.tolist(), parts, strict=True)]
    spreads.sort(key=lambda one: -(one[1] or {"max": 0.0})["max"])
    return dict(spreads[:MOST_MMS])
