"""Scan period: what the scanner wants for every mm, and what it gets."""

from collections.abc import Mapping, Sequence
from typing import Any

from tiering.charts.chart import Chart, NodeLike, Reference, Series
from tiering.charts.colours import NEUTRAL, process_colour

MOST_MMS = 8
FIRST_FEW = 3
PERIOD, INTERVAL = "scan_period_ms", "scan_interval_ms"


def scan_period(
    schema: dict[str, Any], knobs: Mapping[str, Any], nodes: Sequence[NodeLike] = ()
) -> Chart:
    """Step line per mm on a logarithmic axis, bounds drawn, measured interval thin and dashed; per
    slow node where the scan is physical.

    knobs: values by path; without those of a source that has periods nobody scans, and the chart
    says so. Of tasks that mark for hint faults the wanted period alone is known.
    """
    marks = "hint_fault.scan_period_min_ms" in knobs and "pte_scan.scan_period_ms" not in knobs
    physical = knobs.get("pte_scan.walk") == "physical"
    scans = (marks or "pte_scan.scan_period_ms" in knobs) and bool(schema["threads"])
    mms = schema["mms"]
    series: tuple[Series, ...] = ()
    note = ""
    if scans and physical:
        top = min((node.tier for node in nodes), default=0)
        slow = [(nid, node.name) for nid, node in enumerate(nodes) if node.tier > top]
        series = tuple(
            line for nid, name in slow for line in _one(nid, name, len(slow) == 1, "node")
        )
    elif scans and marks and len(mms) <= MOST_MMS:
        series = tuple(
            _wanted(nr, "wanted period" if len(mms) == 1 else mm) for nr, mm in enumerate(mms)
        )
    elif scans and len(mms) <= MOST_MMS:
        series = tuple(
            line for nr, mm in enumerate(mms) for line in _one(nr, mm, alone=len(mms) == 1)
        )
    elif scans:
        series = _band(measured=not marks) + tuple(_wanted(nr, mms[nr]) for nr in range(FIRST_FEW))
        note = f"{len(mms)} mms: band from min to max, median, and the first {FIRST_FEW}"
    return Chart(
        id="scan_period",
        title="Scan period per node" if physical else "Scan period per mm",
        question="Does the period settle, and is it kept?",
        unit="ms",
        range="log",
        series=series,
        references=_bounds(knobs) if scans else (),
        note=note,
        empty="" if scans else "No kernel thread scans in this run, so there is no scan period.",
        decimals=0,
    )


def _wanted(nr: int, name: str, scope: str = "mm") -> Series:
    return Series(name, f"{scope}.{PERIOD}", (nr,), style="step", colour=process_colour(nr))


def _one(nr: int, name: str, alone: bool, scope: str = "mm") -> tuple[Series, Series]:
    label = "measured interval" if alone else f"{name} measured"
    measured = Series(
        label, f"{scope}.{INTERVAL}", (nr,), style="step", colour=process_colour(nr), dash="dot",
        width=1.0,
    )  # fmt: skip
    return _wanted(nr, "wanted period" if alone else name, scope), measured


def _band(measured: bool) -> tuple[Series, ...]:
    wanted = (
        Series("min", f"mm.{PERIOD}", style="band_low", colour=NEUTRAL, reduce="min", width=0.5),
        Series("max", f"mm.{PERIOD}", style="band_high", colour=NEUTRAL, reduce="max", width=0.5),
        Series("median", f"mm.{PERIOD}", style="step", colour=NEUTRAL, reduce="median", width=2.5),
    )
    median = Series(
        "median measured", f"mm.{INTERVAL}", style="step", colour=NEUTRAL, dash="dot",
        reduce="median",
    )  # fmt: skip
    return (*wanted, median) if measured else wanted


def _bounds(knobs: Mapping[str, Any]) -> tuple[Reference, ...]:
    found = ((edge, knobs.get(f"pte_scan.scan_period_{edge}_ms")) for edge in ("min", "max"))
    return tuple(Reference(edge, float(value)) for edge, value in found if value is not None)
