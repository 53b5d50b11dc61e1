"""One pass after another through the pages, in order or by a stride (docs/model.md#sequential).

    access m of the region touches the page of rank floor(m / burst) mod n

Touch times are known, not drawn (engine/sweep.py). Where the process's accesses are served is taken
from the mean over a pass. Not modelled: the prefetcher.
"""

from typing import Annotated, NamedTuple

import numpy as np

from tiering.model.knobs import Knob
from tiering.workloads.pattern import Region


class Sequential(NamedTuple):
    """A scan, a stream or a stencil."""

    stride_pages: Annotated[
        int, Knob("pages", 1, 2**28, "Distance of one page to the next; 1 is sequential.")
    ] = 1
    burst: Annotated[
        int,
        Knob("", 1, 4096, "Accesses to a page before the next one: 64 reads all of its lines.",
             "4 KiB / 64 B"),
    ] = 64  # fmt: skip


def build(knobs: Sequential, nr_folios: int, seed: int) -> Region:
    """One row for all nr_folios > 0 pages; seed is not used."""
    share = np.full((1, 1), 1.0 / nr_folios)
    classes = np.zeros(nr_folios, np.uint8)
    stride = min(knobs.stride_pages, nr_folios)
    return Region("sequential", nr_folios, classes, share, sweep=(stride, knobs.burst))
