"""Whoever was reported often enough, and not too long ago (docs/model.md#promotion).

    heat >= freq_threshold   and   latency <= freq_window_ms, where somebody knows it

heat is the number of reports as the hotness memory counts them, latency the time since the last one
before (or the source's own). So with the plain number as heat and a threshold of two, the rule is
two reports within the window. How much rises in a second is for `migration` to limit.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import Direct, loop
from tiering.engine.reports import UNCOUNTED, Reports, end_run, reports
from tiering.model.knobs import Knob


class FreqThreshold(NamedTuple):
    """Knobs of the rule by frequency."""

    freq_threshold: Annotated[
        int,
        Knob("reports", 1, 1_000_000, "Least heat of a folio that may rise.",
             "as pghot's; HeMem: 8", live=True),
    ] = 2  # fmt: skip
    freq_window_ms: Annotated[
        int,
        Knob("ms", 0, 3_600_000, "Longest time since the report before; 0 = any.",
             "as pghot's window", live=True),
    ] = 3000  # fmt: skip


@loop
def often(hot, latency, heat, least, window_ms, out):  # type: ignore[no-untyped-def]
    """Copy those that pass to out; returns (folios, runs)."""
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    for run in range(hot.ends.size):
        before = n
        for i in range(first, hot.ends[run]):
            late = window_ms > 0 and latency.size > 0 and latency[i] > window_ms
            if heat[i] >= least and not late:
                out.folios[n] = hot.folios[i]
                n += 1
        first = hot.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, hot.stamps[run])
    return n, nr_runs


_often = Direct(often)


class FrequencyGate:
    """The rule; a Promotion. refused: hot folios that did not pass."""

    def __init__(self, knobs: FreqThreshold) -> None:
        self.knobs = knobs
        self.refused = 0

    @property
    def counters(self) -> dict[str, int]:
        """See Promotion."""
        return {"promote_refused": self.refused}

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],
        now: int,  # noqa: ARG002 - latency says it
        heat: NDArray[np.int64] = UNCOUNTED,
    ) -> Reports:
        """See Promotion; heat has to be known."""
        out = reports(hot.folios.size, hot.ends.size)
        n, runs = _often(
            hot, latency_ms, heat, self.knobs.freq_threshold, self.knobs.freq_window_ms, out
        )
        self.refused += hot.folios.size - int(n)
        return out.first(int(n), int(runs))

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
