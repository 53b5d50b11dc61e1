"""Small machines made by hand for tests of the engine."""

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


def flat_memory(nr_folios: int, nid: int = 1, seed: int = 1, room: int = 1 << 30) -> Memory:
    """One VMA of one mm and one row, all on node `nid` (0 = top tier, 1 = slow)."""
    memory = empty_memory(nr_granules(nr_folios), 1, np.array([room, room], np.int64))
    memory.rows[:] = 1
    for granule in range(memory.nr.size):
        memory.key[granule] = stream_key(seed, 0, granule)
    fill(memory, 0, GRANULE, 0, nr_folios, nid, int(nid > 0))
    return memory
