"""A rule of the user's own: one Python function that says of each hot folio whether it may rise.

It plays the part of the hooks that BPF programs get in the kernel (docs/policies.md). What it may
say is in policy_text.py, how it is compiled and asked in policy_loop.py. Not modelled: the time
that it takes.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import Memory
from tiering.engine.reports import UNCOUNTED, Reports, reports
from tiering.promotion.policy_loop import PAGES_PER_MIB, Around, decider
from tiering.promotion.policy_text import STATE_SIZE, Policy, PolicyError

NS_PER_MS = 1_000_000


class Target(NamedTuple):
    """The node to which candidates go; pages of its watermarks and of itself."""

    nid: int
    high: int
    promo: int
    size: int


class UserPolicy:
    """The rule; a Promotion. state: f64[STATE_SIZE] of the policy's own. refused: hot folios that
    did not pass."""

    def __init__(
        self, policy: Policy, memory: Memory, target: Target, slow: NDArray[np.uint8],
        row_at: NDArray[np.int64], nr_rows: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """slow: u8[N] 1 for nodes below the top tier. row_at, nr_rows: i64[P] rows of each mm.
        Raises PolicyError if the policy does not compile."""
        self.policy, self._memory = policy, memory
        self.state = np.zeros(STATE_SIZE)
        self.refused = 0
        self._calls = 0
        nr = row_at.size
        self._around = Around(
            target.nid, target.high / PAGES_PER_MIB, target.promo / PAGES_PER_MIB,
            target.size / PAGES_PER_MIB, slow, row_at, nr_rows, np.zeros(nr, np.int64),
            np.zeros(nr),
        )  # fmt: skip
        decider(policy)

    @property
    def counters(self) -> dict[str, int]:
        """See Promotion."""
        return {"promote_refused": self.refused}

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],
        now: int,
        heat: NDArray[np.int64] = UNCOUNTED,
    ) -> Reports:
        """See Promotion. Raises PolicyError where the policy reaches beyond its state."""
        out = reports(hot.folios.size, hot.ends.size)
        self._calls += 1
        try:
            n, runs = decider(self.policy)(
                self._memory, self._around, self.state, self._calls, hot, latency_ms, heat,
                now // NS_PER_MS, out,
            )  # fmt: skip
        except IndexError as error:
            raise PolicyError(
                f"{self.policy.file}, line {self.policy.line}: {self.policy.name}: an index of "
                f"state should be within 0 .. {STATE_SIZE - 1}"
            ) from error
        self.refused += hot.folios.size - int(n)
        return out.first(int(n), int(runs))

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
