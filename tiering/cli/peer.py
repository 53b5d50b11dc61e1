"""libCacheSim, an independent cache simulator, on the same traces as `engine/replay.py`.

It is a requirement of the tests alone and is imported by name when asked for, so that `bench` also
runs without it. Objects are of unit size; its traces are files of 24-byte records
(oracleGeneral: time u32, object u64, size u32, next access i64).
"""

import importlib
import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

POLICIES = {"lru": "LRU", "fifo": "FIFO", "clock": "Clock"}
"""Its names for the policies that are the same in both."""
RECORD = np.dtype([("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
HASH_POWER = 20  # its table begins with 2**20 buckets and grows


def installed() -> bool:
    """True if libcachesim can be imported."""
    return importlib.util.find_spec("libcachesim") is not None


def write_trace(trace: NDArray[np.uint32], path: Path) -> None:
    """Write the trace (u32[n] page ids) as it reads them; next accesses are left unknown."""
    records = np.zeros(trace.size, RECORD)
    records["object"] = trace.astype(np.uint64) + 1
    records["size"] = 1
    records["next"] = -1
    records.tofile(path)


def peer_replay(policy: str, path: Path, nr_accesses: int, frames: int) -> tuple[int, float]:
    """(hits, seconds) of libCacheSim on a file of `write_trace`; ImportError if not installed."""
    peer: Any = importlib.import_module("libcachesim")
    reader = peer.TraceReader(
        trace=str(path),
        trace_type=peer.TraceType.ORACLE_GENERAL_TRACE,
        reader_init_params=peer.ReaderInitParam(ignore_obj_size=True),
    )
    cache = getattr(peer, POLICIES[policy])(cache_size=frames, hashpower=HASH_POWER)
    begin = time.perf_counter()
    miss_share = cache.process_trace(reader)[0]
    seconds = time.perf_counter() - begin
    return round((1.0 - miss_share) * nr_accesses), seconds
