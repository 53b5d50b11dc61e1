"""Scan period: what the scanner wants for every mm; and the size of a visit, on demand."""

from dataclasses import replace
from typing import Any

from tiering.charts.chart import Chart, Reference, Series
from tiering.charts.per_mm import band_note, per_mm
from tiering.charts.setting import Setting

PERIOD, SIZE = "scan_period_ms", "scan_size_mib"


def has_periods(schema: dict[str, Any], setting: Setting) -> bool:
    """Whether somebody scans with a period."""
    return bool(schema["threads"]) and (setting.joins("pte_scan") or setting.joins("hint_fault"))


def is_physical(setting: Setting) -> bool:
    """Whether page frames of nodes are scanned, not page tables of mms."""
    return setting.knobs.get("pte_scan.walk") == "physical"


def no_period(setting: Setting) -> str:
    """Why there is no scan period."""
    return f"No thread scans with a period in this run: {setting.sources()}."


def scanned(
    schema: dict[str, Any], setting: Setting, metric: str, like: Series, suffix: str = ""
) -> tuple[Series, ...]:
    """Lines of a metric for all mms that are scanned, or for slow nodes where the scan is physical;
    one alone is called by the name of `like`."""
    if is_physical(setting):
        top = min((node.tier for node in setting.nodes), default=0)
        slow = [(nid, node.name) for nid, node in enumerate(setting.nodes) if node.tier > top]
        like = replace(like, field=f"node.{metric}")
        lines = tuple(
            replace(like, name=name + suffix, index=(nid,), colour=setting.colour(nid))
            for nid, name in slow
        )
    else:
        lines = per_mm(schema["mms"], setting, replace(like, field=f"mm.{metric}"), suffix)
    return (replace(lines[0], name=like.name),) if len(lines) == 1 else lines


def scan_period(schema: dict[str, Any], setting: Setting) -> Chart:
    """Step line per mm on a logarithmic axis, bounds drawn; per slow node where the scan is
    physical."""
    scans = has_periods(schema, setting)
    like = Series("wanted period", PERIOD, style="step")
    return Chart(
        id="scan_period",
        title="Scan period per node" if is_physical(setting) else "Scan period per mm",
        question="Does the period settle?",
        unit="ms",
        range="log",
        series=scanned(schema, setting, PERIOD, like) if scans else (),
        references=_bounds(setting) if scans else (),
        note="" if is_physical(setting) else band_note(schema["mms"]),
        empty="" if scans else no_period(setting),
        decimals=0,
    )


def scan_size(schema: dict[str, Any], setting: Setting) -> Chart:
    """What a visit may walk, on demand; says so where the size has no effect."""
    scans = bool(schema["threads"]) and setting.joins("pte_scan")
    like = Series("scan size", SIZE, style="step")
    return Chart(
        id="scan_size",
        title="Scan size",
        question="How much may a visit walk?",
        unit="MiB",
        range="log",
        series=scanned(schema, setting, SIZE, like) if scans else (),
        note=setting.notes.get("pte_scan.scan_size_mib", "") or band_note(schema["mms"]),
        empty="" if scans else "No thread scans by size in this run: " + setting.sources() + ".",
        decimals=0,
        hidden=True,
    )


def _bounds(setting: Setting) -> tuple[Reference, ...]:
    found = (
        (edge, setting.knobs.get(f"pte_scan.scan_period_{edge}_ms")) for edge in ("min", "max")
    )
    return tuple(Reference(edge, float(value)) for edge, value in found if value is not None)
