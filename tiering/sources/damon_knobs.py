"""Knobs of DAMON's monitoring (docs/model.md#damon)."""

from typing import Annotated, Literal, NamedTuple

from tiering.model.knobs import Knob

_ATTRS = "struct damon_attrs: "
_GOAL = "struct damon_intervals_goal: "


class Damon(NamedTuple):
    """Knobs of every kdamond."""

    operations: Annotated[
        Literal["paddr", "vaddr"],
        Knob("", None, None, "What regions divide: frames of the nodes that a scheme takes from, "
             "or the address spaces of all mms.", "contexts/N/operations"),
    ] = "paddr"  # fmt: skip
    sample_us: Annotated[
        int,
        Knob("us", 100, 60_000_000, "Sampling interval: one page of each region is checked in it.",
             _ATTRS + "sample_interval"),
    ] = 5000  # fmt: skip
    aggr_us: Annotated[
        int,
        Knob("us", 100, 600_000_000, "Aggregation interval, after which regions are merged and "
             "split.", _ATTRS + "aggr_interval"),
    ] = 100_000  # fmt: skip
    update_ms: Annotated[
        int,
        Knob("ms", 1, 3_600_000, "Time after which vaddr looks which mms and VMAs there are.",
             _ATTRS + "ops_update_interval; 60 s in sysfs"),
    ] = 60_000  # fmt: skip
    min_nr_regions: Annotated[
        int,
        Knob("regions", 3, 100_000, "A region is at most this part of the whole.",
             _ATTRS + "min_nr_regions"),
    ] = 10  # fmt: skip
    max_nr_regions: Annotated[
        int,
        Knob("regions", 3, 100_000, "Most regions of a kdamond.", _ATTRS + "max_nr_regions"),
    ] = 1000
    access_bp: Annotated[
        int,
        Knob("/10000", 0, 10_000, "Part of all checks that should find an access: both intervals "
             "are tuned to that; 0 = they stay as they are.", _GOAL + "access_bp; 400 is advised"),
    ] = 0  # fmt: skip
    tune_aggrs: Annotated[
        int,
        Knob("", 1, 10_000, "Aggregations between two steps of the tuning.", _GOAL + "aggrs"),
    ] = 3
    min_sample_us: Annotated[
        int,
        Knob("us", 100, 60_000_000, "Shortest sampling interval of the tuning.",
             _GOAL + "min_sample_us"),
    ] = 5000  # fmt: skip
    max_sample_us: Annotated[
        int,
        Knob("us", 100, 60_000_000, "Longest sampling interval of the tuning.",
             _GOAL + "max_sample_us"),
    ] = 10_000_000  # fmt: skip
    tuned_apply: Annotated[
        Literal["as_posted", "as_intended"],
        Knob("", None, None, "Whether a step of the tuning begins the apply intervals of schemes "
             "anew, as posted, or leaves them the time that is left.",
             "damon_set_attrs: damos_set_next_apply_sis"),
    ] = "as_posted"  # fmt: skip
    paddr_check_ns: Annotated[
        float,
        Knob("ns", 0, 1_000_000, "CPU time of one check by reverse map: clearing the accessed bit "
             "and reading it.", "assumption: two of reclaim's rmap_ns", live=True),
    ] = 500.0  # fmt: skip
    vaddr_check_ns: Annotated[
        float,
        Knob("ns", 0, 1_000_000, "The same by a page-table walk to one PTE.",
             "assumption: two walks whose upper levels are cached", live=True),
    ] = 200.0  # fmt: skip
