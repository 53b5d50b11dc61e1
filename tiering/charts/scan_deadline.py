"""Scan deadline: the period that was wanted against the interval that came of it.

The question was left open on the list: with one thread and many mms, are the periods kept?
"""

from typing import Any

from tiering.charts.chart import Chart, Series, Told
from tiering.charts.per_mm import MOST_MMS, band_note
from tiering.charts.scan_period import has_periods, is_physical, no_period, scanned
from tiering.charts.setting import Setting

FULL = "full_scan_ms"


def scan_deadline(schema: dict[str, Any], setting: Setting) -> Chart:
    """Measured interval of each mm and the wanted one, dotted; figures of all visits beside it.

    Of tasks that mark for hint faults the time of full scans alone is known.
    """
    scans = has_periods(schema, setting)
    visits = scans and setting.joins("pte_scan")
    series: tuple[Series, ...] = ()
    wanted = Series("wanted period", "", style="step", dash="dot")
    measured = Series("measured interval", "", style="step")
    full = Series("full scan", "", style="step", dash="dash")
    if visits:
        series = scanned(schema, setting, "scan_interval_ms", measured, " measured")
        if is_physical(setting) or len(schema["mms"]) <= MOST_MMS:
            series += scanned(schema, setting, "scan_period_ms", wanted, " wanted")
        else:
            series += (
                Series("median wanted", "mm.scan_period_ms", style="step", dash="dot",
                       reduce="median"),
            )  # fmt: skip
        if len(series) == 2:
            series += scanned(schema, setting, FULL, full)
    elif scans:
        series = scanned(schema, setting, FULL, full, " full scan")
    return Chart(
        id="scan_deadline",
        title="Scan deadline",
        question="Is the wanted period kept, and how long does a full scan take?",
        unit="ms",
        range="log",
        series=series,
        told=_figures(setting, visits) if scans else (),
        note="" if is_physical(setting) else band_note(schema["mms"]),
        empty="" if scans else no_period(setting),
        nothing="Nobody was visited twice yet.",
        decimals=0,
        wide=True,
    )


def _figures(setting: Setting, visits: bool) -> tuple[Told, ...]:
    scope = "node" if is_physical(setting) else "mm"
    by_visit, by_scan = f"{scope}.nr_visits", f"{scope}.nr_full_scans"
    full = Told("full scan", "spread", Series("", f"{scope}.{FULL}"), by_scan, decimals=1)
    if not visits:
        return (full,)

    def total(name: str) -> Series:
        return Series("", f"{scope}.{name}", reduce="sum")

    return (
        Told("wanted period", "spread", Series("", f"{scope}.scan_period_ms"), by_visit),
        Told("measured interval", "spread", Series("", f"{scope}.scan_interval_ms"), by_visit),
        full,
        Told("visits", "rise", total("nr_visits")),
        Told("missed by more than a tenth", "share", total("missed_deadlines"),
             over=total("nr_visits"), unit="%", decimals=1),
        Told("longest visit so far", "top",
             Series("", f"{scope}.longest_visit_ms", reduce="max"), unit="ms", decimals=2),
    )  # fmt: skip
