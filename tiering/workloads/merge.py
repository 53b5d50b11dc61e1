"""One phase table for a process whose VMAs each have their own (docs/model.md#phases-of-a-process).

Phases are counted in accesses of the process, so all its VMAs share one axis and the process's
borders are the union of theirs. They repeat together after the longest lap if that is a whole
number of laps of every other VMA, or never if none of them does; anything else is refused.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiering.workloads.pattern import PatternError, Region, Workload

MAX_PHASES = 4096  # of a process: each has a share and a cumulated share of every row
SAME = 1e-9  # of a lap: borders nearer than that are one
Floats = NDArray[np.float64]


def merge(regions: Sequence[Region]) -> Workload:
    """The regions over the union of their phases; static regions repeat their one phase.

    Raises PatternError, one sentence with VMAs and laps, if the phases have no common table.
    """
    phased = [region for region in regions if region.phase_accesses.size > 1]
    if not phased:
        return Workload(tuple(regions), np.zeros(0))
    longest = max(phased, key=_lap)
    begin = np.unique(np.concatenate([_repeated(region, longest) for region in phased]))
    lap = _lap(longest)
    begin = begin[np.diff(begin, prepend=-np.inf) > SAME * min(lap, begin[-1])]
    _check_size(" and ".join(region.name for region in phased), begin.size)
    length = longest.phase_accesses
    if begin.size > length.size:
        length = np.diff(begin, append=lap)
    middle = begin + 0.5 * length
    return Workload(tuple(_over(region, middle, length) for region in regions), length)


def _lap(region: Region) -> float:
    """Accesses a lap."""
    return float(np.cumsum(region.phase_accesses)[-1])


def _begins(region: Region) -> Floats:
    """f64[nr_phases] accesses from the begin of the lap to the begin of each phase."""
    return np.concatenate([[0.0], np.cumsum(region.phase_accesses)[:-1]])


def _repeated(region: Region, longest: Region) -> Floats:
    """All begins of the region's phases in one lap of `longest`."""
    lap, whole = _lap(region), _lap(longest)
    if not np.isfinite(lap):
        return _begins(region)
    if not np.isfinite(whole):
        raise PatternError(
            f"VMA {longest.name} never begins again, VMA {region.name} does every {_count(lap)} "
            "accesses: put them into processes of their own"
        )
    nr_laps = round(whole / lap)
    if abs(nr_laps * lap - whole) > SAME * whole:
        raise PatternError(
            f"VMA {longest.name} has a lap of {_count(whole)} accesses and VMA {region.name} one "
            f"of {_count(lap)}: the longest lap should be a whole number of each of the others"
        )
    _check_size(f"{longest.name} and {region.name}", nr_laps * region.phase_accesses.size)
    return (np.arange(nr_laps)[:, None] * lap + _begins(region)).ravel()


def _check_size(names: str, nr_phases: int) -> None:
    if nr_phases > MAX_PHASES:
        raise PatternError(
            f"VMAs {names} have {nr_phases} phases before they repeat together: should be at most "
            f"{MAX_PHASES}"
        )


def _count(accesses: float) -> str:
    return f"{accesses:,.15g}".replace(",", "_")


def _over(region: Region, middle: Floats, length: Floats) -> Region:
    """The region with the phases of the process; middle, length: f64[nr_phases] accesses."""
    phase = np.zeros(middle.size, np.int64)
    if region.phase_accesses.size > 1:
        lap = _lap(region)
        inside = np.fmod(middle, lap) if np.isfinite(lap) else middle
        phase = np.searchsorted(_begins(region), inside, side="right") - 1
    populated = region.populated[phase] if region.populated.size else region.populated
    return replace(region, share=region.share[phase], phase_accesses=length, populated=populated)
