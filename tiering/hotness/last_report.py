"""Nobody remembers: a report is hot when it arrives and forgotten at once (docs/model.md#hotness).

kmmscand V0 works this way: what the scanner reports goes straight to the migration list.
"""

from typing import NamedTuple

from tiering.engine.reports import Reports


class LastReportKnobs(NamedTuple):
    """No knobs."""


class LastReport:
    """Stateless record."""

    def record(self, reports: Reports) -> Reports:
        """Folios that are hot after these reports: all of them."""
        return reports
