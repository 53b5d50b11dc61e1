"""The folio of rank r gets an r**-s part of the accesses (docs/model.md#zipf).

    w_r = r**-s / sum over k = 1 .. n of k**-s

Ranks are grouped into 64 classes, each wider than the one before by the same factor n**(1/64); the
folios of a class share its accesses equally, and ranks are scattered over the VMA by a keyed
bijection. Class sums are those of the exact law. Inside a class a folio deviates from its own w_r:
for 8 GiB and s = 1 by up to 12 %, for 1 TiB by up to 17 %, more with a larger exponent
(tests/workloads/test_zipf.py).

Not modelled: neighbours of similar heat; every folio's heat is independent of its address.
"""

from functools import lru_cache
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.elementary import exp, expm1, log, power
from tiering.model.knobs import Knob
from tiering.workloads.layout import lay_out
from tiering.workloads.pattern import Region

NR_CLASSES = 64
SUMMED = 4096  # ranks of a class up to which they are summed one by one
_NEAR_0 = 1e-300


class Zipf(NamedTuple):
    """Skew of the accesses."""

    exponent: Annotated[
        float,
        Knob("", 0, 4, "Exponent s of the law; 0 is uniform, YCSB uses 0.99.", "assumption"),
    ] = 0.99


def build(knobs: Zipf, nr_folios: int, seed: int) -> Region:
    """Rows by falling heat, row 0 is the hottest; at most 64 for nr_folios > 0 folios."""
    ends, share = law(nr_folios, knobs.exponent)
    return Region("zipf", nr_folios, lay_out(ends, seed, "scattered"), share)


@lru_cache(maxsize=64)
def law(nr_folios: int, exponent: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(i64[C] rank behind the last of each class, f64[1, C] share of a folio), read-only.

    Remembered: 10,000 processes of one entry have one law.
    """
    border = class_borders(nr_folios)
    weight = class_weights(border, exponent)
    total = np.cumsum(weight)[-1]
    ends, share = border[1:] - 1, (weight / total / np.diff(border))[None, :]
    ends.flags.writeable = share.flags.writeable = False
    return ends, share


def class_borders(nr_folios: int) -> NDArray[np.int64]:
    """i64[C + 1]: class c holds the ranks border[c] .. border[c + 1] - 1, counted from 1."""
    step = log(float(nr_folios + 1)) / NR_CLASSES
    border = np.unique(np.rint(exp(np.arange(NR_CLASSES + 1) * step)).astype(np.int64))
    border[-1] = nr_folios + 1
    return border


def class_weights(border: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """f64[C]: sum of r**-exponent over the ranks of each class.

    Wide classes by the midpoint rule: the integral from border - 1/2 to the next border - 1/2,
    off by a part of exponent (exponent + 1) / (24 rank**2), below 1e-8 for 4,096 ranks and more.
    """
    weight = np.empty(border.size - 1)
    for c, (first, end) in enumerate(zip(border[:-1].tolist(), border[1:].tolist(), strict=True)):
        if end - first <= SUMMED:
            ranks = np.arange(first, end, dtype=np.float64)
            weight[c] = np.cumsum(power(ranks, -exponent))[-1]
            continue
        # lo**(1-s) (e**t - 1) / (1-s) with t = (1-s) ln(hi/lo), also where s is 1
        lo, hi = first - 0.5, end - 0.5
        length = float(log(hi / lo))
        t = (1.0 - exponent) * length
        growth = float(expm1(t)) / t if abs(t) > _NEAR_0 else 1.0
        weight[c] = float(power(lo, 1.0 - exponent)) * length * growth
    return weight
