"""Filling rows of the metrics table."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.chunks import WAITING
from tiering.engine.figures import by_node, mean_of, resident_by_mm, total_of
from tiering.simulation.scenario import FOLIOS_PER_MIB

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Sampler:
    """Remembers the last row, since some metrics are differences.

    hit_share: share of accesses served by the top tier, of every row so far.
    """

    def __init__(self, simulation: "Simulation") -> None:
        self._sim = simulation
        self._time_ns = 0
        self._tau = simulation.progress.flow.tau.copy()
        self._before = self.counters()
        self._age = (0, 0)
        self._busy = [0] * len(simulation.shape.threads)
        self.hit_share: list[float] = []

    def fill(self, row: Any) -> None:
        """Write the row of the present instant."""
        sim = self._sim
        since = sim.time_ns - self._time_ns
        done = (sim.progress.flow.tau - self._tau) / since * NS_PER_S
        counters = self.counters()
        row["time_ns"] = sim.time_ns
        row["throughput"] = total_of(done)
        for rate, names in (
            ("promote_mib_s", ["pgpromote_success"]),
            ("demote_mib_s", ["pgdemote_kswapd", "pgdemote_direct"]),
        ):
            pages = sum(counters[name] - self._before[name] for name in names)
            row[rate] = pages / FOLIOS_PER_MIB / since * NS_PER_S
        for name, value in counters.items():
            row[name] = value
        row["precision"], row["recall"] = sim.judge.since_last()
        self._fill_queue(row)
        self._fill_nodes(row)
        self._fill_mms(row, done)
        for i, busy_ns in enumerate(sim.busy_ns()):
            busy = min(busy_ns, sim.time_ns)  # a step may end a little later than the row
            row["thread.busy_ns"][i] = busy
            row["thread.busy_share"][i] = (busy - self._busy[i]) / since
            self._busy[i] = busy
        self._time_ns, self._tau = sim.time_ns, sim.progress.flow.tau.copy()
        self._before = counters
        self.hit_share.append(float(row["top_tier_share"]))

    def _fill_queue(self, row: Any) -> None:
        queue, now = self._sim.queue, self._sim.time_ns
        row["queue_len"] = queue.chunks.at[WAITING]
        row["queue_age_ms"] = max(now - queue.oldest_ns(), 0) / NS_PER_MS if len(queue) else 0.0
        total, nr = int(queue.books.age[0]), queue.handled
        if nr > self._age[1]:
            row["candidate_age_ms"] = (total - self._age[0]) / (nr - self._age[1]) / NS_PER_MS
        self._age = total, nr

    def _fill_nodes(self, row: Any) -> None:
        sim = self._sim
        flow, world = sim.progress.flow, sim.world
        share = row["node.access_share"]
        by_node(flow.speed, flow.share, share)
        row["node.latency_ns"] = flow.latency
        row["node.utilisation"] = flow.utilisation
        row["top_tier_share"] = total_of(share * world.top_tier)
        row["oracle_share"] = sim.optimum.share()
        walk = mean_of(flow.speed, world.walk_ns)
        row["mean_latency_ns"] = mean_of(share, flow.latency) + walk

    def _fill_mms(self, row: Any, throughput: NDArray[np.float64]) -> None:
        sim = self._sim
        world, memory = sim.world, sim.world.memory
        row["mm.throughput"] = throughput
        row["mm.progress"] = np.minimum(sim.progress.flow.tau / world.work, 1.0)  # endless: 0
        resident = row["mm_node.resident_mib"]
        resident_by_mm(memory, world.rates.row_at, world.rates.nr_rows, resident)
        resident /= FOLIOS_PER_MIB
        row["node.resident_mib"] = (world.capacity - memory.free) / FOLIOS_PER_MIB
        if sim.scanner is not None:
            mms = sim.scanner.mms
            row["mm.scan_period_ms"] = mms.period_ms
            row["mm.scan_interval_ms"] = mms.interval_ns / NS_PER_MS
            row["mm.full_scan_ms"] = mms.full_scan_ns / NS_PER_MS
            row["mm.scan_size_mib"] = mms.size_mib
            row["mm.scan_useful"] = mms.found
            row["mm.longest_visit_ms"] = mms.longest_ns / NS_PER_MS
            row["mm.missed_deadlines"] = mms.missed
            row["mm.nr_visits"] = mms.nr_visits
            row["mm.nr_scanned"] = mms.nr_scanned

    def counters(self) -> dict[str, int]:
        """Counters by their kernel names, whole numbers."""
        sim = self._sim
        sunk, population = sim.reclaimers.sunk, sim.population
        done = np.minimum(sim.progress.flow.tau, sim.world.work)
        return {
            "accesses": int(total_of(done)),
            **sim.queue.counters,
            "pgdemote_kswapd": int(sunk.pages[0]) - population.direct,
            "pgdemote_direct": population.direct,
            "demote_fail": int(sunk.failed[0]),
            "demote_untouched": int(sunk.untouched[0]),
            "ping_pong": int(sunk.again[0]),
            "reclaim_scanned": int(sunk.scanned[0]),
            "pgfault": population.faults,
        }
