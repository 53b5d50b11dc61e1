"""When a folio is first touched in a window, in work time (docs/model.md#first-and-second-touch).

`expected` is what the touch clock integrates over phases and laps; `time_of` is its inverse in
time, so that a Poisson touch at coordinate y (engine/poisson.py) gets the work time tau with

    expected touches in (tau_0, tau] = y

A hint fault, for instance, waits until then. Touches of a sweep are known: `swept_at` finds the
first of a folio.
"""

import numpy as np

from tiering.engine.jit import loop
from tiering.engine.sweep import page_at, rank_of
from tiering.engine.touch import phase_of, touches


@loop
def expected(rates, mm, row, tau0, tau1):  # type: ignore[no-untyped-def]
    """Touches that a folio of row `row` of process mm expects in the window (tau0, tau1]."""
    at = rates.share_at[mm] + row - rates.row_at[mm]
    begin, end = phase_of(rates, mm, tau0), phase_of(rates, mm, tau1)
    return max(touches(rates, row, at, rates.nr_rows[mm], begin, end), 0.0)


@loop
def time_of(rates, mm, row, tau0, tau1, y):  # type: ignore[no-untyped-def]
    """Work time in (tau0, tau1] by which a folio of row `row` expects y > 0 touches since tau0.

    The earliest such time, so never in a phase that does not touch the folio; tau1 if y is not
    reached before.
    """
    nr_rows, first = rates.nr_rows[mm], rates.phase_at[mm]
    at = rates.share_at[mm] + row - rates.row_at[mm]
    laps, k, into = phase_of(rates, mm, tau0)
    lap, last = rates.lap[mm], rates.nr_phases[mm] - 1
    end = rates.border[first + k + 1] if k < last else lap
    share = rates.share[at + k * nr_rows]
    here = share * (end - rates.border[first + k] - into) if share > 0.0 else 0.0
    if y <= here:
        return min(tau0 + y / share, tau1)
    rest, per_lap = y - here, rates.lap_touches[row]
    if lap < np.inf:
        if per_lap <= 0.0:
            return tau1
        whole = np.floor(rest / per_lap)
        rest -= whole * per_lap
        if rest <= 0.0:
            whole, rest = whole - 1.0, rest + per_lap
        laps += whole
        rest += rates.cum[at + (k + 1) * nr_rows] if k < last else per_lap
        if rest > per_lap:
            laps, rest = laps + 1.0, rest - per_lap
        k = 0
    else:
        if k == last:
            return tau1
        rest += rates.cum[at + (k + 1) * nr_rows]
    k = _phase_that_reaches(rates.cum, at, nr_rows, k, last, rest)
    share = rates.share[at + k * nr_rows]
    if share <= 0.0:
        return tau1
    tau = rates.border[first + k] + (rest - rates.cum[at + k * nr_rows]) / share
    return min(tau + laps * lap if laps > 0.0 else tau, tau1)


@loop
def _phase_that_reaches(cum, at, nr_rows, lo, hi, touches):  # type: ignore[no-untyped-def]
    """Last phase in [lo, hi] before which a row expects fewer touches in a lap than that."""
    while lo < hi:
        mid = (lo + hi + 1) // 2
        if cum[at + mid * nr_rows] < touches:
            lo = mid
        else:
            hi = mid - 1
    return lo


@loop
def swept_at(sweeps, s, granule, offset, tau0, tau1):  # type: ignore[no-untyped-def]
    """Work time at which the folio in slot `offset` of a granule of sweep `s` is first touched.

    Access m of the region is made at m / part, and belongs to the window if part tau0 <= m <
    part tau1, as for `sweep_block`; infinite if none of the folio does.
    """
    first = np.ceil(sweeps.part[s] * tau0)
    nr = np.ceil(sweeps.part[s] * tau1) - first
    if nr <= 0.0:
        return np.inf
    burst, nr_pages = sweeps.burst[s], sweeps.nr_pages[s]
    in_lap = first - np.floor(first / (nr_pages * burst)) * (nr_pages * burst)
    rank = np.int64(np.floor(in_lap / burst))
    into_burst = in_lap - rank * burst
    pages = sweeps.folio_pages[s]
    page = page_at(sweeps, s, granule, offset)
    nearest = nr_pages
    for one in range(page, page + pages):
        behind = rank_of(sweeps, s, one) - rank
        nearest = min(nearest, behind if behind >= 0 else behind + nr_pages)
    later = nearest * burst - into_burst if nearest > 0 else 0.0
    return max((first + later) / sweeps.part[s], tau0) if later < nr else np.inf
