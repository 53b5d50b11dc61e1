"""Slow, obvious twins of the replacement policies: Python lists, searched from end to end.

Each takes a trace of page ids and a number of frames and returns (hits, promotions).
"""

from collections.abc import Sequence

Trace = Sequence[int]


def lru(trace: Trace, frames: int) -> tuple[int, int]:
    """The list is in order of last touch, the latest last."""
    resident: list[int] = []
    hits = 0
    for page in trace:
        if page in resident:
            hits += 1
            resident.remove(page)
        resident = [*resident, page][-frames:]
    return hits, len(trace) - hits


def lru_second_sight(trace: Trace, frames: int) -> tuple[int, int]:
    """A second list of the same length holds what was seen last; only what is in it may rise."""
    resident: list[int] = []
    seen: list[int] = []
    hits = promotions = 0
    for page in trace:
        if page in resident:
            hits += 1
            resident.remove(page)
            resident.append(page)
        elif page in seen:
            promotions += 1
            resident = [*resident, page][-frames:]
        if page in seen:
            seen.remove(page)
        seen = [*seen, page][-frames:]
    return hits, promotions


def fifo(trace: Trace, frames: int) -> tuple[int, int]:
    """The list is in order of arrival."""
    resident: list[int] = []
    hits = 0
    for page in trace:
        if page in resident:
            hits += 1
        else:
            resident = [*resident, page][-frames:]
    return hits, len(trace) - hits


def clock(trace: Trace, frames: int) -> tuple[int, int]:
    """FIFO, but a page touched since it was last at the head goes to the tail instead."""
    resident: list[int] = []
    touched: set[int] = set()
    hits = 0
    for page in trace:
        if page in resident:
            hits += 1
            touched.add(page)
            continue
        while len(resident) == frames:
            head = resident.pop(0)
            if head in touched:
                touched.remove(head)
                resident.append(head)
        resident.append(page)
    return hits, len(trace) - hits


POLICIES = {"lru": lru, "lru_second_sight": lru_second_sight, "fifo": fifo, "clock": clock}
