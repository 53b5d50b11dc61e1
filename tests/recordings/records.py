"""Small recordings made by hand for tests of the reader and of the grid."""

import json
import zlib
from typing import Any

import numpy as np

from tiering.recordings.damo import Recording, Regions

MIB = 2**20


def record(**changes: Any) -> list[dict[str, Any]]:
    """A valid record of two snapshots as damo writes it; `changes` replace its keys."""

    def region(start: int, end: int, samples: int) -> dict[str, Any]:
        return {
            "start": f"{start:,}",
            "end": f"{end:,}",
            "nr_accesses": {"samples": samples, "percent": None},
            "age": {"usec": None, "aggr_intervals": "1"},
        }

    def snapshot(second: int, *regions: dict[str, Any]) -> dict[str, Any]:
        return {
            "start_time": f"{second:,}000000000",
            "end_time": str((second + 1) * 10**9),
            "regions": list(regions),
        }

    return [
        {
            "intervals": {"sample_us": "50000", "aggr_us": "1000000"},
            "snapshots": [
                snapshot(5, region(4096 * MIB, 4100 * MIB, 3), region(4100 * MIB, 4200 * MIB, 0)),
                snapshot(6, region(4096 * MIB, 4200 * MIB, 20)),
            ],
            **changes,
        }
    ]


def packed(document: Any) -> bytes:
    """The bytes of a file that holds the document."""
    return zlib.compress(json.dumps(document).encode())


def recording(*snapshots: list[tuple[float, float, int]], seconds: float = 1.0) -> Recording:
    """A recording with n = 20; each region is (start MiB, end MiB, nr_accesses)."""
    start = np.arange(len(snapshots), dtype=np.float64) * (seconds * 1e9)
    tables = [
        Regions(
            np.array([int(a * MIB) for a, _, _ in rows], np.uint64),
            np.array([int(b * MIB) for _, b, _ in rows], np.uint64),
            np.array([nr for _, _, nr in rows], np.int64),
        )
        for rows in snapshots
    ]
    return Recording("hand", 0.05, 1.0, start, np.add(start, seconds * 1e9), tuple(tables))
