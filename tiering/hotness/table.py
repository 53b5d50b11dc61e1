"""The room's one table of memories of reports."""

from typing import NamedTuple

from tiering.hotness.counts import Counts
from tiering.hotness.heat import Heat
from tiering.hotness.pghot_knobs import Pghot, PghotPrecise
from tiering.hotness.two_windows import TwoWindows
from tiering.model.knobs import NoKnobs


class Kind(NamedTuple):
    """Its knobs, whether hot folios wait until kmigrated asks for them, whether it knows when each
    was last reported, bytes a page of host and simulated memory, what it remembers, and whether it
    counts reports."""

    knobs: type
    waits: bool
    keeps_time: bool
    record_bytes: int
    meaning: str
    counts: bool = False


HOTNESS: dict[str, Kind] = {
    "last_report": Kind(
        NoKnobs, False, False, 0, "a report is hot when it arrives and forgotten at once"
    ),
    "two_faults": Kind(
        NoKnobs, False, False, 0, "the second report of a folio makes it hot, a bit a folio"
    ),
    "damon_regions": Kind(
        NoKnobs,
        False,
        False,
        0,
        "accesses and age of DAMON's regions, which DAMOS acts on",
    ),
    "two_windows": Kind(
        TwoWindows, False, False, 4, "hot if reported in windows of the clock one after another",
        counts=True,
    ),
    "exact": Kind(NoKnobs, False, True, 4, "the time of the report before, to the ms"),
    "heat": Kind(
        Heat, False, True, 8, "heat that builds up with reports and fades with time", counts=True
    ),
    "counts": Kind(
        Counts, False, False, 4,
        "counts of reports that are halved where one grows too large, as in HeMem", counts=True,
    ),
    "pghot": Kind(
        Pghot, True, True, 1, "a byte a page: 2 bits of frequency, 5 of time, ready", counts=True
    ),
    "pghot_precise": Kind(
        PghotPrecise, True, True, 4, "4 bytes a page: 3 bits of frequency, 14 of time, node, ready",
        counts=True,
    ),
}  # fmt: skip
