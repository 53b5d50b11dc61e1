"""The optimum: which folios the fast tier should hold at this instant (docs/model.md#oracle).

A fractional knapsack over the touch rates, with free migration: no placement serves a larger
share of the accesses from the top tier.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW, Memory, move
from tiering.engine.jit import loop


def quota(
    nr_folios: NDArray[np.int64], rate: NDArray[np.float64], capacity: int
) -> NDArray[np.int64]:
    """Folios of each row that belong on the top tier.

    nr_folios: i64[R], rate: f64[R] touches per second of one folio, capacity: folios.
    Rows of equal rate are filled in row order.
    """
    order = np.argsort(-rate, kind="stable")
    folios = nr_folios[order]
    before = np.cumsum(folios) - folios
    wanted = np.zeros_like(nr_folios)
    wanted[order] = np.clip(capacity - before, 0, folios)
    return wanted


def best_share(nr_folios: NDArray[np.int64], rate: NDArray[np.float64], capacity: int) -> float:
    """Largest part of the touches that the top tier can serve (1.0 if nothing is touched)."""
    total = float(np.cumsum(nr_folios * rate)[-1])
    if total <= 0.0:
        return 1.0
    return float(np.cumsum(quota(nr_folios, rate, capacity) * rate)[-1]) / total


def rearrange(memory: Memory, wanted: NDArray[np.int64], top: int, slow: int) -> int:
    """Bring `wanted` folios (i64[R]) of each row to node `top`, all others to `slow`.

    Costs nothing and needs no room beforehand: leavers go first. Returns the folios promoted.
    """
    down = wanted - memory.resident[:, top]
    _shift(memory, np.maximum(-down, 0), False, top, slow)
    return int(_shift(memory, np.maximum(down, 0), True, top, slow))


@loop
def _shift(memory, left, upward, top, slow):  # type: ignore[no-untyped-def]
    moved = 0
    for granule in range(memory.nr.size):
        row0 = memory.row0[granule]
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            value = memory.folio[index]
            row = row0 + np.int64(value & np.uint32(CLASS_MASK))
            if left[row] > 0 and ((value & np.uint32(SLOW)) != 0) == upward:
                move(memory, index, top if upward else slow, 0 if upward else 1)
                left[row] -= 1
                moved += 1
    return moved
