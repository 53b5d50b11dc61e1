"""What the charts of a run need to know besides its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiering.charts.chart import NodeLike
from tiering.charts.colours import process_colour, shade

FIRST_FEW = 3


@dataclass(frozen=True)
class Setting:
    """nodes: of the machine, by nid. knobs: values of all knobs in use by path. notices: what each
    source that the run joins does, by its name. classes: processes of each class, by their place;
    none where nothing is to be told of classes. watermarks: (name, MiB free on the top tier at
    which it lies). notes: of knobs without effect, by path. picked: mms that have lines of their
    own where there are too many for all.
    """

    nodes: Sequence[NodeLike]
    knobs: Mapping[str, Any]
    notices: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    watermarks: Sequence[tuple[str, float]] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    picked: tuple[int, ...] = tuple(range(FIRST_FEW))

    def joins(self, section: str) -> bool:
        """Whether a mechanism with knobs of that section is part of the run."""
        return any(path.startswith(f"{section}.") for path in self.knobs)

    def sources(self) -> str:
        """What notices touches, in words."""
        return "; ".join(self.notices.values()) or "nobody notices touches"

    def colour(self, mm: int) -> str:
        """Colour of a process: a shade of that of its class, where there are classes."""
        for nr, members in enumerate(self.classes.values()):
            if mm in members:
                return shade(process_colour(nr), members.index(mm), len(members))
        return process_colour(mm)
