"""What a kdamond knows besides its regions (docs/model.md#damon)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damon_region import VIRTUAL, Regions, regions
from tiering.engine.scheme_table import NR_FIELDS
from tiering.sources.damon_knobs import Damon

NS_PER_US = 1000
US_PER_MS = 1000

NR_AT = 15
(
    STAGE, WAKE, PASSED, NEXT_AGGR, NEXT_UPDATE, NEXT_TUNE, SAMPLE_US, AGGR_US,
    AGGR_SAMPLES, MOST_ACCESSES, LAST_NR, CHECKS, DRAWS, SEEN, AGGREGATED,
) = range(NR_AT)  # fmt: skip
"""Fields of `at`: where it is in its loop; end of a sleep, ns; sampling intervals passed, and those
at which to aggregate, update and tune; intervals in force; most accesses of a
region in this aggregation; regions when they were last split; checks and random numbers so far;
samples found accessed that nobody has taken yet; whether an aggregation just ended."""

PREPARE, SLEEP, APPLY, FINISH, UPDATE, WAIT = range(6)
"""Stages: about to pick pages; asleep until they are checked; the caller may apply schemes; about
to tune and split; the caller is to look which mms there are; asleep for a watermark."""

BUFFER = 1 << 16


class Rules(NamedTuple):
    """The knobs as the loops take them; half_ns: clearing or reading one accessed bit."""

    update_us: int
    min_nr_regions: int
    max_nr_regions: int
    access_bp: int
    tune_aggrs: int
    min_sample_us: int
    max_sample_us: int
    begins_anew: bool
    half_ns: float


class Context(NamedTuple):
    """A kdamond and what it monitors. at: see above. seen: u32 folios found accessed. key: u64[1]
    of its random numbers. schemes: i64[S, NR_FIELDS], see engine/scheme_table.py."""

    regions: Regions
    at: NDArray[np.int64]
    seen: NDArray[np.uint32]
    key: NDArray[np.uint64]
    schemes: NDArray[np.int64]


def rules_of(knobs: Damon, side: int, slow: float) -> Rules:
    """slow: ns of the clock for a ns of CPU."""
    check_ns = knobs.vaddr_check_ns if side == VIRTUAL else knobs.paddr_check_ns
    return Rules(
        knobs.update_ms * US_PER_MS, knobs.min_nr_regions, knobs.max_nr_regions, knobs.access_bp,
        knobs.tune_aggrs, knobs.min_sample_us, knobs.max_sample_us,
        knobs.tuned_apply == "as_posted", check_ns * slow / 2,
    )  # fmt: skip


def context(knobs: Damon, side: int, nr_granules: int, nr_targets: int, key: np.uint64) -> Context:
    """One that has not begun; key: of its random numbers."""
    most = 3 * knobs.max_nr_regions + nr_targets * (knobs.min_nr_regions + 3) + 64
    at = np.zeros(NR_AT, np.int64)
    samples = max(knobs.aggr_us // knobs.sample_us, 1)
    at[STAGE] = UPDATE
    at[SAMPLE_US], at[AGGR_US], at[AGGR_SAMPLES] = knobs.sample_us, knobs.aggr_us, samples
    at[NEXT_AGGR], at[NEXT_TUNE] = samples, samples * knobs.tune_aggrs
    at[NEXT_UPDATE] = knobs.update_ms * US_PER_MS // knobs.sample_us
    return Context(
        regions(most, nr_granules, side), at, np.zeros(max(BUFFER, 2 * most), np.uint32),
        np.array([key], np.uint64), np.zeros((0, NR_FIELDS), np.int64),
    )  # fmt: skip
