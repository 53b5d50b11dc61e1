"""Whatever is hot may rise: every folio becomes a candidate (docs/model.md#promotion).

kmmscand V0 has no frequency filter, no rate limit and no test for duplicates.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.reports import Reports


class EveryReport:
    """Stateless rule; a Promotion."""

    counters: ClassVar[dict[str, int]] = {}

    def choose(self, hot: Reports, latency_ms: NDArray[np.int64], now: int) -> Reports:  # noqa: ARG002
        """Candidates among the hot folios: all of them."""
        return hot

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
