"""One block of a run: rows and what happened meanwhile, or no rows and a change of a knob."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Block:
    """`step` counts blocks from 0; `rows` is the row bytes of `nr_rows` rows.

    events: dicts with at least `t_ns` (int) and `text`; `kind` is "log", "knob" or "phase".
    """

    step: int
    nr_rows: int
    rows: bytes
    events: list[dict[str, Any]] = field(default_factory=list)

    def array(self, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """The rows as a structured array of the run's row dtype."""
        return np.frombuffer(self.rows, dtype=dtype, count=self.nr_rows)
