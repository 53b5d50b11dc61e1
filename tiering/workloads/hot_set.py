"""A part of the folios takes a part of the accesses (docs/model.md#hot-set).

    w_hot = q / h,    w_cold = (1 - q) / (n - h),    h = hot_size of n folios, q = hot_access

Without hot or without cold folios (0 % and 100 %) all n are alike and hot_access has no meaning; a
size above 0 % is at least one folio. Hot sets that move or take turns are patterns of their own
(moving_hot_set, phases). Not modelled: grades of heat inside a set.
"""

from typing import Annotated, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.layout import Layout, lay_out
from tiering.workloads.pattern import Region


class HotSet(NamedTuple):
    """A classic 90/10 set by default."""

    hot_size_pct: Annotated[
        float, Knob("%", 0, 100, "Part of the folios that is hot.", "assumption")
    ] = 10.0
    hot_access_pct: Annotated[
        float, Knob("%", 0, 100, "Part of the accesses that goes to the hot folios.", "assumption")
    ] = 90.0
    layout: Annotated[
        Layout,
        Knob("", None, None, "Hot folios at random places or at the begin of the VMA."),
    ] = "scattered"


def build(knobs: HotSet, nr_folios: int, seed: int) -> Region:
    """Row 0 is hot, row 1 cold; one row if all nr_folios > 0 folios are alike."""
    nr_hot = round(nr_folios * knobs.hot_size_pct / 100)
    if knobs.hot_size_pct > 0:
        nr_hot = max(1, nr_hot)
    if nr_hot in (0, nr_folios):
        alike = np.zeros(nr_folios, np.uint8)
        return Region("hot_set", nr_folios, alike, np.full((1, 1), 1.0 / nr_folios))
    classes = lay_out(np.array([nr_hot, nr_folios]), seed, knobs.layout)
    to_hot = knobs.hot_access_pct / 100
    share = np.array([[to_hot / nr_hot, (1.0 - to_hot) / (nr_folios - nr_hot)]])
    return Region("hot_set", nr_folios, classes, share)
