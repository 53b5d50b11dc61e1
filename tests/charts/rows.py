"""Rows made up by hand, of any shape."""

from typing import Any, NamedTuple

import numpy as np

from tiering.model.metrics import RowShape, row_dtype, schema


class SomeNode(NamedTuple):
    name: str
    tier: int
    capacity_mib: int


DRAM, CXL = SomeNode("DRAM", 0, 4096), SomeNode("CXL", 1, 8192)
NODES = [DRAM, CXL]
SCANS = {
    "pte_scan.scan_period_ms": 2000,
    "pte_scan.scan_period_min_ms": 400,
    "pte_scan.scan_period_max_ms": 5000,
    "migration.target_node": 0,
}


def shape(*mms: str, threads: tuple[str, ...] = ("kmmscand",)) -> RowShape:
    return RowShape(("DRAM", "CXL"), mms or ("redis",), threads)


def rows(of: RowShape, nr: int) -> Any:
    """Structured rows, all zero but the time: one every 100 ms."""
    made = np.zeros(nr, row_dtype(of))
    made["time_ns"] = np.arange(1, nr + 1) * 100_000_000
    return made


def columns(of: RowShape) -> dict[str, Any]:
    return schema(of)
