"""Knobs of the CXL hotness monitoring unit (docs/model.md#chmu)."""

from typing import Annotated, Literal, NamedTuple

from tiering.model.knobs import Knob

_SPEC = "CXL 3.2 CHMU, as in the perf driver RFC of November 2024"


class Chmu(NamedTuple):
    """Knobs of the unit of each slow node, and of the thread that reads their lists."""

    epoch_type: Annotated[
        Literal["epoch", "always_on"],
        Knob("", None, None, "Whether units are listed at the end of an epoch, when all counters "
             "begin anew, or as soon as they reach the threshold, when theirs is freed.",
             _SPEC + ": epoch_type"),
    ] = "epoch"  # fmt: skip
    epoch_ms: Annotated[
        int,
        Knob("ms", 10, 60_000, "Length of an epoch; always on, how often the list is read.",
             _SPEC + ": epoch; QEMU's model refreshes each 100 ms", live=True),
    ] = 100  # fmt: skip
    hotness_threshold: Annotated[
        int,
        Knob("accesses", 1, 65_535, "Counted accesses that make a unit hot.",
             _SPEC + ": hotness_threshold; its examples say 635 and 1,024", live=True),
    ] = 8  # fmt: skip
    downsampling_factor: Annotated[
        int,
        Knob("", 1, 65_536, "One access in so many is counted, chosen at random.",
             _SPEC + ": downsampling_factor, randomised", live=True),
    ] = 1  # fmt: skip
    hotness_granual: Annotated[
        int,
        Knob("log2 bytes", 12, 23, "Size of a unit: 12 is 4 KiB, 21 is 2 MiB.",
             _SPEC + ": hotness_granual"),
    ] = 12  # fmt: skip
    nr_counters: Annotated[
        int,
        Knob("units", 0, 2**31, "Counters of a node, taken by the first units that are accessed in "
             "an epoch; 0 = one for every unit.", "finite; no typical number is published"),
    ] = 0  # fmt: skip
    hotlist_max: Annotated[
        int,
        Knob("entries", 0, 2**31, "Entries of the hot list of a node; what comes after is lost. "
             "0 = no bound.", "QEMU's model has 64"),
    ] = 65_536  # fmt: skip
    access_type: Annotated[
        Literal["both", "reads", "writes"],
        Knob("", None, None, "Which accesses are counted.", _SPEC + ": access_type"),
    ] = "both"  # fmt: skip
    range_base_mib: Annotated[
        int,
        Knob("MiB", 0, 2**31, "Where the range begins of which accesses are counted, in whole 256 "
             "MiB.", _SPEC + ": range_base; a bit for each 256 MiB"),
    ] = 0  # fmt: skip
    range_size_mib: Annotated[
        int,
        Knob("MiB", 0, 2**31, "Size of that range, in whole 256 MiB; 0 = all that there is.",
             _SPEC + ": range_size"),
    ] = 0  # fmt: skip
    entry_ns: Annotated[
        float,
        Knob("ns", 0, 1_000_000, "CPU time of reading an entry.", "reading device memory; a guess"),
    ] = 500.0  # fmt: skip
