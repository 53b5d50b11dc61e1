"""A hot window that moves over the address range (docs/model.md#moving-hot-set).

    w_hot = q / h,    w_cold = (1 - q) / (n - h),    window of phase k: from k step, h folios long

modulo the range, with q = hot_access of the accesses and h = hot_size of n folios. A phase lasts
phase_accesses accesses of the process. The range is cut into the smallest number of equal segments
(64 at most) of which window and step are whole multiples; a segment is a row. Segments of a size
that is no whole number of folios differ by one folio.

Source: assumption. Not modelled: a window that slides folio by folio, heat that fades gradually.
"""

from math import gcd
from typing import Annotated, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.layout import Layout, lay_out
from tiering.workloads.pattern import PatternError, Region

MAX_SEGMENTS = 64
SLACK_PCT = 0.001  # a third may be written 33.333


class MovingHotSet(NamedTuple):
    """A tenth of the folios, on its way through all of them."""

    hot_size_pct: Annotated[
        float,
        Knob("%", 1.5625, 98.4375, "Size of the window in percent of the folios.", "assumption"),
    ] = 10.0
    hot_access_pct: Annotated[
        float, Knob("%", 0, 100, "Part of the accesses that goes to the window.", "assumption")
    ] = 90.0
    step_pct: Annotated[
        float,
        Knob("%", 1.5625, 98.4375, "Part of the folios by which it moves on.", "assumption"),
    ] = 5.0
    phase_accesses: Annotated[
        float,
        Knob(
            "accesses", 1, 1e18,
            "Accesses of the process from one step to the next: phase_accesses / throughput is "
            "the time in seconds.", "assumption: 10 s at 10 million accesses a second",
        ),
    ] = 1e8  # fmt: skip
    layout: Annotated[
        Layout,
        Knob("", None, None, "Window over neighbouring addresses, or over random places."),
    ] = "contiguous"


def build(knobs: MovingHotSet, nr_folios: int, seed: int) -> Region:
    """Row j is segment j. Raises PatternError where window and step share no segments."""
    nr, size, step = segments(knobs.hot_size_pct, knobs.step_pct)
    if nr_folios < nr:
        raise PatternError(
            f"moving_hot_set.hot_size_pct = {knobs.hot_size_pct:g} and step_pct = "
            f"{knobs.step_pct:g} cut the VMA into {nr} segments: {nr_folios} folios are too few"
        )
    border = np.arange(nr + 1) * nr_folios // nr
    first = np.arange(nr // gcd(nr, step)) * step
    hot = (np.arange(nr) - first[:, None]) % nr < size
    nr_hot = (hot * np.diff(border)).sum(axis=1, keepdims=True)
    to_hot = knobs.hot_access_pct / 100
    share = np.where(hot, to_hot / nr_hot, (1.0 - to_hot) / (nr_folios - nr_hot))
    return Region(
        "moving_hot_set", nr_folios, lay_out(border[1:], seed, knobs.layout), share,
        phase_accesses=np.full(first.size, float(knobs.phase_accesses)),
    )  # fmt: skip


def segments(hot_size_pct: float, step_pct: float) -> tuple[int, int, int]:
    """(segments in all, of the window, of a step), the fewest that fit.

    Raises PatternError with the nearest pair of percentages that is allowed.
    """
    wanted = np.array([hot_size_pct, step_pct])
    nearest, distance = wanted, np.inf
    for nr in range(2, MAX_SEGMENTS + 1):
        whole = np.clip(np.rint(wanted * nr / 100), 1, nr - 1)
        off = float(np.abs(whole * 100 / nr - wanted).max())
        if off <= SLACK_PCT:
            return nr, int(whole[0]), int(whole[1])
        if off < distance:
            nearest, distance = whole * 100 / nr, off
    raise PatternError(
        f"moving_hot_set.hot_size_pct = {hot_size_pct:g} and step_pct = {step_pct:g}: allowed are "
        f"two whole multiples of 100 / n % with one n of 2 .. {MAX_SEGMENTS}, the nearest are "
        f"{nearest[0]:g} and {nearest[1]:g}"
    )
