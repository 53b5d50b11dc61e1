"""Promotion and demotion: how fast memory rises and sinks, and what fails."""

from typing import Any

from tiering.charts.chart import Chart, Reference, Series, Told
from tiering.charts.colours import tier_colour
from tiering.charts.setting import Setting

LIMITS = ("migration.rate_limit_mib_s", "hot_threshold.promote_rate_limit_mib_s")
FAILURES = (
    ("target full", "migrate_no_room"),
    ("rate limit", "migrate_limited"),
    ("pinned", "migrate_pinned"),
    ("shared", "migrate_shared"),
    ("hot no more", "migrate_cold"),
    ("not on the slow tier any more", "migrate_stale"),
    ("class refused", "migrate_refused"),
    ("class at its most", "migrate_capped"),
    ("class over its share", "migrate_over_share"),
)


def promotion_rate(schema: dict[str, Any], setting: Setting) -> Chart:
    """MiB/s promoted as an area, demoted as a line, rate limits drawn; failures in words.

    Without `migration` among the knobs nobody migrates, and the chart says so.
    """
    migrates = setting.joins("migration") and bool(schema["threads"])
    series = (
        Series("promoted", "promote_mib_s", style="area", colour=tier_colour(0)),
        Series("demoted", "demote_mib_s", colour=tier_colour(1), width=2.0),
        Series("failed", "pgmigrate_fail", style="hover", per_s=True, unit="folios/s"),
    )
    limits = tuple(
        Reference("rate limit", float(setting.knobs[path]), knob=path)
        for path in LIMITS
        if setting.knobs.get(path)
    )
    told = tuple(Told(name, "rise", Series("", field)) for name, field in FAILURES)
    return Chart(
        id="promotion",
        title="Promotion and demotion",
        question="How fast does memory rise and sink?",
        unit="MiB/s",
        range="zero",
        series=series if migrates else (),
        references=limits if migrates else (),
        told=told if migrates else (),
        empty="" if migrates else "No kernel thread migrates in this run, so nothing is promoted.",
        decimals=0,
    )
