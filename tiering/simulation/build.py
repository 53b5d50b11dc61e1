"""From names to arrays, the only place: a Scenario and a seed become a World."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiering.demotion.kswapd import Marks, first_lists, marks
from tiering.engine.closed_loop import Nodes
from tiering.engine.folios import FOLIO_BYTES, GRANULE, Memory, empty_memory
from tiering.engine.page_walk import page_walk_ns
from tiering.engine.random import stream_key
from tiering.engine.shares import Shares
from tiering.engine.touch import Rates
from tiering.simulation.classes import scan_scale, shares, with_groups
from tiering.simulation.damon_join import kdamond_sides
from tiering.simulation.describe import process_workload, recordings
from tiering.simulation.footprint import footprint
from tiering.simulation.host import check_host_memory
from tiering.simulation.layout import (
    Piece,
    Vma,
    lay_out,
    present_ptes,
    step_of,
    swept,
    write_classes,
)
from tiering.simulation.rates import rate_table
from tiering.simulation.scenario import FOLIOS_PER_MIB, Process, Scenario
from tiering.sources.pte_state import ScannedMm
from tiering.workloads.pattern import Region, Workload

_GIVEN_AWAY: NDArray[np.uint8] = np.zeros(0, np.uint8)


@dataclass(frozen=True)
class World:
    """Everything a run starts from, with nothing populated yet. Shapes: P processes, N nodes, R
    rows (see engine)."""

    memory: Memory
    rates: Rates
    nodes: Nodes
    marks: Marks
    capacity: NDArray[np.int64]  # i64[N] pages
    tiers: NDArray[np.int64]  # i64[N]
    top_tier: NDArray[np.bool_]  # bool[N]
    cpus: float
    mms: list[ScannedMm]
    vmas: list[list[Vma]]  # by process
    home: NDArray[np.int64]  # i64[P] node of its CPUs
    nr_folios: NDArray[np.int64]  # i64[R] when all is populated
    threads: NDArray[np.float64]  # f64[P]
    outstanding: NDArray[np.float64]  # f64[P]
    fixed_ns: NDArray[np.float64]  # f64[P] think time and page walk
    walk_ns: NDArray[np.float64]  # f64[P] the page walk alone
    write_share: NDArray[np.float64]  # f64[P]
    work: NDArray[np.float64]  # f64[P] accesses; infinite = until the end
    shares: Shares  # what classes of processes ask for
    assumptions: tuple[str, ...]


@dataclass
class Draft:
    """Processes with the classes of their folios written; regions have given theirs away.

    folio: u32[F] classes and flags. workloads, entries: by process, with the index of its entry in
    the scenario. pieces: in the order of the folios. nr_folios: i64[rows of the region], by region.
    """

    folio: NDArray[np.uint32]
    workloads: list[Workload]
    entries: list[int]
    pieces: list[Piece]
    nr_folios: list[NDArray[np.int64]]


def build(scenario: Scenario, seed: int) -> World:
    """Arrays of the machine at time 0; raises ScenarioError where something does not fit."""
    draft = _draft(scenario, seed)
    workloads, pieces = draft.workloads, draft.pieces
    processes = scenario.all_processes()
    sweeps, sweep_rows = swept(pieces)
    rates, row_ats = rate_table(workloads, sweeps)
    capacity = np.array([n.capacity_mib * FOLIOS_PER_MIB for n in scenario.nodes], np.int64)
    tiers = np.array([node.tier for node in scenario.nodes])
    top_tier = tiers == tiers.min()
    stamps = scenario.demotes
    granules = draft.folio.size // GRANULE
    memory = empty_memory(
        granules, rates.lap_touches.size, capacity, stamps, len(kdamond_sides(scenario)) > 0
    )
    asked = shares(scenario)
    memory = with_groups(memory._replace(folio=draft.folio), scenario, asked)
    for piece, sweep in zip(pieces, sweep_rows, strict=True):
        piece.row_at = row_ats[piece.mm][piece.at]
        piece.sweep = sweep
    vmas: list[list[Vma]] = [[] for _ in processes]
    for vma in lay_out(memory, pieces, seed):
        vmas[vma.mm].append(vma)
    first_lists(scenario.reclaim, memory)
    nr_folios = np.concatenate(draft.nr_folios)
    walk_ns = _walks(scenario, rates, nr_folios, memory.pages)
    return World(
        memory=memory,
        rates=rates,
        nodes=_nodes(scenario),
        marks=marks(scenario.reclaim, capacity, top_tier),
        capacity=capacity,
        tiers=tiers,
        top_tier=top_tier,
        cpus=float(sum(node.cpus for node in scenario.nodes)),
        mms=[
            _scanned(name, vmas[mm], scan_scale(scenario, process))
            for mm, (process, name) in enumerate(processes)
        ],
        shares=asked,
        vmas=vmas,
        home=np.array([scenario.home_nid(process) for process, _ in processes], np.int64),
        nr_folios=nr_folios,
        threads=np.array([float(p.threads) for p, _ in processes]),
        outstanding=np.array([p.threads * p.mlp for p, _ in processes]),
        fixed_ns=np.array([p.think_ns for p, _ in processes]) + walk_ns,
        walk_ns=walk_ns,
        write_share=np.array([p.write_pct / 100 for p, _ in processes]),
        work=np.array([_work(p, workloads[mm]) for mm, (p, _) in enumerate(processes)]),
        assumptions=tuple(dict.fromkeys(a for w in workloads for a in w.assumptions)),
    )


def _draft(scenario: Scenario, seed: int) -> Draft:
    """One process after the other, so that only one has classes of its own at a time."""
    recorded = recordings(scenario)
    needed = footprint(scenario, recorded)
    check_host_memory(scenario.origin, needed)
    draft = Draft(np.zeros(needed.nr_granules * GRANULE, np.uint32), [], [], [], [])
    granule = 0
    entries = [at for at, process in enumerate(scenario.processes) for _ in range(process.count)]
    for mm, at in enumerate(entries):
        workload = recorded.get(at) or process_workload(scenario, at, int(stream_key(seed, mm, 1)))
        without = tuple(replace(one, classes=_GIVEN_AWAY) for one in workload.regions)
        for piece in _pieces(scenario, mm, at, without):
            classes = workload.regions[piece.at].classes
            key = int(stream_key(seed, mm, 3, len(draft.pieces)))
            write_classes(draft.folio, piece, classes, granule, key)
            draft.pieces.append(piece)
            granule += piece.nr_granules
        draft.nr_folios += map(_row_folios, workload.regions)
        draft.workloads.append(replace(workload, regions=without))
    return draft


def _scanned(name: str, vmas: list[Vma], scale: int | None) -> ScannedMm:
    walked = [(v.first, v.end, v.size_mib) for v in vmas if v.scanned]
    grounds = [(v.present, v.shared) for v in vmas if v.scanned]
    return ScannedMm(name, tuple(walked), scale, tuple(grounds))


def _work(process: Process, workload: Workload) -> float:
    if process.work_accesses:
        return float(process.work_accesses)
    if process.recording is not None and process.repeat:
        return float(np.cumsum(workload.phase_accesses)[-1]) * process.repeat
    return float(np.inf)


def _pieces(scenario: Scenario, mm: int, entry: int, regions: Iterable[Region]) -> Iterator[Piece]:
    """The VMAs to be of process mm, which comes from that entry of the scenario."""
    process, key = scenario.processes[entry], f"processes.{entry}"
    for at, region in enumerate(regions):
        vma = process.vmas[at] if process.vmas else None
        nids = scenario.allowed_nids(process, vma.node if vma else process.node)
        order = vma.order if vma else 0
        source = f"{key}.vmas.{at}.size_mib" if vma else f"{key}.recording"
        step = step_of(region.nr_folios, vma.split_mib if vma else 0.0, order)
        for start in range(0, region.nr_folios, step):
            yield Piece(
                mm, at, source, region, start, min(start + step, region.nr_folios), order, nids,
                scanned=vma is None or vma.kind == "anon",
                pinned=vma.pinned_pct / 100 if vma else 0.0,
                shared=vma.shared_pct / 100 if vma else 0.0,
                present=present_ptes(vma.populated_pct if vma else 100.0),
            )  # fmt: skip


def _row_folios(region: Region) -> NDArray[np.int64]:
    """i64[rows] folios of each row of a region when everything is populated."""
    counts = np.zeros(region.share.shape[1], np.int64)
    for first in range(0, region.nr_folios, GRANULE):  # bincount works on eight bytes a folio
        some = np.bincount(region.classes[first : first + GRANULE])
        row = first // GRANULE * region.row_stride
        counts[row : row + some.size] += some
    return counts


def _nodes(scenario: Scenario) -> Nodes:
    nodes, machine = scenario.nodes, scenario.machine
    curves_a = [machine.curve_a if n.curve_a is None else n.curve_a for n in nodes]
    curves_b = [machine.curve_b if n.curve_b is None else n.curve_b for n in nodes]
    return Nodes(
        np.array([n.latency_ns for n in nodes]),
        np.array(curves_a),
        np.array(curves_b, np.int64),
        np.array([n.read_gb_s for n in nodes]),
        np.array([n.write_gb_s for n in nodes]),
    )


def _walks(
    scenario: Scenario, rates: Rates, nr_folios: NDArray[np.int64], pages: NDArray[np.int64]
) -> NDArray[np.float64]:
    """f64[P] page-walk cost of each process, from its mean shares over all phases."""
    machine = scenario.machine
    walks = np.zeros(rates.share_at.size)
    for mm in range(walks.size):
        at, nr = int(rates.share_at[mm]), int(rates.nr_rows[mm])
        row, phases = int(rates.row_at[mm]), int(rates.nr_phases[mm])
        mean = rates.lap_touches[row : row + nr]
        if phases == 1 or not np.isfinite(rates.lap[mm]):  # the last phase, which never ends
            mean = rates.share[at + nr * (phases - 1) : at + nr * phases]
        walks[mm] = page_walk_ns(
            nr_folios[row : row + nr], mean, pages[row : row + nr], machine.tlb_entries,
            machine.tlb_coalesce_order, machine.pt_cache_mib * 2**20, machine.walk_cached_ns,
            machine.walk_memory_ns,
        )  # fmt: skip
    return walks


def total_mib(world: World) -> float:
    """Memory of all processes in MiB, when all of it is populated."""
    return float((world.nr_folios * world.memory.pages).sum()) * FOLIO_BYTES / 2**20
