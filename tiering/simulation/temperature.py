"""What a memory of reports says of heat beside the truth (docs/model.md#accuracy)."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW
from tiering.engine.jit import Direct
from tiering.engine.touch import row_rates
from tiering.hotness.hotness import Counting

if TYPE_CHECKING:
    from tiering.simulation.loop import Simulation

MOST_FOLIOS = 65_536
"""So many folios, evenly apart, stand for all."""
NS_PER_MS = 1_000_000

_row_rates = Direct(row_rates)


def temperature(sim: "Simulation") -> dict[str, float | None]:
    """Figures of the memory on folios of lower tiers; none where it does not count.

    rank_correlation: of its heat with the true touch rate, None where either is the same for all.
    heat_of_hot, heat_of_rest: mean heat of the folios that belong on the top tier, and of the rest.
    """
    memory = sim.filters.hotness
    if not isinstance(memory, Counting):
        return {}
    folios, rate, hot = _sampled(sim)
    heat = memory.heat_of(folios, sim.time_ns // NS_PER_MS)
    return {
        "rank_correlation": rank_correlation(heat, rate),
        "heat_of_hot": _mean(heat[hot]),
        "heat_of_rest": _mean(heat[~hot]),
    }


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Spearman's rho, -1..1: Pearson's correlation of ranks, equal values sharing their mean rank.

    Sums are of whole numbers, so that it is the same on every machine.
    """
    a, b = _centred_ranks(x), _centred_ranks(y)
    together, own = int((a * b).sum()), (int((a * a).sum()), int((b * b).sum()))
    if own[0] == 0 or own[1] == 0:
        return None
    return together / float(np.sqrt(float(own[0])) * np.sqrt(float(own[1])))


def _centred_ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the rank of each, less that of the middle; |sum of products| < n^3 fits 63 bits."""
    _, which, nr = np.unique(values, return_inverse=True, return_counts=True)
    before = np.cumsum(nr) - nr
    ranks: NDArray[np.int64] = (2 * before + nr)[which] - values.size
    return ranks


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(np.cumsum(values)[-1]) / values.size if values.size else None


def _sampled(
    sim: "Simulation",
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """(populated folios of lower tiers, touches per ns of each, whether it is hot)."""
    world, flow = sim.world, sim.progress.flow
    memory = world.memory
    rates = np.zeros(memory.pages.size)
    _row_rates(world.rates, flow.tau, flow.speed, rates)
    first = np.cumsum(memory.nr) - memory.nr
    there = int(memory.nr.sum())
    nth = np.arange(0, there, max(-(-there // MOST_FOLIOS), 1))
    granule = np.searchsorted(first, nth, "right") - 1
    folios = granule * GRANULE + nth - first[granule]
    value = memory.folio[folios]
    low = value & np.uint32(SLOW) != 0
    row = (memory.row0[granule] + (value & np.uint32(CLASS_MASK)).astype(np.int64))[low]
    sim.optimum.share()
    return folios[low].astype(np.int64), rates[row] / memory.pages[row], sim.optimum.hot[row]
