"""Which mms have lines of their own on the charts of runs with too many for all."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import html

from tiering.charts.colours import process_colour
from tiering.charts.setting import FIRST_FEW
from tiering.ui.components.attributes import attributes

MOST_PICKED = 5
MOST_OFFERED = 10  # so few that the list need not scroll
LIST_PIXELS = 320


@dataclass(frozen=True)
class Picked:
    """names: of all mms, by their place. mms: those that were picked, in that order."""

    names: list[str]
    mms: tuple[int, ...]

    def script_view(self) -> dict[str, Any]:
        """What assets/live/mm_picker.js needs; first: the mm that templates of lines are named
        for."""
        return {
            "first": self.names[0],
            "fewest": self.names[:FIRST_FEW],
            "picked": [[mm, self.names[mm]] for mm in self.mms],
            "colours": [process_colour(nr) for nr in range(MOST_PICKED)],
        }


def picked(names: list[str], drawing: dict[str, Any], query: str) -> Picked | None:
    """Those that the address asks for (`mms=fn-3,fn-7`), else the first few; names that there are
    not are passed over. None where every mm has a line already.
    """
    if all(series["picked"] < 0 for chart in drawing["charts"] for series in chart["series"]):
        return None
    names = distinct(names)
    asked = parse_qs(query.removeprefix("?"), keep_blank_values=True).get("mms")
    if asked is None:
        return Picked(names, tuple(range(min(FIRST_FEW, len(names)))))
    place = {name: mm for mm, name in enumerate(names)}
    found = dict.fromkeys(place[name] for name in asked[0].split(",") if name in place)
    return Picked(names, tuple(found)[:MOST_PICKED])


def distinct(names: list[str]) -> list[str]:
    """The same, but one that is called like another before it has its place behind its name."""
    first: dict[str, int] = {}
    return [
        name if first.setdefault(name, mm) == mm else f"{name}@{mm}"
        for mm, name in enumerate(names)
    ]


def mm_picker(found: Picked) -> Any:
    """A box that finds mms by part of their name; only a few are offered at once."""
    return html.Div(
        [
            html.Label("Lines for", htmlFor="mms"),
            dmc.MultiSelect(
                id="mms",
                data=found.names,
                value=[found.names[mm] for mm in found.mms],
                searchable=True,
                limit=MOST_OFFERED,
                maxDropdownHeight=LIST_PIXELS,
                maxValues=MOST_PICKED,
                hidePickedOptions=True,
                nothingFoundMessage="No mm is called so.",
                placeholder=f"up to {MOST_PICKED} mms",
                size="xs",
                **attributes(aria_label="Lines for these mms"),
            ),
            html.Span(f"of {len(found.names):,} mms, on every chart per mm", className="dim"),
        ],
        id="mm-picker",
    )
