"""Heat falls off from a middle address by the normal law (docs/model.md#gaussian).

    w_i = [Phi((i + 1 - m) / s) - Phi((i - m) / s)] / [Phi((n - m) / s) - Phi(-m / s)]

for folio i of n, with m = mean and s = sigma in folios, cut off at the ends of the VMA. Folios are
grouped into 64 bands of |i + 1/2 - m| of equal width, up to 6 s or the farthest folio; the last
band takes whatever lies beyond. A band's mass is that of the law, and its folios share it equally:
within 3 s (99.7 % of the accesses) a folio deviates from its own w_i by up to 16 %.

Source: pmbench with a normal address distribution, as used for memory tiering by Huang Ying
(Message-ID 20210204101056.89336-1-ying.huang@intel.com); its sigma was not posted.
Not modelled: how pmbench itself draws its normal numbers; a middle that moves.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.elementary import normal_tail
from tiering.model.knobs import Knob
from tiering.workloads.layout import Layout, lay_out
from tiering.workloads.pattern import Region

NR_BANDS = 64
LAST_Z = 6.0  # 2e-9 of the accesses lie beyond
Whole = NDArray[np.int64]


class Gaussian(NamedTuple):
    """By default the hottest quarter of the folios takes 90 % of the accesses."""

    mean_pct: Annotated[
        float, Knob("%", 0, 100, "Place of the hottest folio in the address range.")
    ] = 50.0
    sigma_pct: Annotated[
        float,
        Knob(
            "%", 0.01, 1000, "Standard deviation, in percent of the address range.",
            "assumption: a fast node of a quarter of the memory could serve 90 % of the accesses",
        ),
    ] = 7.6  # fmt: skip
    layout: Annotated[
        Layout,
        Knob("", None, None, "Heat in the order of the addresses, or at random places."),
    ] = "contiguous"


def build(knobs: Gaussian, nr_folios: int, seed: int) -> Region:
    """Rows by falling heat, row 0 holds the mean; at most 64 for nr_folios > 0 folios."""
    mean = knobs.mean_pct / 100 * nr_folios
    sigma = knobs.sigma_pct / 100 * nr_folios
    begin, end = band_borders(mean, sigma, nr_folios)
    inner_begin, inner_end = np.append(begin[0], begin[:-1]), np.append(begin[0], end[:-1])
    mass = _mass(begin, inner_begin, mean, sigma) + _mass(inner_end, end, mean, sigma)
    folios = np.diff(end - begin, prepend=0)
    share = mass / np.cumsum(mass)[-1] / folios
    if knobs.layout == "scattered":
        classes = lay_out(end - begin, seed, "scattered")
    else:
        band = np.arange(begin.size, dtype=np.uint8)
        left = np.repeat(band[::-1], (inner_begin - begin)[::-1])
        classes = np.concatenate([left, np.repeat(band, end - inner_end)])
    return Region("gaussian", nr_folios, classes, share[None, :])


def band_borders(mean: float, sigma: float, nr_folios: int) -> tuple[Whole, Whole]:
    """(begin, end), i64[B] each: bands 0 .. b together are the folios begin[b] .. end[b] - 1.

    mean, sigma: folios. Every band has a folio of its own; the last one ends at both ends.
    """
    farthest = max(mean, nr_folios - mean)
    reach = np.arange(1, NR_BANDS + 1) * (min(LAST_Z * sigma, farthest) / NR_BANDS)
    reach[-1] = nr_folios
    begin = np.clip(np.floor(mean - reach + 0.5), 0, nr_folios).astype(np.int64)
    end = np.clip(np.ceil(mean + reach - 0.5), 0, nr_folios).astype(np.int64)
    grown = np.diff(end - begin, prepend=0) > 0
    return begin[grown], end[grown]


def _mass(first: Whole, end: Whole, mean: float, sigma: float) -> NDArray[np.float64]:
    """Mass of the normal law over folios first .. end - 1, from the side where nothing cancels."""
    low, high = (first - mean) / sigma, (end - mean) / sigma
    mirrored = low + high < 0.0
    low, high = np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    return np.asarray(normal_tail(low) - normal_tail(high))
