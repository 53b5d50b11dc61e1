"""How fast processes run in the naive twin: placement, latency under load, page walks, stalls.

Shares are counted folio by folio, entries of the TLB sorted one by one, and speeds and latencies
feed each other until they rest; the engine keeps books by row and node and searches by brackets.
"""

from tests.naive.memory import NOWHERE, Memory
from tests.naive.patterns import INF
from tests.naive.processes import Process
from tiering.simulation.scenario import Scenario

TICK_NS = 10_000_000
LINE_BYTES = 64


class Throughput:
    """latency, utilisation: of each node, as solved last. solved: how often. read, written: copies
    of the tick before, GB/s."""

    def __init__(self, scenario: Scenario, memory: Memory, processes: list[Process]) -> None:
        assert sum(node.cpus for node in scenario.nodes) == 0, "the twin has CPUs in plenty"
        self.nodes, self.machine = scenario.nodes, scenario.machine
        self.memory, self.processes = memory, processes
        self.latency = [node.latency_ns for node in scenario.nodes]
        self.utilisation = [0.0] * len(self.nodes)
        self.solved = 0
        self.read = self.written = [0.0] * len(self.nodes)
        self.walk_ns = [self._page_walk_ns(process) for process in processes]

    def solve(self) -> None:
        """Speeds of all processes by going round and round until nothing changes any more."""
        self.solved += 1
        self.read = [copied / TICK_NS for copied in self.memory.copied_from]
        self.written = [copied / TICK_NS for copied in self.memory.copied_to]
        shares = [self.shares(process) for process in self.processes]
        for _ in range(1000):
            before = list(self.latency)
            traffic = [
                self.read[n] / node.read_gb_s + self.written[n] / node.write_gb_s
                for n, node in enumerate(self.nodes)
            ]
            for process, share, walk in zip(self.processes, shares, self.walk_ns, strict=True):
                process.speed = self._speed(process, share, walk)
                for n, node in enumerate(self.nodes):
                    lines = LINE_BYTES * process.speed * share[n]
                    writes = lines * process.fields.write_pct / 100
                    traffic[n] += lines / node.read_gb_s + writes / node.write_gb_s
            for n, node in enumerate(self.nodes):
                u = min(traffic[n], 0.999)
                a = self.machine.curve_a if node.curve_a is None else node.curve_a
                b = self.machine.curve_b if node.curve_b is None else node.curve_b
                load = a * u**b / (1 - u)
                self.latency[n] = node.latency_ns * (1 + load)
            self.utilisation = traffic
            if max(abs(a - b) for a, b in zip(before, self.latency, strict=True)) < 1e-9:
                return
        raise AssertionError("this machine is too loaded for the twin's way of solving")

    def _speed(self, process: Process, share: list[float], walk_ns: float) -> float:
        if not process.running:
            return 0.0
        trip = process.fields.think_ns + walk_ns
        trip += sum(a * b for a, b in zip(share, self.latency, strict=True))
        lost = min(process.stall_ns / (process.fields.threads * TICK_NS), 1.0)
        return process.outstanding * (1 - lost) / trip

    def shares(self, process: Process) -> list[float]:
        """Part of the process's touches that each node serves."""
        touches = [0.0] * len(self.nodes)
        folios = [0] * len(self.nodes)
        for region in process.regions:
            for folio in region.folios:
                if folio.nid != NOWHERE:
                    touches[folio.nid] += folio.weights[region.phase]
                    folios[folio.nid] += 1
        of = touches if sum(touches) > 0 else folios
        if sum(of) > 0:
            return [one / sum(of) for one in of]
        return [0.0] * (len(self.nodes) - 1) + [1.0]

    def hit_share(self) -> float:
        """Part of all accesses that the top tier serves; of all processes where none runs."""
        speeds = [process.speed for process in self.processes]
        if sum(speeds) == 0:
            speeds = [1.0] * len(speeds)
        served = 0.0
        for process, speed in zip(self.processes, speeds, strict=True):
            on = zip(self.shares(process), self.memory.top, strict=True)
            served += speed * sum(share for share, top in on if top)
        return served / sum(speeds)

    def copy_gb_s(self, sources: list[int], target: int, limit: float) -> float:
        """What one CPU copies, or what accesses leave of the nodes."""
        used = self.utilisation
        left = [(1 - used[target]) * self.nodes[target].write_gb_s + self.written[target]]
        left += [(1 - used[n]) * self.nodes[n].read_gb_s + self.read[n] for n in sources]
        return max(min([limit, *left]), 0.001)

    def _page_walk_ns(self, process: Process) -> float:
        """docs/model.md#page-walk; TLB and cache hold the hottest entries."""
        machine = self.machine
        tlb: list[float] = []
        words: list[float] = []
        for region in process.regions:
            pages, huge = 1 << region.order, region.order == 9
            for folio in region.folios:
                heat = _mean(folio.weights, region.law.lengths)
                nr = 1 if huge else max(pages >> machine.tlb_coalesce_order, 1)
                tlb += [heat / nr] * nr
                words += [heat] if huge else [heat / pages] * pages
        if sum(tlb) == 0:
            return 0.0
        missed = _missed(tlb, machine.tlb_entries)
        from_memory = _missed(words, int(machine.pt_cache_mib * 2**20 / 8))
        return missed * machine.walk_cached_ns + min(missed, from_memory) * machine.walk_memory_ns


def _mean(weights: list[float], lengths: list[float]) -> float:
    """Over a lap, or in the phase that never ends."""
    if lengths[-1] == INF:
        return weights[-1]
    return sum(a * b for a, b in zip(weights, lengths, strict=True)) / sum(lengths)


def _missed(heat: list[float], room: int) -> float:
    """Part of the touches that go to others than the `room` hottest entries."""
    return sum(sorted(heat, reverse=True)[room:]) / sum(heat)
