"""`python -m tiering.recordings FILE...`: what a recording holds, for people."""

import argparse
import sys
from pathlib import Path

import numpy as np

from tiering.recordings.damo import Recording, RecordingError, read_recording
from tiering.recordings.resample import MAX_SKIP_S, Heat, resample

CELL_SIZES_MIB = (1, 2, 4, 8, 16, 32)
HOTTEST = 5
PARTS = (50, 80, 90, 99)


def summary(recording: Recording, heat: Heat) -> str:
    """Several lines of text on a recording and its heat."""
    nr = [regions.start.size for regions in recording.snapshots]
    seconds = heat.duration_s.sum()
    mean = (heat.rate * heat.duration_s[:, None]).sum(axis=0) / seconds
    order = np.argsort(-mean, kind="stable")
    part = np.cumsum(mean[order]) / mean.sum()
    share = ", ".join(
        f"{p} % on {(int(np.searchsorted(part, p / 100)) + 1) * heat.cell_mib:,} MiB" for p in PARTS
    )
    pages = heat.cell_mib * 256
    lines = [
        recording.name,
        f"  intervals        sample {recording.sample_interval_s * 1e3:g} ms, aggregation "
        f"{recording.aggregation_interval_s * 1e3:g} ms, nr_accesses up to "
        f"{recording.max_nr_accesses:g}",
        f"  snapshots        {len(nr)}, {heat.nr_left_out} left out, {seconds:.1f} s replayed",
        f"  regions          {min(nr):,} .. {max(nr):,} a snapshot, {sum(nr):,} in all",
        f"  touched          {heat.touched_mib:,} MiB in {len(heat.runs):,} runs of "
        f"{heat.cell_mib} MiB cells; {heat.never_touched_mib:,.0f} MiB never touched",
        f"  touches          {mean.sum() * pages / 1e6:.3f} million page touches a second",
        f"  skew             {share}",
        "  hottest cells    address        touches of a page per second (mean, least, most)",
    ]
    for cell in order[:HOTTEST]:
        column = heat.rate[:, cell]
        lines.append(
            f"                   {int(heat.cells[cell]) * heat.cell_mib * 2**20:#013x}  "
            f"{mean[cell]:.2f}, {column.min():.2f}, {column.max():.2f}"
        )
    return "\n".join(lines)


def skip_s(text: str) -> float:
    """The value of --skip-s; raises what argparse makes a sentence of."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= MAX_SKIP_S:  # neither is NaN
        raise argparse.ArgumentTypeError(f"{text}: allowed is 0 .. {MAX_SKIP_S:_} s")
    return value


def main(arguments: list[str]) -> int:
    """Print a summary of each file; 2 if one cannot be read."""
    parser = argparse.ArgumentParser("python -m tiering.recordings", description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--cell-mib", type=int, default=2, choices=CELL_SIZES_MIB)
    parser.add_argument("--skip-s", type=skip_s, default=0.0, help="recorded seconds to leave out")
    options = parser.parse_args(arguments)
    for path in options.files:
        try:
            recording = read_recording(path)
            heat = resample(recording, options.cell_mib, options.skip_s)
        except RecordingError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        sys.stdout.write(summary(recording, heat) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
