"""Sequential and strided sweeps: touch times are known, none is drawn (docs/model.md#sequential).

A sweep goes through the n pages of a region in a fixed order, `burst` accesses a page, over and
over: access m (counted from 0 in the region's own accesses) touches the page of rank
floor(m / burst) mod n. With stride s the order is 0, s, 2s, ..., 1, 1 + s, ...; s = 1 is
sequential. The region's own accesses are a fixed part of its process's, so in the window
(tau_0, tau_1] of work time it makes those with part tau_0 <= m < part tau_1.

Where files are read this way, a read is counted when it comes to the folio from another one, as
filemap_read marks a folio accessed: not again for further bursts in the same folio.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop


class Sweeps(NamedTuple):
    """VMAs that are swept, S of them. i64[S]: first granule, folios a granule, pages a folio,
    nr_pages n and stride of the region, first_page of the region that the VMA holds (0 but for the
    pieces of a region that is split); f64[S]: burst (a whole number), part of the process's
    accesses."""

    granule: NDArray[np.int64]
    per_granule: NDArray[np.int64]
    folio_pages: NDArray[np.int64]
    nr_pages: NDArray[np.int64]
    stride: NDArray[np.int64]
    first_page: NDArray[np.int64]
    burst: NDArray[np.float64]
    part: NDArray[np.float64]


def sweep_table(
    rows: list[tuple[int, int, int, int, int, int, float]], first_pages: Sequence[int] = ()
) -> Sweeps:
    """The table from its rows: granule, folios a granule, pages a folio, pages, stride, burst,
    part of the process's accesses. first_pages: of all rows, where they are not 0."""
    columns = [np.array([row[k] for row in rows], np.int64) for k in range(5)]
    return Sweeps(
        granule=columns[0],
        per_granule=columns[1],
        folio_pages=columns[2],
        nr_pages=columns[3],
        stride=columns[4],
        first_page=np.array(first_pages or [0] * len(rows), np.int64),
        burst=np.array([float(row[5]) for row in rows]),
        part=np.array([row[6] for row in rows]),
    )


@loop
def swept_ranks(sweeps, s, tau0, tau1):  # type: ignore[no-untyped-def]
    """(first rank, number of ranks) touched in the window by sweep `s`, at most once around."""
    lap = sweeps.nr_pages[s] * sweeps.burst[s]
    first = np.ceil(sweeps.part[s] * tau0)
    nr = np.ceil(sweeps.part[s] * tau1) - first
    if nr <= 0.0:
        return np.int64(0), np.int64(0)
    first -= np.floor(first / lap) * lap
    rank = np.int64(np.floor(first / sweeps.burst[s]))
    last = np.int64(np.floor((first + min(nr, lap) - 1.0) / sweeps.burst[s]))
    return rank, min(last - rank + 1, sweeps.nr_pages[s])


@loop
def rank_of(sweeps, s, page):  # type: ignore[no-untyped-def]
    """Place of a page of the region in the order of the sweep."""
    stride = sweeps.stride[s]
    column = page % stride
    whole, rest = sweeps.nr_pages[s] // stride, sweeps.nr_pages[s] % stride
    return column * whole + min(column, rest) + page // stride


@loop
def page_of(sweeps, s, rank):  # type: ignore[no-untyped-def]
    """The page of the region at a place in the order of the sweep; places go around."""
    nr_pages, stride = sweeps.nr_pages[s], sweeps.stride[s]
    place = np.int64(rank - np.floor(rank / nr_pages) * nr_pages)
    whole, rest = nr_pages // stride, nr_pages % stride
    longer = rest * (whole + 1)  # the first columns have one page more
    if place < longer:
        return place % (whole + 1) * stride + place // (whole + 1)
    return (place - longer) % whole * stride + rest + (place - longer) // whole


@loop
def page_at(sweeps, s, granule, offset):  # type: ignore[no-untyped-def]
    """First page of the folio in slot `offset` of a granule of sweep `s`, counted in its region."""
    folio = (granule - sweeps.granule[s]) * sweeps.per_granule[s] + offset
    return sweeps.first_page[s] + folio * sweeps.folio_pages[s]


@loop
def sweep_block(sweeps, s, granule, base, tau0, tau1, touched):  # type: ignore[no-untyped-def]
    """touched[i] = 1 if any page of the folio is swept in the window, else 0.

    touched: u32[], for the folios from `base` on of a granule of sweep `s`.
    """
    rank, nr = swept_ranks(sweeps, s, tau0, tau1)
    pages = sweeps.folio_pages[s]
    page = page_at(sweeps, s, granule, base)
    for i in range(touched.size):
        touched[i] = 0
        for _ in range(pages):
            behind = rank_of(sweeps, s, page) - rank
            if behind < 0:
                behind += sweeps.nr_pages[s]
            if behind < nr:
                touched[i] = 1
            page += 1


@loop
def _page_before(sweeps, s, page):  # type: ignore[no-untyped-def]
    """Page that is swept just before `page`; the last one comes before the first."""
    stride = sweeps.stride[s]
    if page >= stride:
        return page - stride
    column = page - 1 if page > 0 else stride - 1
    return column + (sweeps.nr_pages[s] - 1 - column) // stride * stride


@loop
def read_block(sweeps, s, granule, base, tau0, tau1, least, touched):  # type: ignore[no-untyped-def]
    """touched[i] = 1 if reads came to the folio at least `least` times in the window, else 0.

    touched: u32[], for the folios from `base` on of a granule of sweep `s`.
    """
    begin = np.ceil(np.ceil(sweeps.part[s] * tau0) / sweeps.burst[s])
    end = np.ceil(np.ceil(sweeps.part[s] * tau1) / sweeps.burst[s])
    nr_pages, pages = sweeps.nr_pages[s], sweeps.folio_pages[s]
    folio = page_at(sweeps, s, granule, base) // pages
    for i in range(touched.size):
        reads = 0.0
        for page in range((folio + i) * pages, (folio + i + 1) * pages):
            if _page_before(sweeps, s, page) // pages != folio + i:
                rank = rank_of(sweeps, s, page)
                reads += np.floor((end - 1.0 - rank) / nr_pages)
                reads -= np.floor((begin - 1.0 - rank) / nr_pages)
        touched[i] = 1 if reads >= least else 0
