"""From names to arrays, the only place: a Scenario and a seed become a World."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiering.engine.closed_loop import Nodes
from tiering.engine.folios import FOLIO_BYTES, GRANULE, Memory, empty_memory, nr_granules, place
from tiering.engine.page_walk import page_walk_ns
from tiering.engine.random import stream_key
from tiering.engine.touch import Rates
from tiering.simulation.host import check_host_memory
from tiering.simulation.load import ScenarioError
from tiering.simulation.scenario import FOLIOS_PER_MIB, Process, Scenario
from tiering.sources.pte_scan import ScannedMm
from tiering.workloads.damon_recording import RecordingError, build_recording
from tiering.workloads.pattern import Region, Workload
from tiering.workloads.table import PATTERNS

FIRST_TOUCH = "first_touch"


@dataclass(frozen=True)
class Piece:
    """One VMA to be: folios [first, last) of a region, on a node."""

    mm: int
    region: Region
    row_at: int
    first: int
    last: int
    node: str


@dataclass(frozen=True)
class World:
    """Everything a run starts from. Shapes: P processes, N nodes, R rows (see engine)."""

    memory: Memory
    rates: Rates
    nodes: Nodes
    capacity: NDArray[np.int64]  # i64[N] folios
    top_tier: NDArray[np.bool_]  # bool[N]
    mms: list[ScannedMm]
    nr_folios: NDArray[np.int64]  # i64[R]
    outstanding: NDArray[np.float64]  # f64[P]
    fixed_ns: NDArray[np.float64]  # f64[P] think time and page walk
    walk_ns: NDArray[np.float64]  # f64[P] the page walk alone
    write_share: NDArray[np.float64]  # f64[P]
    work: NDArray[np.float64]  # f64[P] accesses; infinite = until the end
    assumptions: tuple[str, ...]


def build(scenario: Scenario, seed: int) -> World:
    """Arrays of the machine at time 0; raises ScenarioError where something does not fit."""
    processes = [
        (process, f"{process.name}-{i}" if process.count > 1 else process.name)
        for process in scenario.processes
        for i in range(process.count)
    ]
    stated = sum(vma.size_mib for process, _ in processes for vma in process.vmas)
    check_host_memory(scenario.name, int(stated * FOLIOS_PER_MIB), 0)
    workloads: list[Workload] = []
    for mm, (process, _) in enumerate(processes):
        workloads.append(process_workload(scenario, process, int(stream_key(seed, mm, 1))))
    rates, row_ats = _rates(workloads)
    pieces = [
        piece
        for mm, (process, _) in enumerate(processes)
        for piece in _pieces(mm, process, workloads[mm], row_ats[mm])
    ]
    granules = sum(nr_granules(piece.last - piece.first) for piece in pieces)
    check_host_memory(scenario.name, granules * GRANULE, rates.share.size)
    capacity = np.array([n.capacity_mib * FOLIOS_PER_MIB for n in scenario.nodes], np.int64)
    tiers = np.array([node.tier for node in scenario.nodes])
    memory = empty_memory(granules, rates.lap_touches.size, capacity)
    vmas = _fill(scenario, memory, pieces, tiers > tiers.min(), seed)
    nr_folios = memory.resident.sum(axis=1)
    walk_ns = np.array([_walk(scenario, rates, mm, nr_folios) for mm in range(len(processes))])
    return World(
        memory=memory,
        rates=rates,
        nodes=_nodes(scenario),
        capacity=capacity,
        top_tier=tiers == tiers.min(),
        mms=[ScannedMm(name, tuple(vmas[mm])) for mm, (_, name) in enumerate(processes)],
        nr_folios=nr_folios,
        outstanding=np.array([p.threads * p.mlp for p, _ in processes]),
        fixed_ns=np.array([p.think_ns for p, _ in processes]) + walk_ns,
        walk_ns=walk_ns,
        write_share=np.array([p.write_pct / 100 for p, _ in processes]),
        work=np.array([_work(p, workloads[mm]) for mm, (p, _) in enumerate(processes)]),
        assumptions=tuple(dict.fromkeys(a for w in workloads for a in w.assumptions)),
    )


def process_workload(scenario: Scenario, process: Process, seed: int) -> Workload:
    """Regions and phases of one process; raises ScenarioError if its recording cannot be read."""
    if process.recording is not None:
        knobs = process.damon_recording or PATTERNS["damon_recording"].knobs()
        try:
            return build_recording(Path(scenario.folder) / process.recording, knobs)
        except RecordingError as error:
            raise ScenarioError(f"{scenario.name}: {error}") from error
    total = sum(vma.size_mib for vma in process.vmas)
    regions = []
    for at, vma in enumerate(process.vmas):
        pattern = PATTERNS[vma.pattern]
        knobs = getattr(vma, vma.pattern) or pattern.knobs()
        nr_folios = max(1, round(vma.size_mib * FOLIOS_PER_MIB))
        if pattern.build is None:
            raise ScenarioError(f"{scenario.name}: pattern {vma.pattern} needs a recording")
        region = pattern.build(knobs, nr_folios, int(stream_key(seed, at)))
        shared = any(v.share_pct for v in process.vmas)
        part = vma.share_pct / 100 if shared else vma.size_mib / total
        regions.append(
            Region(vma.name, nr_folios, region.classes, region.share * part, region.row_stride)
        )
    return Workload(tuple(regions), np.zeros(0))


def _work(process: Process, workload: Workload) -> float:
    if process.work_accesses:
        return float(process.work_accesses)
    if workload.phase_accesses.size and process.repeat:
        return float(np.cumsum(workload.phase_accesses)[-1]) * process.repeat
    return float(np.inf)


def _rates(workloads: list[Workload]) -> tuple[Rates, list[list[int]]]:
    """All rate rows of the machine, and the first row of each region of each process."""
    share, cum, laps, borders, row_ats = [], [], [], [], []
    share_at, row_at, nr_rows, phase_at, nr_phases, lap = [], [], [], [], [], []
    rows = elements = phases = 0
    for workload in workloads:
        own = np.concatenate([region.share for region in workload.regions], axis=1)
        length = workload.phase_accesses if workload.phase_accesses.size else np.array([np.inf])
        touches = own * np.where(np.isfinite(length), length, 0.0)[:, None]
        before = np.cumsum(touches, axis=0) - touches
        border = np.concatenate([[0.0], np.cumsum(length)])
        share.append(own.ravel())
        cum.append(before.ravel())
        laps.append(before[-1] + touches[-1])
        borders.append(border[:-1])
        share_at.append(elements)
        row_at.append(rows)
        nr_rows.append(own.shape[1])
        phase_at.append(phases)
        nr_phases.append(own.shape[0])
        lap.append(border[-1])
        widths = [region.share.shape[1] for region in workload.regions]
        row_ats.append([rows + int(w) for w in np.cumsum([0, *widths[:-1]])])
        rows += own.shape[1]
        elements += own.size
        phases += own.shape[0]
    rates = Rates(
        np.concatenate(share),
        np.concatenate(cum),
        np.concatenate(laps),
        np.array(share_at, np.int64),
        np.array(row_at, np.int64),
        np.array(nr_rows, np.int64),
        np.array(phase_at, np.int64),
        np.array(nr_phases, np.int64),
        np.concatenate(borders),
        np.array(lap),
    )
    return rates, row_ats


def _pieces(mm: int, process: Process, workload: Workload, row_at: list[int]) -> list[Piece]:
    pieces = []
    for at, region in enumerate(workload.regions):
        vma = process.vmas[at] if process.vmas else None
        node = vma.node if vma else process.node
        step = round(vma.split_mib * FOLIOS_PER_MIB) if vma and vma.split_mib else region.nr_folios
        for first in range(0, region.nr_folios, max(step, 1)):
            last = min(first + max(step, 1), region.nr_folios)
            pieces.append(Piece(mm, region, row_at[at], first, last, node))
    return pieces


def _fill(
    scenario: Scenario, memory: Memory, pieces: list[Piece], slow: NDArray[np.bool_], seed: int
) -> dict[int, list[tuple[int, int, float]]]:
    """Write classes, owners and first placement; returns the VMAs of each mm."""
    vmas: dict[int, list[tuple[int, int, float]]] = {piece.mm: [] for piece in pieces}
    granule = 0
    of_mm = 0
    mm = -1
    for piece in pieces:
        of_mm = of_mm if piece.mm == mm else 0
        mm = piece.mm
        nr = piece.last - piece.first
        start, end = granule * GRANULE, granule * GRANULE + nr
        memory.folio[start:end] = piece.region.classes[piece.first : piece.last]
        stride = piece.region.row_stride
        rows = stride or piece.region.share.shape[1]
        last = granule + nr_granules(nr)
        for g in range(granule, last):
            memory.nr[g] = min(GRANULE, nr - (g - granule) * GRANULE)
            memory.mm[g] = mm
            local = piece.row_at + (piece.first // GRANULE + g - granule) * stride
            memory.row0[g] = local
            memory.rows[g] = min(rows, piece.row_at + piece.region.share.shape[1] - local)
            memory.key[g] = stream_key(seed, mm, 2, of_mm)
            of_mm += 1
        for first, stop, nid in _places(scenario, memory, piece, start, end):
            place(memory, first, stop, nid, int(slow[nid]))
        vmas[mm].append((granule, last, nr / FOLIOS_PER_MIB))
        granule = last
    return vmas


def _places(
    scenario: Scenario, memory: Memory, piece: Piece, start: int, end: int
) -> list[tuple[int, int, int]]:
    """Where folios [start, end) of the array go at first: (first, end, nid) runs."""
    by_tier = sorted(scenario.nodes, key=lambda node: (node.tier, node.nid))
    allowed = [n for n in by_tier if piece.node in (FIRST_TOUCH, n.name)]
    runs = []
    for node in allowed:
        taken = min(end - start, int(memory.free[node.nid]))
        if taken > 0:
            runs.append((start, start + taken, node.nid))
            start += taken
    if start < end:
        total = sum(n.capacity_mib for n in allowed)
        raise ScenarioError(
            f"{scenario.name}: region {piece.region.name} of "
            f"{(piece.last - piece.first) / FOLIOS_PER_MIB:g} MiB does not fit: "
            f"{', '.join(n.name for n in allowed)} has {total} MiB in all, "
            f"{(end - start) / FOLIOS_PER_MIB:g} MiB too few"
        )
    return runs


def _nodes(scenario: Scenario) -> Nodes:
    nodes, machine = scenario.nodes, scenario.machine
    return Nodes(
        np.array([n.latency_ns for n in nodes]),
        np.full(len(nodes), machine.curve_a),
        np.full(len(nodes), machine.curve_b, np.int64),
        np.array([n.read_gb_s for n in nodes]),
        np.array([n.write_gb_s for n in nodes]),
    )


def _walk(scenario: Scenario, rates: Rates, mm: int, nr_folios: NDArray[np.int64]) -> float:
    """Page-walk cost of the process, from its mean shares over all phases."""
    at, nr, phases = int(rates.share_at[mm]), int(rates.nr_rows[mm]), int(rates.nr_phases[mm])
    share = rates.share[at : at + nr * phases].reshape(phases, nr)
    row = int(rates.row_at[mm])
    mean = rates.lap_touches[row : row + nr] if phases > 1 else share[0]
    machine = scenario.machine
    return page_walk_ns(
        nr_folios[row : row + nr], mean, machine.tlb_entries,
        machine.pt_cache_mib * 2**20, machine.walk_cached_ns, machine.walk_memory_ns,
    )  # fmt: skip


def total_mib(world: World) -> float:
    """Memory of all processes in MiB."""
    return float(world.nr_folios.sum()) * FOLIO_BYTES / 2**20
