"""A working set that grows: pages come one after another, all present ones alike.

    n_k = n (start + (1 - start) k / steps) pages in phase k,    w = 1 / n_k

docs/model.md#growing.
A step comes every `step_accesses` accesses of the process; its pages are allocated at the first
tick of the phase, by first touch. After the last step nothing more happens. Not modelled: pages
that are freed again.
"""

from typing import Annotated, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.layout import lay_out
from tiering.workloads.pattern import Region


class Growing(NamedTuple):
    """From start_pct to all of the VMA."""

    start_pct: Annotated[float, Knob("%", 0.01, 100, "Part that is there at the begin.")] = 25.0
    steps: Annotated[int, Knob("", 1, 63, "Steps in which the rest comes.")] = 15
    step_accesses: Annotated[
        float,
        Knob("", 1, 1e18, "Accesses of the process between two steps: seconds times throughput."),
    ] = 1e8


def build(knobs: Growing, nr_folios: int, seed: int) -> Region:
    """A row for what is there at the begin and one for each step; seed is not used."""
    part = knobs.start_pct / 100
    grown = [part + (1 - part) * k / knobs.steps for k in range(knobs.steps + 1)]
    populated = np.array([max(1, round(nr_folios * one)) for one in grown], np.int64)
    populated[-1] = nr_folios
    classes = lay_out(populated, seed, "contiguous")
    there = np.arange(knobs.steps + 1)[None, :] <= np.arange(knobs.steps + 1)[:, None]
    share = np.where(there, 1.0 / populated[:, None], 0.0)
    length = np.full(knobs.steps + 1, knobs.step_accesses)
    length[-1] = np.inf
    return Region("growing", nr_folios, classes, share, phase_accesses=length, populated=populated)
