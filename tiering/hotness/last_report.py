"""Nobody remembers: a report is hot when it arrives and forgotten at once (docs/model.md#hotness).

kmmscand V0 works this way: what the scanner reports goes straight to the migration list.
"""

from typing import Any, ClassVar

import numpy as np

from tiering.engine.reports import Reports
from tiering.hotness.hotness import Hot


class LastReport:
    """Stateless record; a Hotness."""

    counters: ClassVar[dict[str, int]] = {}

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - at once
        """Folios that are hot after these reports: all of them."""
        return Hot(reports, reports.latency_ms.astype(np.int64))

    def forget(self, mm: int) -> None:
        """There is nothing to forget."""

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
