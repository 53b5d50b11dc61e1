"""Whether compiled loops wait in the cache, or the first run has to compile them."""

import os
from pathlib import Path

from tiering.engine.jit import DISABLED


def loops_compiled() -> bool:
    """True if an earlier process left compiled loops of these sources, or none are needed."""
    folder = os.environ.get("NUMBA_CACHE_DIR", "")
    return DISABLED or any(Path(folder).rglob("*.nbi"))
