"""The room's one table of memories of reports."""

from typing import NamedTuple

from tiering.hotness.last_report import LastReportKnobs
from tiering.hotness.pghot_knobs import Pghot, PghotPrecise


class Kind(NamedTuple):
    """Its knobs, whether hot folios wait until kmigrated asks for them, whether it knows when each
    was last reported, bytes a page of host and simulated memory, and what it remembers."""

    knobs: type
    waits: bool
    keeps_time: bool
    record_bytes: int
    meaning: str


HOTNESS: dict[str, Kind] = {
    "last_report": Kind(
        LastReportKnobs, False, False, 0, "a report is hot when it arrives and forgotten at once"
    ),
    "pghot": Kind(Pghot, True, True, 1, "a byte a page: 2 bits of frequency, 5 of time, ready"),
    "pghot_precise": Kind(
        PghotPrecise, True, True, 4, "4 bytes a page: 3 bits of frequency, 14 of time, node, ready"
    ),
}
