"""Nothing may rise: everything is observed, nothing moves (docs/model.md#promotion).

What detection costs and how right it is, without the moves that would change what it sees.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.reports import UNCOUNTED, Reports


class Never:
    """Stateless rule; a Promotion."""

    counters: ClassVar[dict[str, int]] = {}

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],  # noqa: ARG002 - nobody rises
        now: int,  # noqa: ARG002
        heat: NDArray[np.int64] = UNCOUNTED,  # noqa: ARG002
    ) -> Reports:
        """Candidates among the hot folios: none."""
        return hot.first(0, 0)

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
