"""Filling rows of the metrics table, and the figures at the end of a run."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.figures import by_node, mean_of, resident_by_mm, total_of
from tiering.simulation.optimum import Optimum
from tiering.simulation.scenario import FOLIOS_PER_MIB

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

NS_PER_S = 1_000_000_000


class Sampler:
    """Remembers the last row, since some metrics are differences."""

    def __init__(self, simulation: "Simulation") -> None:
        self._sim = simulation
        self._time_ns = 0
        self._tau = simulation.progress.tau
        self._promoted = 0
        self._busy = [0] * len(simulation.threads)
        self._optimum = Optimum(simulation.world, simulation.progress)

    def fill(self, row: Any) -> None:
        """Write the row of the present instant."""
        sim = self._sim
        progress = sim.progress
        since = sim.time_ns - self._time_ns
        done = (progress.tau - self._tau) / since * NS_PER_S
        counters = self.counters()
        promoted = counters["pgpromote_success"] - self._promoted
        row["time_ns"] = sim.time_ns
        row["throughput"] = total_of(done)
        row["promote_mib_s"] = promoted / FOLIOS_PER_MIB / since * NS_PER_S
        row["queue_len"] = len(sim.queue)
        for name, value in counters.items():
            row[name] = value
        self._fill_nodes(row)
        self._fill_mms(row, done)
        for i, thread in enumerate(sim.threads):
            busy = min(thread.busy_ns, sim.time_ns)  # a step may end a little later than the row
            row["thread.busy_ns"][i] = busy
            row["thread.busy_share"][i] = (busy - self._busy[i]) / since
            self._busy[i] = busy
        self._time_ns, self._tau = sim.time_ns, progress.tau
        self._promoted = counters["pgpromote_success"]

    def _fill_nodes(self, row: Any) -> None:
        progress, world = self._sim.progress, self._sim.world
        share = row["node.access_share"]
        by_node(progress.throughput, progress.share, share)
        row["node.latency_ns"] = progress.latency
        row["node.utilisation"] = progress.utilisation
        row["top_tier_share"] = total_of(share * world.top_tier)
        row["oracle_share"] = self._optimum.share()
        walk = mean_of(progress.throughput, world.walk_ns)
        row["mean_latency_ns"] = mean_of(share, progress.latency) + walk

    def _fill_mms(self, row: Any, throughput: NDArray[np.float64]) -> None:
        sim = self._sim
        world = sim.world
        row["mm.throughput"] = throughput
        row["mm.progress"] = sim.progress.tau / world.work  # endless work is infinite: 0
        resident = row["mm_node.resident_mib"]
        resident_by_mm(world.memory.resident, world.rates.row_at, world.rates.nr_rows, resident)
        resident /= FOLIOS_PER_MIB
        row["node.resident_mib"] = (world.capacity - world.memory.free) / FOLIOS_PER_MIB
        scanner = sim.scanner
        if scanner is not None:
            row["mm.scan_period_ms"] = scanner.period_ms
            row["mm.scan_interval_ms"] = scanner.interval_ns / 1e6
            row["mm.scan_size_mib"] = scanner.size_mib
            row["mm.scan_useful"] = scanner.found
            row["mm.nr_visits"] = scanner.nr_visits
            row["mm.nr_scanned"] = scanner.nr_scanned

    def counters(self) -> dict[str, int]:
        """Counters by their kernel names, whole numbers."""
        done = int(total_of(self._sim.progress.tau))
        return {"accesses": done, **self._sim.queue.counters}

    def metrics(self) -> dict[str, Any]:
        """Figures of the whole run up to now; times in seconds."""
        sim = self._sim
        progress, world, scanner = sim.progress, sim.world, sim.scanner
        share = np.zeros(world.capacity.size)
        by_node(progress.throughput, progress.share, share)
        seconds = sim.time_ns / NS_PER_S
        names = [mm.name for mm in world.mms]
        ended = [int(t) / NS_PER_S if t >= 0 else None for t in progress.finished_ns]
        return {
            "mean_throughput": total_of(progress.tau) / seconds if seconds else 0.0,
            "top_tier_share": total_of(share * world.top_tier),
            "oracle_share": self._optimum.share(),
            "promoted_mib": sim.queue.counters["pgpromote_success"] / FOLIOS_PER_MIB,
            "nr_visits": int(scanner.nr_visits.sum()) if scanner else 0,
            "nr_scanned": int(scanner.nr_scanned.sum()) if scanner else 0,
            "scan_s": sum(t.scan_ns for t in sim.threads) / NS_PER_S,
            "migrate_s": sum(t.migrate_ns for t in sim.threads) / NS_PER_S,
            "thread_busy_s": {t.name: t.busy_ns / NS_PER_S for t in sim.threads},
            "mm_elapsed_s": dict(zip(names, ended, strict=True)),
        }
