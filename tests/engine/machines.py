"""Small machines made by hand for tests of the engine."""

from typing import NamedTuple

import numpy as np

from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, Memory, empty_memory, fill, nr_granules
from tiering.engine.random import stream_key
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import Rates

NO_SWEEPS = sweep_table([])


def pace(speed: float = 0.0, nr_mms: int = 1) -> Pace:
    """All processes at work time 0 at time 0, with endless work."""
    at, endless = np.zeros(2, np.int64), np.full(nr_mms, np.inf)
    return Pace(at, np.zeros(nr_mms), np.full(nr_mms, speed), endless)


def flat_rates(share: float, nr_mms: int = 1) -> Rates:
    """Every mm has one row whose folios get `share` touches per access, for ever."""
    ones = np.ones(nr_mms, np.int64)
    at = np.arange(nr_mms, dtype=np.int64)
    return Rates(
        np.full(nr_mms, share), np.zeros(nr_mms), np.zeros(nr_mms), at, at, ones, at, ones,
        np.zeros(nr_mms), np.full(nr_mms, np.inf), NO_SWEEPS,
    )  # fmt: skip


def phased_rates(share: list[float], accesses: list[float]) -> Rates:
    """One mm, one row, phases of work time that repeat."""
    return rates_of_rows([[one] for one in share], accesses)


def rates_of_rows(share: list[list[float]], accesses: list[float]) -> Rates:
    """One mm: touches of a folio per access by phase and row, and the accesses of each phase.

    Phases repeat unless the last is infinite.
    """
    shares, length = np.array(share), np.array(accesses)
    touches = shares * np.where(np.isfinite(length), length, 0.0)[:, None]
    phases, rows = shares.shape
    return Rates(
        shares.ravel(), (np.cumsum(touches, axis=0) - touches).ravel(), touches.sum(axis=0),
        np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([rows], np.int64),
        np.zeros(1, np.int64), np.array([phases], np.int64),
        np.cumsum([0.0, *accesses])[:-1], np.array([sum(accesses)]), NO_SWEEPS,
    )  # fmt: skip


def flat_memory(
    nr_folios: int, nid: int = 1, seed: int = 1, room: int = 1 << 30, sampled: bool = False
) -> Memory:
    """One VMA of one mm and one row, all on node `nid` (0 = top tier, 1 = slow)."""
    memory = empty_memory(
        nr_granules(nr_folios), 1, np.array([room, room], np.int64), sampled=sampled
    )
    memory.rows[:] = 1
    for granule in range(memory.nr.size):
        memory.key[granule] = stream_key(seed, 0, granule)
    fill(memory, 0, GRANULE, 0, nr_folios, nid, int(nid > 0))
    return memory


class Layout(NamedTuple):
    """A VMA by hand: folios, their order, node on which they are populated, and owner."""

    nr_folios: int
    order: int = 0
    nid: int = 1
    mm: int = 0


def laid_out(
    vmas: list[Layout], capacity: list[int], slow: list[int] | None = None, stamps: bool = False,
    sampled: bool = False,
) -> Memory:  # fmt: skip
    """VMAs one after another, a row each; capacity in pages, slow: 1 for nodes not top tier."""
    granules = sum(nr_granules(vma.nr_folios, vma.order) for vma in vmas)
    memory = empty_memory(granules, len(vmas), np.array(capacity, np.int64), stamps, sampled)
    first = 0
    for row, vma in enumerate(vmas):
        end = first + nr_granules(vma.nr_folios, vma.order)
        memory.mm[first:end], memory.row0[first:end] = vma.mm, row
        memory.rows[first:end] = 1
        memory.pages[row] = 1 << vma.order
        for granule in range(first, end):
            memory.key[granule] = stream_key(1, vma.mm, granule)
        below = slow[vma.nid] if slow else int(vma.nid > 0)
        fill(memory, first, GRANULE >> vma.order, 0, vma.nr_folios, vma.nid, below)
        first = end
    return memory


def row_rates(shares: list[float], mms: list[int] | None = None) -> Rates:
    """Row r gets shares[r] touches an access of its mm, for ever; rows of an mm are neighbours."""
    owner = mms or [0] * len(shares)
    nr_mms = max(owner) + 1
    nr_rows = np.array([owner.count(mm) for mm in range(nr_mms)], np.int64)
    at = np.cumsum(nr_rows) - nr_rows
    rows, ones = len(shares), np.ones(nr_mms, np.int64)
    return Rates(
        np.array(shares), np.zeros(rows), np.zeros(rows), at, at, nr_rows,
        np.arange(nr_mms, dtype=np.int64), ones, np.zeros(nr_mms), np.full(nr_mms, np.inf),
        NO_SWEEPS,
    )  # fmt: skip
