"""Every folio gets the same share of the accesses (docs/model.md#uniform).

    w = 1 / n

Not modelled: nothing more is meant; a sequential sweep is a different pattern, since its touches
of a folio are not independent of each other in time.
"""

from typing import NamedTuple

import numpy as np

from tiering.workloads.pattern import Region


class Uniform(NamedTuple):
    """No knobs."""


def build(knobs: Uniform, nr_folios: int, seed: int) -> Region:
    """One row for all nr_folios > 0 folios; seed is not used."""
    share = np.full((1, 1), 1.0 / nr_folios)
    return Region("uniform", nr_folios, np.zeros(nr_folios, np.uint8), share)
