"""The one metrics table: row layout, wire format, CSV header and axis labels all come from it.

A row is a vector of little-endian float64 (counters are whole numbers below 2**53, so they are
exact), sampled on simulated time. A metric of scope `node` has one column per node, and so on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tiering.model.machine_metrics import MACHINE
from tiering.model.metric import Metric, Scope

METRICS: tuple[Metric, ...] = (
    *MACHINE,
    Metric("resident_mib", "MiB", "node", "Memory resident on the node, all processes."),
    Metric("access_share", "", "node", "Share of all accesses served by the node."),
    Metric("latency_ns", "ns", "node", "Loaded latency of one access to the node."),
    Metric("utilisation", "", "node", "Bandwidth in use, accesses and migration copies together."),
    Metric("scan_period_ms", "ms", "node", "Scan period of the node, where the scan is physical."),
    Metric(
        "scan_interval_ms", "ms", "node",
        "Time between the starts of the last two visits, where the scan is physical.",
    ),
    Metric(
        "full_scan_ms", "ms", "node", "Time of the last full scan, where the scan is physical."
    ),
    Metric("scan_size_mib", "MiB", "node", "Scan size of the node, where the scan is physical."),
    Metric("scan_useful", "folios", "node", "Useful folios found by the last physical visit."),
    Metric("longest_visit_ms", "ms", "node", "Longest uninterrupted physical visit so far."),
    Metric(
        "missed_deadlines", "", "node", "Physical visits more than a tenth of the period late.",
        counter=True,
    ),
    Metric("nr_visits", "", "node", "Visits of a physical scan to the node.", counter=True),
    Metric("nr_full_scans", "", "node", "Full scans, where the scan is physical.", counter=True),
    Metric("nr_scanned", "pages", "node", "Pages looked at by a physical scan.", counter=True),
    Metric("resident_mib", "MiB", "mm_node", "Memory of one process resident on one node."),
    Metric("throughput", "accesses/s", "mm", "Accesses of the process per simulated second."),
    Metric(
        "slowdown", "", "mm",
        "Time that the accesses since the last row took, over the time they would take with all "
        "memory on an idle top tier; no value where the process did not run all the time.",
    ),
    Metric("progress", "", "mm", "Share of the fixed work that is done; 0 where work is endless."),
    Metric("scan_period_ms", "ms", "mm", "Scan period wanted for the mm."),
    Metric(
        "scan_interval_ms", "ms", "mm", "Measured time between the starts of the last two visits."
    ),
    Metric(
        "full_scan_ms", "ms", "mm", "Time of the last full scan, first PTE to the wrap around."
    ),
    Metric("scan_size_mib", "MiB", "mm", "Scan size budget of the mm's next visit."),
    Metric("scan_useful", "folios", "mm", "Useful folios found by the last visit."),
    Metric("longest_visit_ms", "ms", "mm", "Longest uninterrupted visit so far."),
    Metric(
        "missed_deadlines", "", "mm", "Visits more than a tenth of the wanted period late.",
        counter=True,
    ),
    Metric("nr_visits", "", "mm", "Visits of the scanner to the mm.", counter=True),
    Metric("nr_full_scans", "", "mm", "Full scans of the mm that ended.", counter=True),
    Metric("nr_scanned", "PTEs", "mm", "PTEs looked at by the scanner.", counter=True),
    Metric("busy_ns", "ns", "thread", "CPU time used by the kernel thread.", counter=True),
    Metric("nr_regions", "regions", "thread", "Regions of the kdamond."),
    Metric("sample_ms", "ms", "thread", "Sampling interval of the kdamond."),
    Metric(
        "busy_share", "", "thread", "Share of one CPU used by the kernel thread since the last row."
    ),
)  # fmt: skip


@dataclass(frozen=True)
class RowShape:
    """The names along each scope of one run; fixes the row layout completely."""

    nodes: tuple[str, ...]
    mms: tuple[str, ...]
    threads: tuple[str, ...]

    def extent(self, scope: Scope) -> tuple[int, ...]:
        """Sub-array shape of a metric of that scope."""
        sizes: dict[Scope, tuple[int, ...]] = {
            "machine": (),
            "node": (len(self.nodes),),
            "mm": (len(self.mms),),
            "mm_node": (len(self.mms), len(self.nodes)),
            "thread": (len(self.threads),),
        }
        return sizes[scope]


def row_dtype(shape: RowShape) -> np.dtype[Any]:
    """Structured dtype of one row: every leaf is '<f8', in the order of the table."""
    return np.dtype([(m.field, "<f8", shape.extent(m.scope)) for m in METRICS])


def schema(shape: RowShape) -> dict[str, Any]:
    """JSON-ready description of a row for readers without numpy (the browser).

    {"row_bytes", "nodes", "mms", "threads", "columns": {field: {"offset" (in float64s),
    "shape", "unit", "meaning", "counter"}}}. Sub-arrays are row-major.
    """
    dtype = row_dtype(shape)
    columns = {
        m.field: {
            "offset": dtype.fields[m.field][1] // 8,  # type: ignore[index]
            "shape": list(shape.extent(m.scope)),
            "unit": m.unit,
            "meaning": m.meaning,
            "counter": m.counter,
        }
        for m in METRICS
    }
    return {
        "row_bytes": dtype.itemsize,
        "nodes": list(shape.nodes),
        "mms": list(shape.mms),
        "threads": list(shape.threads),
        "columns": columns,
    }
