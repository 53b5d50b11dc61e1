"""Which mechanisms of the rooms a run joins, and the knob sections that follow from that.

The tables of the rooms name what there is; a preset joins it as the kernel does, and `[rooms]` in a
scenario joins it otherwise. What may not be joined is in combine.py.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from tiering.demotion.table import DEMOTION
from tiering.hotness.table import HOTNESS
from tiering.migration.kmigrated import Kmigrated
from tiering.migration.queue import Migration
from tiering.model.machine import Machine
from tiering.promotion.table import PROMOTION
from tiering.sources.table import SOURCES

ORACLE = "oracle"
"""Promotion that needs no reports: folios are where they serve best, at every instant."""

if TYPE_CHECKING:
    SourceName = str
    HotnessName = str
    PromotionName = str
    DemotionName = str
else:  # the names in the tables are the names that a file may use; "" is nobody
    SourceName = Literal[tuple(SOURCES)]
    HotnessName = Literal[("", *HOTNESS)]
    PromotionName = Literal[("", *PROMOTION, ORACLE)]
    DemotionName = Literal[tuple(DEMOTION)]


class Rooms(NamedTuple):
    """Mechanism of each room by name; "" or none = nobody."""

    sources: tuple[str, ...] = ()
    hotness: str = ""
    promotion: str = ""
    demotion: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether hot folios wait in their records until kmigrated asks for them."""
        return bool(self.hotness) and HOTNESS[self.hotness].waits

    def __str__(self) -> str:
        parts = (" + ".join(self.sources), self.hotness, self.promotion, " + ".join(self.demotion))
        return " > ".join(part or "nobody" for part in parts)


class RoomFields(BaseModel):
    """The table `rooms` of a scenario: what differs from its preset."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    sources: Annotated[list[SourceName], Field(max_length=len(SOURCES))] | None = None
    hotness: HotnessName | None = None
    promotion: PromotionName | None = None
    demotion: Annotated[list[DemotionName], Field(max_length=len(DEMOTION))] | None = None

    def over(self, rooms: Rooms) -> Rooms:
        """Those of a preset with what is said here instead."""
        return Rooms(
            rooms.sources if self.sources is None else tuple(self.sources),
            rooms.hotness if self.hotness is None else self.hotness,
            rooms.promotion if self.promotion is None else self.promotion,
            rooms.demotion if self.demotion is None else tuple(self.demotion),
        )


def _with_knobs(table: dict[str, Any]) -> dict[str, type]:
    return {name: kind.knobs for name, kind in table.items() if kind.knobs._fields}


MECHANISMS: dict[str, type] = {
    **_with_knobs(SOURCES), **_with_knobs(HOTNESS), **_with_knobs(PROMOTION),
}  # fmt: skip
"""Knobs of mechanisms that have any, by the name of their section."""
SECTIONS: dict[str, type] = {
    "machine": Machine,
    **MECHANISMS,
    "kmigrated": Kmigrated,
    "migration": Migration,
    **{kind.section: kind.knobs for kind in DEMOTION.values()},
}
"""All knob sections of a scenario, in the order in which they are shown."""


def sections(rooms: Rooms) -> tuple[str, ...]:
    """Knob sections of a run that joins these rooms, that of the machine aside."""
    used = {*rooms.sources, rooms.hotness, rooms.promotion}
    used |= {DEMOTION[name].section for name in rooms.demotion}
    if rooms.promotion and rooms.promotion != ORACLE:
        used |= {"migration", "kmigrated"} if rooms.waits else {"migration"}
    return tuple(name for name in SECTIONS if name in used)
