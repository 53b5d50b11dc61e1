"""Filling rows of the metrics table."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiering.demotion.damos_cold import MigrateCold
from tiering.engine.books import COLD, STALE
from tiering.engine.figures import observe, total_of
from tiering.engine.jit import Direct
from tiering.model.metrics import METRICS, schema
from tiering.simulation.fairness import idle_ns
from tiering.simulation.kdamond import KdamondThread, schemes_of
from tiering.simulation.scenario import FOLIOS_PER_MIB
from tiering.sources.pfn_scan import PfnScanner

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
US_PER_MS = 1000
MACHINE = tuple(metric.field for metric in METRICS if metric.scope == "machine")
COUNTERS = tuple(m.name for m in METRICS if m.scope == "machine" and m.counter)
DEMOTED = tuple(name for name in COUNTERS if name.startswith("pgdemote_"))
NODE = ("node.resident_mib", "node.access_share", "node.latency_ns", "node.utilisation")


_observe = Direct(observe)
_total_of = Direct(total_of)


class Sampler:
    """Remembers the last row, since some metrics are differences.

    hit_share: share of accesses served by the top tier, of every row so far.
    """

    def __init__(self, simulation: "Simulation") -> None:
        self._sim = simulation
        self._time_ns = 0
        self._tau = simulation.progress.flow.tau.copy()
        self._schemes = schemes_of(simulation.threads)
        self._before = self.counters()
        self._age = (0, 0)
        nr_p, nr_n = self._tau.size, simulation.world.capacity.size
        self._busy = np.zeros(len(simulation.shape.threads))
        self._nodes = np.zeros((len(NODE), nr_n))
        self._resident = np.zeros((nr_p, nr_n))
        self._mms = np.zeros((3, nr_p))
        self._each_ns = idle_ns(simulation.world)
        self._ran = simulation.progress.flow.running.copy()
        columns = schema(simulation.shape)["columns"]
        self._at = {
            field: (column["offset"], column["offset"] + int(np.prod(column["shape"])))
            for field, column in columns.items()
        }
        self.hit_share: list[float] = []

    def fill(self, row: NDArray[np.float64]) -> None:
        """Write the row of the present instant; row: f64[], laid out as the metrics table."""
        sim = self._sim
        since = sim.time_ns - self._time_ns
        world, flow = sim.world, sim.progress.flow
        throughput, _, top_share, mean_ns = _observe(
            flow, world.memory, world.rates, world.capacity, world.top_tier, world.walk_ns,
            self._each_ns, self._tau, self._ran, float(since), self._nodes, self._resident,
            self._mms,
        )  # fmt: skip
        counters = self.counters()
        rose = counters["pgpromote_success"] - self._before["pgpromote_success"]
        sank = sum(counters[name] - self._before[name] for name in DEMOTED)
        precision, recall = sim.judge.since_last()
        values: dict[str, float] = {
            "time_ns": sim.time_ns,
            "throughput": throughput,
            "top_tier_share": top_share,
            "oracle_share": sim.optimum.share(),
            "precision": precision,
            "recall": recall,
            "mean_latency_ns": mean_ns,
            "promote_mib_s": rose / FOLIOS_PER_MIB / since * NS_PER_S,
            "demote_mib_s": sank / FOLIOS_PER_MIB / since * NS_PER_S,
            **self._queue(),
            **counters,
            "hot_threshold_ms": sim.filters.threshold_ms,
            **self._quotas(),
        }
        row[: len(MACHINE)] = [values[name] for name in MACHINE]
        self._fill_arrays(row)
        self._fill_threads(row, since)
        self._time_ns, self._before = sim.time_ns, counters
        self.hit_share.append(top_share)

    def _quotas(self) -> dict[str, float]:
        """Quotas of DAMOS in force."""
        quotas = {"damos_hot_effective_bytes": 0.0, "damos_cold_effective_bytes": 0.0}
        for one in self._schemes:
            quotas[f"damos_{one.name}_effective_bytes"] = one.effective_bytes
        return quotas

    def _queue(self) -> dict[str, float]:
        queue, now = self._sim.queue, self._sim.time_ns
        waiting = len(queue)
        oldest_ms = max(now - queue.oldest_ns(), 0) / NS_PER_MS if waiting else 0.0
        total, nr = int(queue.books.age[0]), queue.handled
        before, self._age = self._age, (total, nr)
        age = (total - before[0]) / (nr - before[1]) / NS_PER_MS if nr > before[1] else 0.0
        return {"queue_len": waiting, "queue_age_ms": oldest_ms, "candidate_age_ms": age}

    def _hot_pages(self) -> int:
        """Candidates that were hot when tried, where that is asked."""
        outcome = self._sim.queue.books.outcome
        if self._sim.scanner is None or self._sim.scenario.migration.still_hot == "not_asked":
            return 0
        return self._sim.queue.handled - int(outcome[STALE]) - int(outcome[COLD])

    def _fill_arrays(self, row: NDArray[np.float64]) -> None:
        self._nodes[0] /= FOLIOS_PER_MIB
        for field, values in zip(NODE, self._nodes, strict=True):
            self._put(row, field, values)
        self._resident /= FOLIOS_PER_MIB
        self._put(row, "mm_node.resident_mib", self._resident.ravel())
        self._put(row, "mm.throughput", self._mms[0])
        self._put(row, "mm.progress", self._mms[1])
        self._put(row, "mm.slowdown", self._mms[2])
        told: set[str] = set()
        for source in self._sim.sources.values():  # what two of them tell is that of the first
            for name, values in source.columns().items():
                if name not in told:
                    self._put(row, f"mm.{name}", values)
                told.add(name)
        if isinstance(self._sim.scanner, PfnScanner):
            for name, values in self._sim.scanner.node_columns(self._nodes.shape[1]).items():
                self._put(row, f"node.{name}", values)

    def _put(self, row: NDArray[np.float64], field: str, values: NDArray[Any]) -> None:
        first, end = self._at[field]
        row[first:end] = values

    def _fill_threads(self, row: NDArray[np.float64], since: int) -> None:
        if not self._busy.size:
            return
        busy = np.minimum(self._sim.busy_ns(), self._busy + since)  # a step may end after the row
        self._put(row, "thread.busy_ns", busy)
        self._put(row, "thread.busy_share", (busy - self._busy) / since)
        self._busy = busy.astype(np.float64)
        for place, thread in enumerate(self._sim.threads):
            if isinstance(thread, KdamondThread):
                row[self._at["thread.nr_regions"][0] + place] = thread.regions.nr[0]
                sample_ms = thread.tempo.sample_us / US_PER_MS
                row[self._at["thread.sample_ms"][0] + place] = sample_ms

    def counters(self) -> dict[str, int]:
        """Counters by their kernel names, whole numbers."""
        sim = self._sim
        sunk, direct = sim.reclaimers.sunk, sim.population.direct
        proactive = int(sim.coldest.pages[0]) if sim.coldest else 0
        schemes = self._schemes
        by_damon = sum(one.applied for one in schemes if isinstance(one, MigrateCold))
        flow: Any = sim.progress.flow
        return dict.fromkeys(COUNTERS, 0) | {
            "accesses": int(_total_of(np.minimum(flow.tau, flow.work))),
            **sim.queue.counters,
            **sim.filters.counters,
            **{name: n for source in sim.sources.values() for name, n in source.counters.items()},
            "nr_kscand_hotpage": self._hot_pages(),
            **{name: n for scheme in schemes for name, n in scheme.counters.items()},
            "pgdemote_kswapd": int(sunk.pages[0]) - direct - proactive - by_damon,
            "pgdemote_damon": by_damon,
            "pgdemote_direct": direct,
            "pgdemote_proactive": proactive,
            "demote_fail": int(sunk.failed[0]),
            "demote_untouched": int(sunk.untouched[0]),
            "ping_pong": int(sunk.again[0]),
            "memcg_low": int(sunk.low[0]),
            "reclaim_scanned": int(sunk.scanned[0]),
            "pgfault": sim.population.faults,
        }
