"""Whatever is hot may rise: every folio becomes a candidate (docs/model.md#promotion).

kmmscand V0 has no frequency filter, no rate limit and no test for duplicates.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.reports import UNCOUNTED, Reports


class EveryReport:
    """Stateless rule; a Promotion."""

    counters: ClassVar[dict[str, int]] = {}

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],  # noqa: ARG002 - everybody rises
        now: int,  # noqa: ARG002
        heat: NDArray[np.int64] = UNCOUNTED,  # noqa: ARG002
    ) -> Reports:
        """Candidates among the hot folios: all of them."""
        return hot

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
