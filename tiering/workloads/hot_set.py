"""A part of the folios takes a part of the accesses (docs/model.md#hot-set).

    w_hot = q / h,    w_cold = (1 - q) / (n - h),    h = hot_size of n folios, q = hot_access

Without hot or without cold folios (0 % and 100 %) all n are alike and hot_access has no meaning; a
size above 0 % is at least one folio. Not modelled: a hot set that moves.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.pattern import Region
from tiering.workloads.scatter import scattered_ranks


class HotSet(NamedTuple):
    """A classic 90/10 set by default."""

    hot_size_pct: Annotated[
        float, Knob("%", 0, 100, "Part of the folios that is hot.", "assumption")
    ] = 10.0
    hot_access_pct: Annotated[
        float, Knob("%", 0, 100, "Part of the accesses that goes to the hot folios.", "assumption")
    ] = 90.0
    layout: Annotated[
        Literal["scattered", "contiguous"],
        Knob("", None, None, "Hot folios at random places or at the begin of the VMA."),
    ] = "scattered"


def build(knobs: HotSet, nr_folios: int, seed: int) -> Region:
    """Row 0 is hot, row 1 cold; one row if all nr_folios > 0 folios are alike."""
    nr_hot = round(nr_folios * knobs.hot_size_pct / 100)
    if knobs.hot_size_pct > 0:
        nr_hot = max(1, nr_hot)
    classes = np.zeros(nr_folios, np.uint8)
    if nr_hot in (0, nr_folios):
        return Region("hot_set", nr_folios, classes, np.full((1, 1), 1.0 / nr_folios))
    if knobs.layout == "contiguous":
        classes[nr_hot:] = 1
    else:
        for first, rank in scattered_ranks(nr_folios, seed):
            classes[first : first + rank.size] = rank >= nr_hot
    to_hot = knobs.hot_access_pct / 100
    share = np.array([[to_hot / nr_hot, (1.0 - to_hot) / (nr_folios - nr_hot)]])
    return Region("hot_set", nr_folios, classes, share)
