"""Rows of a run as a table for pandas."""

from typing import Any

import numpy as np
import pandas as pd

INDEX = "time_ns"


def load(rows: bytes, schema: dict[str, Any]) -> pd.DataFrame:
    """A DataFrame of a run's rows, indexed by simulated time (a TimedeltaIndex).

    rows: those of its blocks, one after another. schema: of tiering/model/metrics.py. Columns have
    the names of the metrics, with node, mm or thread in brackets: `node.resident_mib[DRAM]`.
    Raises ValueError if the bytes are no whole rows.
    """
    width = schema["row_bytes"]
    if len(rows) % width:
        raise ValueError(f"{len(rows)} bytes are no whole rows of {width} bytes")
    values = np.frombuffer(rows, "<f8").reshape(-1, width // 8)
    frame = pd.DataFrame(values, columns=_columns(schema))
    time = pd.to_timedelta(frame.pop(INDEX).astype("int64"), unit="ns")
    return frame.set_index(pd.TimedeltaIndex(time, name="time"))


def _columns(schema: dict[str, Any]) -> list[str]:
    """Names in the order of the row; two names where a metric is of an mm on a node."""
    scopes = {
        "node": schema["nodes"],
        "mm": schema["mms"],
        "thread": schema["threads"],
        "mm_node": [f"{mm}, {node}" for mm in schema["mms"] for node in schema["nodes"]],
    }
    names: list[str] = []
    for field in schema["columns"]:
        scope = field.partition(".")[0] if "." in field else ""
        names += [f"{field}[{one}]" for one in scopes[scope]] if scope else [field]
    return names
