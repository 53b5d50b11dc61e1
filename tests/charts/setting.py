"""What charts are told of a run, made up by hand."""

from typing import Any

from tests.charts.rows import NODES, SCANS
from tiering.charts.setting import Setting

NOTICES = {"pte_scan": "kernel threads read accessed bits"}


def setting(knobs: dict[str, Any] | None = None, **more: Any) -> Setting:
    """A scan by mm unless other knobs are given."""
    given: dict[str, Any] = {"nodes": NODES, "notices": NOTICES} | more
    return Setting(knobs=SCANS if knobs is None else knobs, **given)
