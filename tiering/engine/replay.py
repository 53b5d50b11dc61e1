"""Page-trace replay: a trace of dense page ids through a replacement policy on the fast tier.

No time and no mechanisms: a page is on the fast tier or not, a miss may promote it at once, and
whatever must leave leaves (docs/model.md#page-trace-replay). Every access is replayed, exactly.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import Loop
from tiering.engine.oracle import quota
from tiering.engine.replay_fifo import clock, fifo, static
from tiering.engine.replay_lru import lru, lru_second_sight

MAX_POSITIONS = 2**32 - 1  # positions in a trace are u32

POLICIES: dict[str, Loop] = {
    "lru": lru,
    "lru_second_sight": lru_second_sight,
    "fifo": fifo,
    "clock": clock,
}


class Replayed(NamedTuple):
    """Counts of one replay that began with an empty fast tier."""

    accesses: int
    hits: int  # the page was on the fast tier
    promotions: int  # pages brought there; each but the first `frames` made another one leave

    @property
    def hit_share(self) -> float:
        """Hits per access, 0.0 for an empty trace."""
        return self.hits / max(self.accesses, 1)


def replay(policy: str, trace: NDArray[np.uint32], nr_pages: int, frames: int) -> Replayed:
    """Replay `trace` (u32[n], ids below nr_pages) on a fast tier of `frames` frames.

    Takes 1 bit per access and 4 bytes per page at most, for lru_second_sight 2 and 8. ValueError
    if the policy is not in POLICIES or an argument is out of range.
    """
    if policy not in POLICIES:
        raise ValueError(f"policy {policy!r}: known are {', '.join(POLICIES)}")
    frames = _checked(trace, nr_pages, frames)
    hits, promotions = POLICIES[policy](trace, nr_pages, frames)
    return Replayed(trace.size, int(hits), int(promotions))


def replay_static(trace: NDArray[np.uint32], weight: NDArray[np.float64], frames: int) -> Replayed:
    """Replay with the `frames` pages of largest weight (f64[N]) resident from the start to the end.

    With access probabilities for weights this is the static optimum, which no policy that does not
    know the future beats under the independent reference model. ValueError as in `replay`.
    """
    frames = _checked(trace, weight.size, frames)
    one = np.ones(weight.size, np.int64)
    resident = quota(one, weight, one, frames)
    return Replayed(trace.size, int(static(trace, resident.astype(np.uint8))), 0)


def _checked(trace: NDArray[np.uint32], nr_pages: int, frames: int) -> int:
    """The frames that can be used, at most nr_pages; ValueError if an argument is out of range."""
    if trace.dtype != np.uint32 or trace.ndim != 1:
        raise ValueError(
            f"trace of {trace.dtype}, {trace.ndim} dimensions: one of uint32 is needed"
        )
    if trace.size and trace.max() >= nr_pages:
        raise ValueError(f"trace: page id {trace.max()} is not below the {nr_pages} pages")
    if frames < 1:
        raise ValueError(f"frames {frames}: at least 1 is needed")
    frames = min(frames, max(nr_pages, 1))
    if trace.size + frames > MAX_POSITIONS:
        raise ValueError(
            f"trace of {trace.size} on {frames} frames: {MAX_POSITIONS} at most in all"
        )
    return frames
