"""The gate of NUMA balancing mode 2: a threshold that adapts, and a rate (docs/model.md#promotion).

A hot folio passes at once while the target has room to spare. Otherwise

    latency < threshold,   then   candidates of this second < rate limit

and once in a window the threshold moves by a step of 2 H / 16, within one step and 2 H: down if
more than 1.1 times the candidates came that the rate limit allows in a window, up if fewer than
0.9 times. H is `hot_threshold_ms`. Mirrors numa_promotion_adjust_threshold,
numa_promotion_rate_limit and pgdat_free_space_enough of kernel/sched/fair.c, which pghot takes over
into kmigrated. Not modelled: zones.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import UNCOUNTED, Reports, end_run, reports
from tiering.engine.shares import class_of
from tiering.model.knobs import Knob

NS_PER_MS = 1_000_000
MS_PER_S = 1000
PAGES_PER_MIB = 256
STEPS = 16
SPARE_PART = 16
WITHOUT_RECORD_MS = 1000  # hot_threshold_ms of kernel/sched/debug.c
(THRESHOLD, WINDOW, WINDOW_FROM, SECOND, SECOND_FROM, CANDIDATES, AT_ONCE, TOO_OLD, LIMITED) = (
    range(9)
)
"""Fields of the state of a target node: threshold (ms, 0 = H); begin of the window and of the
second (ms) and candidates until then; pages of candidates and of those that passed for spare room;
folios refused by the threshold and by the rate."""
NR_STATE = 9


class HotThreshold(NamedTuple):
    """Knobs of the gate before promotion."""

    hot_threshold_ms: Annotated[
        int,
        Knob("ms", 0, 60_000, "H: the threshold at first; 0 = the window of the hotness record; "
             "without one, 1000.",
             "kernel/sched/debug.c: hot_threshold_ms = 1000; pghot: the window", live=True),
    ] = 0  # fmt: skip
    promote_rate_limit_mib_s: Annotated[
        int,
        Knob("MiB/s", 0, 1_048_576, "Candidates in a second, beyond which folios are refused.",
             "numa_balancing_promote_rate_limit_MBps, vm.pghot_promote_rate_limit_MBps",
             live=True),
    ] = 65_536  # fmt: skip
    threshold_window_ms: Annotated[
        int,
        Knob("ms", 100, 3_600_000, "Time after which the threshold may move by a step.",
             "scan_period_max_ms; 60 s in pghot", live=True),
    ] = 60_000  # fmt: skip
    spare_mib: Annotated[
        int,
        Knob("MiB", 0, 1_048_576, "Free above promo on the target, or a sixteenth of it if that is "
             "more: so much is room to spare.", "pgdat_free_space_enough: 1 GiB"),
    ] = 1024  # fmt: skip


class Rules(NamedTuple):
    """The knobs as the loop takes them; limit: pages a second. spare: i64[N] free pages above which
    a node has room to spare. targets: i64[P] node to which the folios of each mm go. at_once: what
    passes moves before the next is asked, and takes its room. own: i64[C] ms, the threshold of each
    class of processes, 0 = that of the machine."""

    reference_ms: int
    limit: int
    window_ms: int
    targets: NDArray[np.int64]
    spare: NDArray[np.int64]
    at_once: bool
    own: NDArray[np.int64]


@loop(allocates=True)
def admit(memory, state, rules, hot, latency, now_ms, out):  # type: ignore[no-untyped-def]
    """Copy those that pass to out; returns (folios, runs)."""
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    free = memory.free.copy()
    for run in range(hot.ends.size):
        before = n
        for i in range(first, hot.ends[run]):
            granule = np.int64(hot.folios[i]) // GRANULE
            pages, c = memory.pages[memory.row0[granule]], class_of(memory, granule)
            own = rules.own[c] if c >= 0 else np.int64(0)
            since = latency[i] if latency.size > 0 else np.int64(0)
            target = rules.targets[memory.mm[granule]]
            spare = free[target] > rules.spare[target]
            if _passes(spare, state[target], rules, pages, since, own, now_ms):
                out.folios[n] = hot.folios[i]
                n += 1
                free[target] -= pages if rules.at_once else 0
        first = hot.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, hot.stamps[run])
    return n, nr_runs


@loop
def _passes(spare, state, rules, pages, latency, own, now_ms):  # type: ignore[no-untyped-def]
    """own: threshold of the folio's class in ms, 0 = that of the machine."""
    if spare:
        state[THRESHOLD] = 0
        state[AT_ONCE] += pages
        return True
    if now_ms - state[WINDOW] > rules.window_ms:
        _adjust(state, rules, now_ms)
    threshold = state[THRESHOLD] if state[THRESHOLD] > 0 else rules.reference_ms
    if latency >= (own if own > 0 else threshold):
        state[TOO_OLD] += 1
        return False
    state[CANDIDATES] += pages
    if now_ms - state[SECOND] > MS_PER_S:
        state[SECOND] = now_ms
        state[SECOND_FROM] = state[CANDIDATES]
    if state[CANDIDATES] - state[SECOND_FROM] >= rules.limit:
        state[LIMITED] += 1
        return False
    return True


@loop
def _adjust(state, rules, now_ms):  # type: ignore[no-untyped-def]
    came = state[CANDIDATES] - state[WINDOW_FROM]
    allowed = rules.limit * rules.window_ms // MS_PER_S
    step = rules.reference_ms * 2 // STEPS
    threshold = state[THRESHOLD] if state[THRESHOLD] > 0 else rules.reference_ms
    if came > allowed * 11 // 10:
        threshold = max(threshold - step, step)
    elif came < allowed * 9 // 10:
        threshold = min(threshold + step, rules.reference_ms * 2)
    state[THRESHOLD] = threshold
    state[WINDOW] = now_ms
    state[WINDOW_FROM] = state[CANDIDATES]


_admit = Direct(admit)
_NONE: NDArray[np.int64] = np.zeros(0, np.int64)


class ThresholdGate:
    """The gate before each target node; a Promotion. state: i64[N, NR_STATE], see above."""

    def __init__(
        self, knobs: HotThreshold, memory: Memory, targets: NDArray[np.int64],
        size: NDArray[np.int64], promo: NDArray[np.int64], window: int, at_once: bool = False,
        own: NDArray[np.int64] = _NONE,
    ) -> None:  # fmt: skip
        """targets: i64[P] of each mm. size, promo: i64[N] pages of a node and of its mark. window:
        ms, H where no knob says it. at_once: whoever asks moves each folio before it asks for the
        next, not batch by batch. own: see Rules."""
        self.knobs, self._memory, self._targets = knobs, memory, targets
        self._size, self._promo, self._window = size, promo, window
        self._at_once, self._own = at_once, own
        self.state: NDArray[np.int64] = np.zeros((size.size, NR_STATE), np.int64)
        self._rules = self._as_rules()

    @property
    def counters(self) -> dict[str, int]:
        """See Promotion."""
        return {
            "pgpromote_candidate": int(self.state[:, CANDIDATES].sum()),
            "pgpromote_candidate_nrl": int(self.state[:, AT_ONCE].sum()),
            "promote_too_old": int(self.state[:, TOO_OLD].sum()),
            "promote_limited": int(self.state[:, LIMITED].sum()),
        }

    @property
    def threshold_ms(self) -> int:
        """Threshold in force at the target of the first process."""
        return int(self.state[self._targets[0], THRESHOLD]) or self._rules.reference_ms

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],
        now: int,
        heat: NDArray[np.int64] = UNCOUNTED,  # noqa: ARG002 - latency decides
    ) -> Reports:
        """See Promotion."""
        out = reports(hot.folios.size, hot.ends.size)
        n, runs = _admit(
            self._memory, self.state, self._rules, hot, latency_ms, now // NS_PER_MS, out
        )
        return out.first(int(n), int(runs))

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()

    def refer(self, window: int) -> None:
        """The hotness record has another window now."""
        self._window = window
        self._rules = self._as_rules()

    def _as_rules(self) -> Rules:
        knobs = self.knobs
        spare = np.maximum(knobs.spare_mib * PAGES_PER_MIB, self._size // SPARE_PART)
        return Rules(
            knobs.hot_threshold_ms or self._window or WITHOUT_RECORD_MS,
            knobs.promote_rate_limit_mib_s * PAGES_PER_MIB,
            knobs.threshold_window_ms, self._targets, self._promo + spare,
            self._at_once, self._own,
        )  # fmt: skip
