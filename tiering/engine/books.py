"""On which terms folios move, and the books of what moved (docs/model.md#migration)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.failures import NR_TALLY
from tiering.engine.shares import Shares, neutral_shares
from tiering.engine.still_hot import NOT_ASKED

NR_OUTCOMES = 10
(MOVED, STALE, NO_ROOM, IS_PINNED, IS_SHARED, LIMITED, COLD, REFUSED, CAPPED, OVER_SHARE) = range(
    NR_OUTCOMES
)
"""What became of a candidate: index into `outcome`."""
WINDOW_NS = 1_000_000_000
"""Accounting period of the rate limit, as of the kernel's promotion rate limit."""


_NEUTRAL = neutral_shares(0)


class Terms(NamedTuple):
    """On which terms folios move: node (to which others' candidates do not go), ns for a batch and
    for a folio, copy rate in bytes per ns, folios a batch, pages that must stay free on `dst`,
    pages that may move per window (0 = any), whether shared folios are refused, free pages of `dst`
    below which its kswapd, which sleeps, is to wake (-1: it need not), and what a folio has to be
    still (still_hot.py)."""

    dst: int
    batch_ns: float
    folio_ns: float
    bytes_per_ns: float
    batch_nr: int
    reserve: int
    limit: int
    refuse_shared: bool
    wake: int
    asked: int = NOT_ASKED


class Books(NamedTuple):
    """What moved: outcome i64[NR_OUTCOMES] candidates by what became of them; pages i64[1]
    promoted; from_nid, to_nid i64[N] pages taken from each node and put there; target i64[P] node
    to which candidates of each mm go; reserve i64[N] pages that must stay free there; window
    i64[2]: begin of the accounting period (ns) and pages in it; age i64[2]: sum and maximum (ns) of
    the time that candidates waited; refused bool[N] nodes on which a candidate found no room; dirty
    bool[P] processes whose memory moved; tally i64[P, NR_TALLY] and fail_pct i64[P]: how many fail
    (failures.py); tried, copied i64[P] candidates of each mm and its pages promoted, until taken
    off; moved i64[P] pages promoted in all; spent f64[P] ns of tasks that stall them later; shares:
    what classes may take."""

    outcome: NDArray[np.int64]
    pages: NDArray[np.int64]
    from_nid: NDArray[np.int64]
    to_nid: NDArray[np.int64]
    target: NDArray[np.int64]
    reserve: NDArray[np.int64]
    window: NDArray[np.int64]
    age: NDArray[np.int64]
    refused: NDArray[np.bool_]
    dirty: NDArray[np.bool_]
    tally: NDArray[np.int64]
    fail_pct: NDArray[np.int64]
    tried: NDArray[np.int64]
    copied: NDArray[np.int64]
    moved: NDArray[np.int64]
    spent: NDArray[np.float64]
    shares: Shares


def books(nr_nodes: int, nr_processes: int, shares: Shares = _NEUTRAL) -> Books:
    """Nothing has moved yet."""
    n, p, i64 = nr_nodes, nr_processes, np.int64
    return Books(
        np.zeros(NR_OUTCOMES, i64), np.zeros(1, i64), np.zeros(n, i64), np.zeros(n, i64),
        np.zeros(p, i64), np.zeros(n, i64), np.zeros(2, i64), np.zeros(2, i64),
        np.zeros(n, np.bool_), np.zeros(p, np.bool_), np.zeros((p, NR_TALLY), i64),
        np.zeros(p, i64), np.zeros(p, i64), np.zeros(p, i64), np.zeros(p, i64), np.zeros(p),
        shares,
    )  # fmt: skip
