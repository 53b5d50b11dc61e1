"""From the workloads of all processes to the rate tables of the touch clock."""

import numpy as np

from tiering.engine.sweep import Sweeps
from tiering.engine.touch import Rates
from tiering.workloads.pattern import Workload


def rate_table(workloads: list[Workload], sweeps: Sweeps) -> tuple[Rates, list[list[int]]]:
    """All rate rows of the machine, and the first row of each region of each process."""
    share, cum, laps, borders, row_ats = [], [], [], [], []
    share_at, row_at, nr_rows, phase_at, nr_phases, lap = [], [], [], [], [], []
    rows = elements = phases = 0
    for workload in workloads:
        own = np.concatenate([region.share for region in workload.regions], axis=1)
        length = workload.phase_accesses if workload.phase_accesses.size else np.array([np.inf])
        touches = own * np.where(np.isfinite(length), length, 0.0)[:, None]
        before = np.cumsum(touches, axis=0) - touches
        border = np.concatenate([[0.0], np.cumsum(length)])
        share.append(own.ravel())
        cum.append(before.ravel())
        laps.append(before[-1] + touches[-1])
        borders.append(border[:-1])
        share_at.append(elements)
        row_at.append(rows)
        nr_rows.append(own.shape[1])
        phase_at.append(phases)
        nr_phases.append(own.shape[0])
        lap.append(border[-1])
        widths = [region.share.shape[1] for region in workload.regions]
        row_ats.append([rows + int(w) for w in np.cumsum([0, *widths[:-1]])])
        rows += own.shape[1]
        elements += own.size
        phases += own.shape[0]
    rates = Rates(
        np.concatenate(share),
        np.concatenate(cum),
        np.concatenate(laps),
        np.array(share_at, np.int64),
        np.array(row_at, np.int64),
        np.array(nr_rows, np.int64),
        np.array(phase_at, np.int64),
        np.array(nr_phases, np.int64),
        np.concatenate(borders),
        np.array(lap),
        sweeps,
    )
    return rates, row_ats
