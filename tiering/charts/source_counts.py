"""What the source counts: its work and its losses, by their kernel names where they have one."""

from typing import Any

from tiering.charts.chart import Chart, Series
from tiering.charts.colours import process_colour
from tiering.charts.setting import Setting

COUNTED: dict[str, tuple[tuple[str, str], ...]] = {
    "pte_scan": (
        ("PTEs on the slow tier", "nr_kmmscand_slowtier"),
        ("PTEs on the top tier", "nr_kmmscand_toptier"),
        ("not useful", "nr_kmmscand_idlepage"),
    ),
    "hint_fault": (
        ("PTEs marked", "numa_pte_updates"),
        ("hint faults", "numa_hint_faults"),
        ("faults on the own node", "numa_hint_faults_local"),
    ),
    "chmu": (("hot-list entries", "chmu_listed"), ("entries lost", "chmu_lost")),
    "hw_sample": (("samples", "hw_samples"), ("samples lost", "hw_samples_lost")),
    "lru_gen_walk": (("full walks of an mm", "mm.nr_full_scans"),),
    "damon": (("pages sampled", "damon_nr_checks"),),
    "pghot": (("reports recorded", "pghot_recorded_accesses"),),
    "pghot_precise": (("reports recorded", "pghot_recorded_accesses"),),
}
GAUGES = {
    "damon": (
        Series("regions", "thread.nr_regions", reduce="sum", style="hover", unit="regions"),
        Series("sampling interval", "thread.sample_ms", reduce="max", style="hover", unit="ms"),
    ),
    "hot_threshold": (Series("threshold", "hot_threshold_ms", style="hover", unit="ms"),),
}


def source_counts(schema: dict[str, Any], setting: Setting) -> Chart:
    """Counters of the sources and records that the run joins, per simulated second."""
    joined = [name for name in COUNTED if setting.joins(name)] if schema["threads"] else []
    lines = [pair for name in joined for pair in COUNTED[name]]
    series = [
        Series(
            name, field, per_s=True, colour=process_colour(nr), scale=1e-3,
            reduce="sum" if "." in field else "",
        )
        for nr, (name, field) in enumerate(lines)
    ]  # fmt: skip
    gauges = [one for name, told in GAUGES.items() if setting.joins(name) for one in told]
    return Chart(
        id="source",
        title="What the source counts",
        question="How much does it look at, and what does it lose?",
        unit="1,000/s",
        range="zero",
        series=(*series, *gauges) if series else (),
        empty="" if series else f"Nothing is counted in this run: {setting.sources()}.",
        decimals=2,
    )
