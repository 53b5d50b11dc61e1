"""Where VMAs lie in the folio array: classes, owners and random keys; nothing is populated yet."""

from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, PINNED, SHARED, Memory, nr_granules
from tiering.engine.random import stream_key
from tiering.engine.sweep import Sweeps, sweep_table
from tiering.simulation.scenario import FOLIOS_PER_MIB
from tiering.workloads.pattern import Region
from tiering.workloads.scatter import scattered_ranks


@dataclass(frozen=True)
class Vma:
    """A VMA of a process: granules [first, end) of the array.

    name: of its region. nodes: nids where it may lie, in the order in which they are tried. order:
    of its folios. folios: i64[nr_phases] that are there from each phase on. scanned: whether it has
    PTEs.
    """

    mm: int
    name: str
    first: int
    end: int
    order: int
    nodes: tuple[int, ...]
    folios: NDArray[np.int64]
    scanned: bool

    @property
    def size_mib(self) -> float:
        """When all of it is populated."""
        return float(self.folios.max() << self.order) / FOLIOS_PER_MIB


@dataclass
class Piece:
    """A VMA to be: folios [start, stop) of region `at` of process mm.

    row_at and sweep are known once all pieces are: first row of the region, row in the table of
    sweeps or -1.
    """

    mm: int
    at: int
    region: Region
    start: int
    stop: int
    order: int
    nodes: tuple[int, ...]
    scanned: bool
    pinned: float
    shared: float
    row_at: int = 0
    sweep: int = -1


def lay_out(memory: Memory, pieces: list[Piece], seed: int) -> list[Vma]:
    """Write classes, owners and keys of all pieces, one after another; returns the VMAs."""
    vmas = []
    granule = 0
    numbers: dict[int, count[int]] = {}
    for at, piece in enumerate(pieces):
        last = granule + nr_granules(piece.stop - piece.start, piece.order)
        _write_classes(memory, piece, granule, int(stream_key(seed, piece.mm, 3, at)))
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
        piece.mm, piece.region.name, first, end, piece.order, piece.nodes, folios, piece.scanned
    )


def _write_classes(memory: Memory, piece: Piece, granule: int, seed: int) -> None:
    per_granule = GRANULE >> piece.order
    nr = piece.stop - piece.start
    words = piece.region.classes[piece.start : piece.stop].astype(np.uint32)
    for flag, part in ((PINNED, piece.pinned), (SHARED, piece.shared)):
        if part > 0:
            for first, rank in scattered_ranks(nr, seed + flag):
                words[first : first + rank.size][rank < round(part * nr)] |= np.uint32(flag)
    if piece.order == 0:
        memory.folio[granule * GRANULE : granule * GRANULE + nr] = words
        return
    for first in range(0, nr, per_granule):
        start = (granule + first // per_granule) * GRANULE
        some = words[first : first + per_granule]
        memory.folio[start : start + some.size] = some


def swept(pieces: list[Piece]) -> tuple[Sweeps, list[int]]:
    """The table of swept regions, and for each piece its row in it, -1 if it is not swept.

    A region that is split into several VMAs is swept piece by piece in its order.
    """
    of_piece: list[int] = []
    rows: list[tuple[int, int, int, int, int, int, float]] = []
    known: dict[tuple[int, int], int] = {}
    granule = 0
    for piece in pieces:
        region, key = piece.region, (piece.mm, piece.at)
        if region.sweep is not None and key not in known:
            known[key] = len(rows)
            stride, burst = region.sweep
            pages = region.nr_folios << piece.order
            part = float(region.share[0, 0]) * region.nr_folios
            rows.append(
                (granule, GRANULE >> piece.order, 1 << piece.order, pages, stride, burst, part)
            )
        of_piece.append(known.get(key, -1))
        granule += nr_granules(piece.stop - piece.start, piece.order)
    return sweep_table(rows), of_piece
