"""The room's one table: who sinks."""

from typing import NamedTuple

from tiering.demotion.coldest import ColdestFirst
from tiering.demotion.damos_knobs import DamosCold
from tiering.demotion.kswapd import Reclaim


class Kind(NamedTuple):
    """The name of its knob section, its knobs, and who sinks."""

    section: str
    knobs: type
    meaning: str


DEMOTION: dict[str, Kind] = {
    "kswapd": Kind(
        "reclaim", Reclaim, "what reclaim finds old, when a node is short of free memory"
    ),
    "coldest_first": Kind(
        "coldest_first", ColdestFirst, "whoever was not touched for a time, the oldest first"
    ),
    "damos_migrate_cold": Kind(
        "damos_migrate_cold",
        DamosCold,
        "regions of DAMON that nobody accesses, the coldest first, within a quota",
    ),
}
