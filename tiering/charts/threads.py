"""Kernel threads: what they cost; and what waits for those that migrate."""

from typing import Any

from tiering.charts.chart import Chart, Series
from tiering.charts.colours import INK, NEUTRAL, thread_colour
from tiering.charts.setting import Setting

MOST_THREADS = 8
BUSY = "thread.busy_share"


def kernel_threads(schema: dict[str, Any], setting: Setting) -> Chart:
    """Share of one CPU that each thread uses, and of all together."""
    names = schema["threads"]
    lines = tuple(
        Series(name, BUSY, (nr,), 100.0, colour=thread_colour(nr)) for nr, name in enumerate(names)
    )
    if len(names) > MOST_THREADS:
        lines = (
            Series("median", BUSY, scale=100.0, reduce="median", colour=NEUTRAL),
            Series("busiest", BUSY, scale=100.0, reduce="max", colour=thread_colour(0)),
        )
    both = Series("all together", BUSY, scale=100.0, reduce="sum", colour=INK, dash="dash")
    return Chart(
        id="threads",
        title="Kernel threads",
        question="What do they cost?",
        unit="% of one CPU",
        range="zero",
        series=(lines + ((both,) if len(names) > 1 else ())) if names else (),
        note=f"{len(names)} threads" if len(names) > MOST_THREADS else "",
        empty="" if names else f"This run has no kernel thread: {setting.sources()}.",
    )


def migration_queue(schema: dict[str, Any], setting: Setting) -> Chart:
    """Age of what waits for migration; how much waits is told."""
    waits = setting.joins("migration") and bool(schema["threads"])
    series = (
        Series("oldest that waits", "queue_age_ms", colour="#d1477f"),
        Series("mean of those handled", "candidate_age_ms", colour="#4f9dc4"),
        Series("waiting", "queue_len", style="hover", unit="folios"),
        Series("dropped", "queue_dropped", style="hover", unit="folios"),
    )
    return Chart(
        id="queue",
        title="Migration queue",
        question="How long do candidates wait?",
        unit="ms",
        range="zero",
        series=series if waits else (),
        empty="" if waits else "No kernel thread migrates in this run, so nothing waits.",
    )
