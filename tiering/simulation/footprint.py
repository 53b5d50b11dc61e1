"""Host memory of a run, estimated from its scenario before anything is built.

The folio array and its granules are counted exactly; objects of Python are allowed for with what
was measured (tests/simulation/test_footprint.py), a little above it. Memory of one process at a
time is needed to work out the classes of its folios. What a recording holds is known once it is
read.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tiering.engine.folios import GRANULE, nr_granules
from tiering.hotness.table import HOTNESS
from tiering.simulation.damon_join import kdamond_sides
from tiering.simulation.describe import nr_pages, process_workload
from tiering.simulation.layout import step_of
from tiering.simulation.loops import loops_compiled
from tiering.simulation.scenario import Process, Scenario, Vma
from tiering.workloads.coarsen import NR_CLASSES
from tiering.workloads.pattern import Workload

PROGRAM_BYTES = 215 * 2**20  # the interpreter, its packages and all loops
COMPILER_BYTES = 320 * 2**20  # more where loops are not compiled yet
FOLIO_BYTES = 4
STAMP_BYTES = 2
AGE_BYTES = 1  # of pro-active demotion
MARK_BYTES = 4  # the scan time of NUMA balancing
COUNTER_BYTES = 4  # of a hotness unit that is always on, for each slow node
QUEUE_BYTES = 0.375  # an eighth, twice as much where it grows, beside the old one
GRANULE_BYTES = 108
TESTED_BYTES = 4  # when a read of page cache asked last
TESTED_GRANULE_BYTES = 16
MARKED_GRANULE_BYTES = 32  # and what is known of its marks
SAMPLED_GRANULE_BYTES = 652  # folios with a look of their own
KDAMOND_GRANULE_BYTES = 8
ROW_BYTES = 64
ROW_NODE_BYTES = 8
ROW_PHASE_BYTES = 48
PIECE_BYTES = 700
VMA_BYTES = 1000
PROCESS_BYTES = 3000
CLASS_BYTES = 1
COARSE_BYTES = 64  # a folio that is made of pages of different rates
COARSE_PHASE_BYTES = 26
MODEL_PAGES = 2**16
"""Patterns have as many rows and phases in a VMA of that size as in a larger one, or nearly."""


class Share(NamedTuple):
    """What one value of the scenario asks for. key: `path = value`."""

    key: str
    nr_bytes: float


class Footprint(NamedTuple):
    """nr_granules: of the folio array. largest: of all shares in nr_bytes."""

    nr_granules: int
    nr_folios: int
    nr_bytes: int
    largest: Share


class _Extent(NamedTuple):
    """Folios of a VMA in its order, pieces into which it is split, granules of all of them."""

    nr_folios: int
    nr_pieces: int
    nr_granules: int


def footprint(scenario: Scenario, recorded: Mapping[int, Workload]) -> Footprint:
    """The estimate; recorded: the workloads of entries that replay a recording, by their place.

    Raises ScenarioError for patterns whose knobs do not go together.
    """
    granules = folios = 0
    shares: list[Share] = []
    read = sum(one.share.nbytes + one.nr_folios for w in recorded.values() for one in w.regions)
    while_building = 0.0
    for at, process in enumerate(scenario.processes):
        workload = recorded.get(at) or process_workload(scenario, at, 0, MODEL_PAGES)
        extents = _extents(process, workload)
        granules += process.count * sum(one.nr_granules for one in extents)
        folios += process.count * sum(one.nr_folios for one in extents)
        shares += _shares(scenario, at, workload, extents)
        classes = sum(one.nr_folios for one in extents) * CLASS_BYTES
        while_building = max(while_building, classes + _coarse_bytes(process, workload))
    total = sum(share.nr_bytes for share in shares) + while_building + read + PROGRAM_BYTES
    if not loops_compiled():
        total += COMPILER_BYTES
    largest = max(shares, key=lambda share: share.nr_bytes)
    return Footprint(granules, folios, round(total), largest)


def _extents(process: Process, workload: Workload) -> list[_Extent]:
    if process.recording is not None:
        regions = workload.regions
        return [_Extent(one.nr_folios, 1, nr_granules(one.nr_folios)) for one in regions]
    return [_extent(vma, vma.split_mib) for vma in process.vmas]


def _extent(vma: Vma, split_mib: float) -> _Extent:
    nr_folios = -(-nr_pages(vma) // (1 << vma.order))
    step = step_of(nr_folios, split_mib, vma.order)
    whole, rest = divmod(nr_folios, step)
    granules = whole * nr_granules(step, vma.order) + nr_granules(rest, vma.order)
    return _Extent(nr_folios, whole + (rest > 0), granules)


def _shares(
    scenario: Scenario, at: int, workload: Workload, extents: list[_Extent]
) -> Iterator[Share]:
    """Of one entry, all its processes together."""
    process, key = scenario.processes[at], f"processes.{at}"
    times = f" times {key}.count = {process.count}" if process.count > 1 else ""
    slot = FOLIO_BYTES + QUEUE_BYTES + STAMP_BYTES * scenario.demotes
    slot += AGE_BYTES * ("coldest_first" in scenario.joined.demotion)
    hotness = scenario.joined.hotness
    slot += HOTNESS[hotness].record_bytes if hotness else 0
    granule = GRANULE * slot + GRANULE_BYTES
    if "hint_fault" in scenario.joined.sources:
        granule += GRANULE * MARK_BYTES + MARKED_GRANULE_BYTES
    if "page_cache_access" in scenario.joined.sources:
        granule += GRANULE * TESTED_BYTES + TESTED_GRANULE_BYTES
    if "chmu" in scenario.joined.sources and scenario.chmu.epoch_type == "always_on":
        top = min(node.tier for node in scenario.nodes)
        granule += GRANULE * COUNTER_BYTES * sum(node.tier > top for node in scenario.nodes)
    if sides := kdamond_sides(scenario):
        granule += SAMPLED_GRANULE_BYTES + KDAMOND_GRANULE_BYTES * len(sides)
    row = ROW_BYTES + ROW_NODE_BYTES * len(scenario.nodes)
    row += ROW_PHASE_BYTES * max(workload.phase_accesses.size, 1)
    wholes = extents
    if process.recording is None:
        wholes = [_extent(vma, 0.0) for vma in process.vmas]
    for nr, (one, whole) in enumerate(zip(extents, wholes, strict=True)):
        width = workload.regions[nr].share.shape[1]
        place = f"{key}.recording = {process.recording!r}"
        if process.recording is None:
            vma = process.vmas[nr]
            width = NR_CLASSES if vma.order else width
            place = f"{key}.vmas.{nr}.size_mib = {vma.size_mib:g}"
            cut = (one.nr_granules - whole.nr_granules) * granule
            cut += (one.nr_pieces - 1) * PIECE_BYTES
            yield Share(
                f"{key}.vmas.{nr}.split_mib = {vma.split_mib:g}{times}", cut * process.count
            )
        size = whole.nr_granules * granule + width * row + VMA_BYTES + PIECE_BYTES
        yield Share(place + times, size * process.count)
    yield Share(f"{key}.count = {process.count}", PROCESS_BYTES * process.count)


def _coarse_bytes(process: Process, workload: Workload) -> float:
    """Most that a VMA of large folios takes while their rates are worked out."""
    most = 0.0
    for vma in process.vmas:
        if vma.order:
            phases = max(workload.phase_accesses.size, 1)
            folio = COARSE_BYTES + COARSE_PHASE_BYTES * phases
            pages = nr_pages(vma)
            most = max(most, pages * CLASS_BYTES + (pages >> vma.order) * folio)
    return most
