"""Heat of a real machine, recorded with DAMON and replayed (docs/model.md#damon-recording).

Work time maps linearly to recorded time: one recorded second is V accesses, so snapshot k of
duration d_k is a phase of V d_k accesses, and a folio of cell c gets L_k,c / V touches an access:

    V = accesses_per_touch * (sum over k of d_k sum over i of L_k,i) / (sum over k of d_k)

with L the touches a second of one page (tiering/recordings/resample.py). A snapshot in which DAMON
saw less has fewer touches an access. Runs of cells ever touched become the VMAs of one mm.

Not modelled: processes and access volume, which a recording does not know; virtual addresses.
"""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np

from tiering.engine.folios import FOLIO_BYTES, GRANULE
from tiering.model.knobs import Knob
from tiering.recordings.damo import RecordingError, read_recording
from tiering.recordings.resample import MAX_SKIP_S, MIB, Heat, resample
from tiering.workloads.pattern import Region, Workload

__all__ = ["DamonRecording", "RecordingError", "build_recording"]

FOLIOS_PER_MIB = MIB // FOLIO_BYTES
GRANULE_MIB = GRANULE // FOLIOS_PER_MIB


class DamonRecording(NamedTuple):
    """How a recording is read, and what it does not know."""

    cell_mib: Annotated[
        Literal[1, 2, 4, 8, 16, 32],
        Knob("MiB", None, None, "Size of the cells onto which the recording is resampled."),
    ] = 2
    skip_s: Annotated[
        float,
        Knob(
            "s", 0, MAX_SKIP_S,
            "Recorded time left out at the begin, while DAMON still splits regions.",
        ),
    ] = 0.0  # fmt: skip
    accesses_per_touch: Annotated[
        float,
        Knob(
            "", 1, 1_000_000, "Accesses that reach memory for each page touch that DAMON saw.",
            "assumption: a value of 1 KB is 16 lines of 64 B",
        ),
    ] = 16.0  # fmt: skip


def build_recording(path: Path, knobs: DamonRecording) -> Workload:
    """All VMAs and phases of the recording at `path`; the same for every seed.

    Raises RecordingError, one sentence, if the file cannot be read or holds nothing to replay.
    """
    recording = read_recording(path)
    heat = resample(recording, knobs.cell_mib, knobs.skip_s)
    recorded_s = np.cumsum(heat.duration_s)[-1]
    touches_per_s = np.cumsum(heat.touches_per_s() * heat.duration_s)[-1] / recorded_s
    volume = knobs.accesses_per_touch * touches_per_s
    regions = tuple(_region(heat, first, end, volume) for first, end in heat.runs)
    return Workload(regions, volume * heat.duration_s, _assumptions(recording.name, heat, knobs))


def _region(heat: Heat, first: int, end: int, volume: float) -> Region:
    """One VMA; a cell is a row, so a granule has GRANULE_MIB / cell_mib rows of its own."""
    per_cell = heat.cell_mib * FOLIOS_PER_MIB
    stride = GRANULE_MIB // heat.cell_mib
    in_granule = np.repeat(np.arange(stride, dtype=np.uint8), per_cell)
    nr_folios = (end - first) * per_cell
    address = int(heat.cells[first]) * heat.cell_mib * MIB
    return Region(
        name=f"recorded-{address:#x}",
        nr_folios=nr_folios,
        classes=np.resize(in_granule, nr_folios),
        share=heat.rate[:, first:end] / volume,
        row_stride=stride,
    )


def _assumptions(name: str, heat: Heat, knobs: DamonRecording) -> tuple[str, ...]:
    return (
        f"{name}: heat of a whole monitored range, replayed as one mm; a recording knows no "
        "processes, so which page belonged to whom is not known.",
        "Threads, think time and accesses per touch "
        f"({knobs.accesses_per_touch:g}) are assumptions of the scenario: a recording shows that "
        "a page was touched, not how often.",
        f"{heat.touched_mib:,} MiB were touched at least once and are simulated; "
        f"{heat.never_touched_mib:,.0f} MiB of the monitored range were not and are left out.",
    )
