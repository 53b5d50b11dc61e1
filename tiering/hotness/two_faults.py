"""The second report makes hot: NUMA balancing's two-stage filter (docs/model.md#hotness).

A page remembers who faulted on it last. A slow page of which nobody is known stays where it is;
it goes to the node of the next fault if that of the last was the same. The CPUs of a process are
those of its home node, so here the second fault always comes from the node of the first, and what
remains of the filter is one bit a folio. Mirrors should_numa_migrate_memory without memory tiering.
"""

from typing import Any, ClassVar

import numpy as np

from tiering.engine.folios import REMEMBERED, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports, end_run
from tiering.hotness.at_once import Room
from tiering.hotness.hotness import Hot


@loop
def pass_known(memory, found, out, latency):  # type: ignore[no-untyped-def]
    """Copy reports of folios that were reported before to out, and remember all: (folios, runs)."""
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    for run in range(found.ends.size):
        before = n
        for i in range(first, found.ends[run]):
            index = found.folios[i]
            if memory.folio[index] & np.uint32(REMEMBERED) != 0:
                out.folios[n] = index
                if found.latency_ms.size > 0:
                    latency[n] = found.latency_ms[i]
                n += 1
            memory.folio[index] |= np.uint32(REMEMBERED)
        first = found.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, found.stamps[run])
    return n, nr_runs


_pass_known = Direct(pass_known)


class TwoFaults:
    """A Hotness; what it remembers is a flag of the folio, which goes when that is freed."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - at once
        """See Hotness."""
        room = Room(reports)
        n, runs = _pass_known(self._memory, reports, room.folios, room.latency_ms)
        return room.first(int(n), int(runs), reports.latency_ms.size > 0, False)

    def forget(self, mm: int) -> None:
        """The flags are gone with the folios."""

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
