"""Where VMAs lie in the folio array: classes, owners and random keys; nothing is populated yet.

The class of every folio takes a fifth of the memory of a run while it is made, so classes are
written process by process; what is known of granules comes when all processes are.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, PINNED, SHARED, Memory, nr_granules
from tiering.engine.random import stream_key
from tiering.engine.sweep import Sweeps, sweep_table
from tiering.simulation.scenario import FOLIOS_PER_MIB
from tiering.sources.pte_walk import TABLE
from tiering.workloads.pattern import Region
from tiering.workloads.scatter import scattered_ranks


@dataclass(frozen=True, slots=True)
class Vma:
    """A VMA of a process: granules [first, end) of the array.

    name: of its region. key: of the scenario, which says its size. nodes: nids where it may lie, in
    the order in which they are tried. order: of its folios. folios: i64[nr_phases] that are there
    from each phase on. scanned: whether it has PTEs. present: of those of a page table, how many
    are populated. shared: whether another mm maps folios of it.
    """

    mm: int
    name: str
    key: str
    first: int
    end: int
    order: int
    nodes: tuple[int, ...]
    folios: NDArray[np.int64]
    scanned: bool
    present: int
    shared: bool

    @property
    def size_mib(self) -> float:
        """Of address space, when all folios are there."""
        return float(self.folios.max() << self.order) * TABLE / self.present / FOLIOS_PER_MIB

    def nr_folios(self, phase: int) -> int:
        """Folios that are there in a phase."""
        return int(self.folios[min(phase, self.folios.size - 1)])


@dataclass(slots=True)
class Piece:
    """A VMA to be: folios [start, stop) of region `at` of process mm. key: see Vma.

    row_at and sweep are known once all pieces are: first row of the region, row in the table of
    sweeps or -1.
    """

    mm: int
    at: int
    key: str
    region: Region
    start: int
    stop: int
    order: int
    nodes: tuple[int, ...]
    scanned: bool
    pinned: float
    shared: float
    present: int
    row_at: int = 0
    sweep: int = -1

    @property
    def nr_granules(self) -> int:
        """Granules that it takes."""
        return nr_granules(self.stop - self.start, self.order)


def step_of(nr_folios: int, split_mib: float, order: int) -> int:
    """Folios of each VMA into which one of that many folios is split, but for the last one."""
    return max(1, round(split_mib * FOLIOS_PER_MIB) >> order) if split_mib else nr_folios


def lay_out(memory: Memory, pieces: list[Piece], seed: int) -> list[Vma]:
    """Write owners, rows and keys of all pieces, one after another; returns the VMAs."""
    vmas = []
    granule = 0
    numbers: dict[int, count[int]] = {}
    for piece in pieces:
        last = granule + piece.nr_granules
        stride = piece.region.row_stride
        per_granule = GRANULE >> piece.order
        width = piece.region.share.shape[1]
        number = numbers.setdefault(piece.mm, count())
        for g in range(granule, last):
            in_region = piece.start // per_granule + g - granule
            local = piece.row_at + in_region * stride
            memory.mm[g] = piece.mm
            memory.row0[g] = local
            memory.rows[g] = min(stride or width, piece.row_at + width - local)
            memory.sweep[g] = piece.sweep
            memory.unmapped[g] = not piece.scanned
            memory.key[g] = stream_key(seed, piece.mm, 2, next(number))
        memory.pages[piece.row_at : piece.row_at + width] = 1 << piece.order
        vmas.append(_vma(piece, granule, last))
        granule = last
    return vmas


def _vma(piece: Piece, first: int, end: int) -> Vma:
    nr = piece.stop - piece.start
    folios = np.array([nr], np.int64)
    if piece.region.populated.size:
        folios = np.clip(piece.region.populated - piece.start, 0, nr)
    return Vma(
        piece.mm,
        piece.region.name,
        piece.key,
        first,
        end,
        piece.order,
        piece.nodes,
        folios,
        piece.scanned,
        piece.present,
        piece.shared > 0,
    )


def present_ptes(populated_pct: float) -> int:
    """PTEs of a page table that are populated, one at least."""
    return max(1, round(TABLE * populated_pct / 100))


def write_classes(
    folio: NDArray[np.uint32], piece: Piece, classes: NDArray[np.uint8], granule: int, seed: int
) -> None:
    """Write class and flags of the folios of a piece, which begins at `granule`.

    classes: of the whole region.
    """
    nr = piece.stop - piece.start
    per_granule = GRANULE >> piece.order
    own = classes[piece.start : piece.stop]
    for first in range(0, nr, per_granule):
        some = own[first : first + per_granule]
        slot = (granule + first // per_granule) * GRANULE
        folio[slot : slot + some.size] = some
    for flag, part in ((PINNED, piece.pinned), (SHARED, piece.shared)):
        if part > 0:
            for first, rank in scattered_ranks(nr, seed + flag):
                chosen = first + np.flatnonzero(rank < round(part * nr))
                slots = (granule + chosen // per_granule) * GRANULE + chosen % per_granule
                folio[slots] |= np.uint32(flag)


def swept(pieces: list[Piece]) -> tuple[Sweeps, list[int]]:
    """The table of swept regions, and for each piece its row in it, -1 if it is not swept.

    A region that is split into several VMAs is swept as one; each of them knows where it begins.
    """
    of_piece: list[int] = []
    rows: list[tuple[int, int, int, int, int, int, float]] = []
    first_pages: list[int] = []
    granule = 0
    for piece in pieces:
        region = piece.region
        of_piece.append(-1 if region.sweep is None else len(rows))
        if region.sweep is not None:
            stride, burst = region.sweep
            pages = region.nr_folios << piece.order
            part = float(region.share[0, 0]) * region.nr_folios
            rows.append(
                (granule, GRANULE >> piece.order, 1 << piece.order, pages, stride, burst, part)
            )
            first_pages.append(piece.start << piece.order)
        granule += piece.nr_granules
    return sweep_table(rows, first_pages), of_piece
