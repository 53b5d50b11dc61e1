"""A scheme of DAMOS: its rules, and how far it has come (docs/model.md#damos)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damos_score import MOST_SCORE
from tiering.engine.feed_loop import MOST
from tiering.engine.scheme_table import NR_FIELDS

NO_GOAL, MEM_USED, MEM_FREE = range(3)
GOALS = {"none": NO_GOAL, "node_mem_used_bp": MEM_USED, "node_mem_free_bp": MEM_FREE}
BY_CONSIST, BY_TEMPORAL = range(2)
TUNERS = {"consist": BY_CONSIST, "temporal": BY_TEMPORAL}
ANY_AGE, ALLOW_YOUNG, REJECT_YOUNG = range(3)
YOUNG = {"none": ANY_AGE, "allow": ALLOW_YOUNG, "reject": REJECT_YOUNG}
REACHED = {"as_posted": 0, "as_intended": 10_000}
"""Quota of the temporal tuner when its goal is reached, in bp of a byte: 0, which counts as no
quota, as posted; or a byte, with which no page can be moved."""

NR_STATE = 18
(
    CURSOR, REGION, ADDRESS, SIZE, PASSED_PAGES, CHARGED, CHARGED_FROM, TOTAL_SZ, TOTAL_NS, ESZ_BP,
    ESZ, MIN_SCORE, SKIP_TARGET, SKIP_TO, NR_TRIED, SZ_TRIED, NR_APPLIED, QT_EXCEEDS,
) = range(NR_STATE)  # fmt: skip
"""Fields of `state`: next region to look at, the one that is acted on (-1: none), address reached
in it, its bytes and the pages of it that passed the filter; bytes charged in this window, its begin
(ns), bytes and ns of all windows; quota as tuned (bp) and in force (bytes), least score; target and
address up to which regions were charged before (-1: none); counters of regions and bytes tried, of
regions that had anything to act on, and of windows that used up their quota."""
NOT_YET = -1

US_PER_MS = 1000
PAGES_PER_MIB = 256
MIB = 2**20


class SchemeRules(NamedTuple):
    """The knobs as the loops take them; goal_bp: of the node that the goal is about; filter_ns:
    looking at a folio before it is moved, on the clock."""

    hot: bool
    min_pages: int
    max_pages: int
    min_nr_accesses: int
    max_nr_accesses: int
    min_age: int
    max_age: int
    ms: int
    sz: int
    reset_ms: int
    weight_nr_accesses: int
    weight_age: int
    goal: int
    goal_bp: int
    tuner: int
    reached_bp: int
    young: int
    filter_ns: float


class Scheme(NamedTuple):
    """rules: see above. state: i64[NR_STATE]. histogram: of scores, to work in."""

    rules: SchemeRules
    state: NDArray[np.int64]
    histogram: NDArray[np.int64]


def scheme_rules(hot: bool, knobs: Mapping[str, Any], slow: float = 1.0) -> SchemeRules:
    """From the knobs of a scheme, by name. slow: ns of the clock for a ns of CPU."""
    return SchemeRules(
        hot=hot,
        min_pages=knobs["min_size_kib"] // 4,
        max_pages=knobs["max_size_mib"] * PAGES_PER_MIB or MOST,
        min_nr_accesses=knobs["min_nr_accesses"],
        max_nr_accesses=knobs["max_nr_accesses"],
        min_age=knobs["min_age"],
        max_age=knobs["max_age"],
        ms=knobs["quota_ms"],
        sz=knobs["quota_mib"] * MIB,
        reset_ms=knobs["reset_interval_ms"],
        weight_nr_accesses=knobs["weight_nr_accesses"],
        weight_age=knobs["weight_age"],
        goal=GOALS[knobs["goal"]],
        goal_bp=knobs["goal_bp"],
        tuner=TUNERS[knobs["goal_tuner"]],
        reached_bp=REACHED[knobs["goal_reached"]],
        young=YOUNG[knobs["young"]],
        filter_ns=knobs["filter_ns"] * slow,
    )


def scheme_state() -> NDArray[np.int64]:
    """i64[NR_STATE] of a scheme that was never applied."""
    state = np.zeros(NR_STATE, np.int64)
    state[REGION] = state[CHARGED_FROM] = state[SKIP_TARGET] = state[SKIP_TO] = NOT_YET
    return state


def scheme(rules: SchemeRules) -> Scheme:
    """One that was never applied."""
    return Scheme(rules, scheme_state(), np.zeros(MOST_SCORE + 1, np.int64))


def scheme_row(knobs: Mapping[str, Any]) -> NDArray[np.int64]:
    """i64[NR_FIELDS] of a scheme, which is on; when it is applied is for its kdamond to say."""
    row = np.zeros(NR_FIELDS, np.int64)
    watched = knobs["watermarks"] != "none"
    row[:] = (
        watched, knobs["wmark_interval_ms"] * US_PER_MS, knobs["wmark_high"], knobs["wmark_mid"],
        knobs["wmark_low"], 1, knobs["apply_interval_ms"] * US_PER_MS, 0,
    )  # fmt: skip
    return row
