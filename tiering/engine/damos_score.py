"""Which regions a scheme wants, and which of them first (docs/model.md#damos).

Mirrors __damos_valid_target, damon_hot_score and damon_cold_score.
"""

import numpy as np

from tiering.engine.damon_region import ACCESSES_BP, AGE, BP, NR_ACCESSES, size_of
from tiering.engine.jit import loop

MOST_SCORE = 99
_SUBSCORE = 100
_AGE_BITS = 32
_US_PER_S = 1_000_000


@loop
def fits(regions, at, rules):  # type: ignore[no-untyped-def]
    """Whether size, accesses and age of a region are what the scheme looks for."""
    size = size_of(regions, at)
    accesses = regions.row[at, ACCESSES_BP] // BP
    age = regions.row[at, AGE]
    if size < max(rules.min_pages, 1) or size > rules.max_pages:
        return False
    if accesses < rules.min_nr_accesses or accesses > rules.max_nr_accesses:
        return False
    return rules.min_age <= age <= rules.max_age


@loop
def hot_score(accesses, age, aggr_us, samples, weight_accesses, weight_age):  # type: ignore[no-untyped-def]
    """0 .. 99: a region with many accesses for long is hot, one with none for long is cold.

    age: in aggregations of aggr_us; samples: in an aggregation.
    """
    frequency = accesses * _SUBSCORE // samples
    seconds = age * aggr_us // _US_PER_S
    bits = np.int64(0)
    while bits < _AGE_BITS and seconds > 0:
        bits += 1
        seconds >>= 1
    if frequency == 0:
        bits = -bits
    aged = (bits + _AGE_BITS) * _SUBSCORE // _AGE_BITS // 2
    score = weight_accesses * frequency + weight_age * aged
    if weight_accesses + weight_age > 0:
        score //= weight_accesses + weight_age
    return score * MOST_SCORE // _SUBSCORE


@loop
def score(regions, at, rules, aggr_us, samples):  # type: ignore[no-untyped-def]
    """How much the scheme wants a region: its heat, or its cold."""
    hot = hot_score(
        regions.row[at, NR_ACCESSES], regions.row[at, AGE], aggr_us, samples,
        rules.weight_nr_accesses, rules.weight_age,
    )  # fmt: skip
    return hot if rules.hot else MOST_SCORE - hot
