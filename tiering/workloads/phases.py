"""Disjoint hot sets that take turns (docs/model.md#phases).

    w_turn = q / h,    w_else = (1 - q) / (n - h)

In phase k the set k mod nr_sets takes q = hot_access of the accesses with its h = hot_size of n
folios, and all other folios, those of the resting sets too, share what is left. A phase lasts
phase_accesses accesses of the process. A set is at least one folio.

Source: assumption. Not modelled: sets that overlap, turns of different lengths or sizes.
"""

from typing import Annotated, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.layout import Layout, lay_out
from tiering.workloads.pattern import PatternError, Region


class Phases(NamedTuple):
    """Two sets of a tenth of the folios each."""

    nr_sets: Annotated[int, Knob("", 2, 8, "Hot sets that take turns.", "assumption")] = 2
    hot_size_pct: Annotated[
        float, Knob("%", 0.001, 50, "Part of the folios in each set.", "assumption")
    ] = 10.0
    hot_access_pct: Annotated[
        float,
        Knob("%", 0, 100, "Part of the accesses that goes to the set in turn.", "assumption"),
    ] = 90.0
    phase_accesses: Annotated[
        float,
        Knob(
            "accesses", 1, 1e18,
            "Accesses of the process in one turn: phase_accesses / throughput is its time in "
            "seconds.", "assumption: 10 s at 10 million accesses a second",
        ),
    ] = 1e8  # fmt: skip
    layout: Annotated[
        Layout,
        Knob("", None, None, "Sets at random places, or one after the other from the begin."),
    ] = "scattered"


def build(knobs: Phases, nr_folios: int, seed: int) -> Region:
    """Row k is set k, the last row is in no set. Raises PatternError where the sets do not fit."""
    nr_sets = knobs.nr_sets
    if nr_sets * knobs.hot_size_pct > 100:
        raise PatternError(
            f"phases.hot_size_pct = {knobs.hot_size_pct:g} with nr_sets = {nr_sets}: the sets "
            f"share no folio, so allowed is at most {100 / nr_sets:.4g} %"
        )
    if nr_folios < nr_sets:
        raise PatternError(f"phases.nr_sets = {nr_sets}: {nr_folios} folios are too few")
    nr_hot = max(1, round(nr_folios * knobs.hot_size_pct / 100))
    nr_hot = min(nr_hot, nr_folios // nr_sets)
    ends = np.arange(1, nr_sets + 1) * nr_hot
    if ends[-1] < nr_folios:
        ends = np.append(ends, nr_folios)
    to_hot = knobs.hot_access_pct / 100
    share = np.full((nr_sets, ends.size), (1.0 - to_hot) / (nr_folios - nr_hot))
    share[np.arange(nr_sets), np.arange(nr_sets)] = to_hot / nr_hot
    return Region(
        "phases", nr_folios, lay_out(ends, seed, knobs.layout), share,
        phase_accesses=np.full(nr_sets, float(knobs.phase_accesses)),
    )  # fmt: skip
