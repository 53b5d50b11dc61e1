"""Tenants: how much slower each process is than with all its memory on the top tier."""

from typing import Any

from tiering.charts.chart import Chart, Reference, Series
from tiering.charts.colours import process_colour
from tiering.charts.per_mm import MOST_MMS, band_note, per_mm
from tiering.charts.setting import Setting

SLOWDOWN = "mm.slowdown"


def tenants(schema: dict[str, Any], setting: Setting) -> Chart:
    """Slowdown per process, mean per class where there are classes."""
    series = per_mm(schema["mms"], setting, Series("", SLOWDOWN))
    means = tuple(
        Series(f"{name}, mean", SLOWDOWN, reduce="mean", members=members, dash="dash", width=2.5,
               colour=process_colour(nr))
        for nr, (name, members) in enumerate(setting.classes.items())
    )  # fmt: skip
    if means and len(schema["mms"]) > MOST_MMS:
        series = tuple(one for one in series if one.picked >= 0)
    return Chart(
        id="tenants",
        title="Tenants",
        question="How much slower than with all memory on the top tier?",
        unit="times",
        range="zero",
        series=(*series, *means),
        references=(Reference("as on the top tier", 1.0, quiet=True),),
        note=band_note(schema["mms"]) if not means else "",
        nothing="No process ran for the whole of a row yet.",
        decimals=2,
    )
