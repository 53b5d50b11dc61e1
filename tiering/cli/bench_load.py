"""The load that `bench` simulates, in any size: Zipf(1), a quarter of it fits on DRAM."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tiering.simulation.load import load_text
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

TEXT = Path(__file__).with_suffix(".toml")
DRAM_SHARE = 0.25
LATENCY_NS = 200.0  # of an access, about
MLP = 1000.0
NS_PER_S = 1e9
GB_S_MIB = 1e9 / 2**20


class Rate(NamedTuple):
    """touches: of a folio per second, on average. migrate_gb_s: most that is promoted."""

    touches: float
    migrate_gb_s: float


THRASH, LIGHT = Rate(1.0, 2.0), Rate(0.02, 1.0)
ONE_KTHREAD = {"pte_scan.pte_slow_ns": 30, "pte_scan.pte_top_ns": 4}
"""CPU time of a kthread of its own a PTE, which bounds what it can scan."""


@cache
def _text() -> str:
    return TEXT.read_text(encoding="utf-8")


def bench_scenario(
    nr_mms: int, mm_mib: int, rate: Rate, until_s: float, changes: dict[str, Any] | None = None
) -> Scenario:
    """`nr_mms` processes of `mm_mib` each. changes: dotted key -> value, as for `--set`."""
    total = nr_mms * mm_mib
    accesses = rate.touches * mm_mib * FOLIOS_PER_MIB  # of one process per second
    think_ns = max(MLP * NS_PER_S / accesses - LATENCY_NS, 0.0)
    sized = {
        "until_s": until_s,
        "nodes.0.capacity_mib": int(total * DRAM_SHARE),
        "nodes.1.capacity_mib": int(total * 1.05) + 64,
        "processes.0.count": nr_mms,
        "processes.0.think_ns": think_ns,
        "processes.0.vmas.0.size_mib": float(mm_mib),
        "migration.rate_limit_mib_s": round(rate.migrate_gb_s * GB_S_MIB),
    }
    return load_text(_text(), "bench", sized | (changes or {}))
