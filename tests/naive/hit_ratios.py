"""Hit ratios of the independent reference model from the literature, by the shortest route.

law: f64[N] access probabilities of the pages; frames: pages that fit, below N.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]


def lru_exact(law: Floats, frames: int) -> float:
    """King 1971: P(stack is i1 .. iC) = prod of p_ij / (1 - p_i1 - .. - p_i(j-1)); all stacks."""
    total = 0.0
    for stack in itertools.permutations(law.tolist(), frames):
        probability, left = 1.0, 1.0
        for p in stack:
            probability *= p / left
            left -= p
        total += probability * sum(stack)
    return total


def fifo_exact(law: Floats, frames: int) -> float:
    """Gelenbe 1973: P(set S is resident) is proportional to the product of its p; all sets."""
    sets = list(itertools.combinations(law.tolist(), frames))
    weights = [math.prod(pages) for pages in sets]
    hits = sum(w * sum(pages) for w, pages in zip(weights, sets, strict=True))
    return float(hits / sum(weights))


def lru_che(law: Floats, frames: int) -> float:
    """Che, Tung, Wang 2002: a page is resident if touched within t_C."""

    def resident(t: float) -> Floats:
        return -np.expm1(-law * t)

    return float(law @ resident(_characteristic_time(resident, frames)))


def fifo_che(law: Floats, frames: int) -> float:
    """As `lru_che`, but residence is counted from arrival and not renewed by hits."""

    def resident(t: float) -> Floats:
        return law * t / (1.0 + law * t)

    return float(law @ resident(_characteristic_time(resident, frames)))


def _characteristic_time(resident: Callable[[float], Floats], frames: int) -> float:
    """The time within which as many pages are expected to be resident as there are frames."""
    return float(optimize.brentq(lambda t: resident(t).sum() - frames, 0.0, 1e12, xtol=1e-6))
