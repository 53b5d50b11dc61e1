"""Lists of candidates: one for all mms, or one for each (docs/model.md#migration).

kscand V2 and V3 keep a list per mm, and their thread drains one mm's list a round. As posted it
stays with the first mm that ever had a list until that exits ("first_mm"); "round_robin" drains
what one mm has by then, sleeps, and goes on with the mm whose list is the oldest.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiering.engine.chunks import (
    END,
    FIRST,
    GRANULE_OF,
    LEFT,
    STAMP,
    WAITING,
    Chunks,
    chunks,
    push,
    room_needed,
    with_room,
    without,
)
from tiering.engine.folios import GRANULE
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports

NOBODY = -1

_room_needed = Direct(room_needed)
_push = Direct(push)


class Lists:
    """chunks: the list that is being drained, of mm `current` if every mm has one. The others wait
    in the order in which they came to be."""

    def __init__(self, mode: str, owner: NDArray[np.int32]) -> None:
        """mode: knob `lists`. owner: mm of each granule."""
        self._mode, self._owner = mode, owner
        self.chunks = chunks(64, 4096)
        self.current = NOBODY
        self._others: dict[int, Chunks] = {}
        self._waiting = 0

    def __len__(self) -> int:
        return int(self.chunks.at[WAITING]) + self._waiting

    @property
    def turns(self) -> bool:
        """True if another list is drained after this one."""
        return self._mode == "round_robin" and len(self._others) > 0

    def turn(self) -> None:
        """Go on with the next list if this one is empty and nobody stays with it."""
        if self.turns and self.chunks.at[WAITING] == 0:
            self._next()

    def oldest_ns(self) -> int:
        """Time of arrival of the candidate that waits longest; 0 if none waits."""
        first = [
            int(one.head[one.at[FIRST], STAMP])
            for one in (self.chunks, *self._others.values())
            if one.at[FIRST] < one.at[END]
        ]
        return min(first, default=0)

    def add(self, found: Reports, nr: int) -> None:
        """Append the first `nr` folios of these reports."""
        if nr == 0:
            return
        if self._mode == "one":
            self.chunks = _appended(self.chunks, found, nr)
            return
        for mm, part in self._by_mm(found.first(nr, found.ends.size)):
            if self._mode == "first_mm" and self.current in (mm, NOBODY):
                self.current = mm
                self.chunks = _appended(self.chunks, part, part.folios.size)
            else:
                one = self._others.get(mm) or chunks(4, 512)
                self._others[mm] = _appended(one, part, part.folios.size)
                self._waiting += part.folios.size

    def forget(self, mm: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Take out what an mm has, which exits; (candidates left, ns of arrival) by chunk."""
        at = self.chunks.at
        head = self.chunks.head[at[FIRST] : at[END]]
        gone = self._owner[head[:, GRANULE_OF]] == mm
        if gone.any():
            yield head[gone, LEFT], head[gone, STAMP]
            without(self.chunks, gone)
        other = self._others.pop(mm, None)
        if other is not None:
            head = other.head[other.at[FIRST] : other.at[END]]
            yield head[:, LEFT], head[:, STAMP]
            self._waiting -= int(other.at[WAITING])
        if self.current == mm:
            self.current = NOBODY
            if self._mode == "first_mm" and self._others:
                self._next()

    def _next(self) -> None:
        self.current = next(iter(self._others))
        self.chunks = self._others.pop(self.current)
        self._waiting -= int(self.chunks.at[WAITING])

    def _by_mm(self, found: Reports) -> Iterator[tuple[int, Reports]]:
        """The reports of each mm in turn, as runs of one mm follow one another."""
        starts = np.concatenate([[0], found.ends[:-1]])
        kept = starts < found.folios.size
        starts, ends = starts[kept], np.minimum(found.ends[kept], found.folios.size)
        mms = self._owner[found.folios[starts] // GRANULE]
        borders = np.flatnonzero(np.diff(mms)) + 1
        for runs in np.split(np.arange(starts.size), borders):
            first, end = int(starts[runs[0]]), int(ends[runs[-1]])
            stamps = found.stamps[runs[0] : runs[-1] + 1]
            yield int(mms[runs[0]]), Reports(found.folios[first:end], ends[runs] - first, stamps)


def _appended(queue: Chunks, found: Reports, nr: int) -> Chunks:
    queue = with_room(queue, *_room_needed(found, nr))
    _push(queue, found, nr)
    return queue
