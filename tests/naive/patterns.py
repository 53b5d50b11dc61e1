"""Access patterns of the naive twin, page by page: the exact law, no classes, no bands."""

import random
from dataclasses import dataclass, field
from math import erf, log, sqrt
from pathlib import Path
from typing import Any

from tiering.recordings.damo import read_recording
from tiering.simulation.scenario import ProcessFields, VmaFields
from tiering.workloads.table import PATTERNS

INF = float("inf")


@dataclass
class Law:
    """Who is touched how often.

    weights: by phase, touches of each page per access that goes to the region. lengths: accesses of
    the process in each phase. populated: pages that are there in each phase; empty: all. sweep:
    pages in the order in which they are touched, again and again, `burst` accesses each.
    """

    weights: list[list[float]]
    lengths: list[float] = field(default_factory=lambda: [INF])
    populated: list[int] = field(default_factory=list)
    sweep: list[int] = field(default_factory=list)
    burst: int = 1


def law_of(vma: VmaFields, nr: int, rng: random.Random) -> Law:
    """The law of a VMA of that many pages; what lies at random places lies where rng says."""
    knobs = getattr(vma, vma.pattern) or PATTERNS[vma.pattern].knobs()
    places = list(range(nr))
    if getattr(knobs, "layout", "scattered") == "scattered":
        rng.shuffle(places)
    ranked = LAWS[vma.pattern](knobs, nr)
    if vma.pattern in ("growing", "sequential"):
        return ranked
    ranked.weights = [[weights[place] for place in places] for weights in ranked.weights]
    return ranked


def uniform(knobs: Any, nr: int) -> Law:
    return Law([[1 / nr] * nr])


def zipf(knobs: Any, nr: int) -> Law:
    raw = [(rank + 1) ** -knobs.exponent for rank in range(nr)]
    return Law([[one / sum(raw) for one in raw]])


def gaussian(knobs: Any, nr: int) -> Law:
    mean, sigma = knobs.mean_pct / 100 * nr, knobs.sigma_pct / 100 * nr

    def below(page: float) -> float:
        return 0.5 * (1 + erf((page - mean) / sigma / sqrt(2)))

    whole = below(nr) - below(0)
    return Law([[(below(page + 1) - below(page)) / whole for page in range(nr)]])


def _two_heats(hot: set[int], to_hot: float, nr: int) -> list[float]:
    cold = nr - len(hot)
    return [to_hot / len(hot) if page in hot else (1 - to_hot) / cold for page in range(nr)]


def hot_set(knobs: Any, nr: int) -> Law:
    nr_hot = round(nr * knobs.hot_size_pct / 100)
    return Law([_two_heats(set(range(nr_hot)), knobs.hot_access_pct / 100, nr)])


def moving_hot_set(knobs: Any, nr: int) -> Law:
    """Where window and step are whole numbers of pages; other machines are not for the twin."""
    size, step = nr * knobs.hot_size_pct / 100, nr * knobs.step_pct / 100
    assert size == round(size)
    assert step == round(step)
    weights: list[list[float]] = []
    begin = 0
    while not weights or begin:
        window = {(begin + page) % nr for page in range(round(size))}
        weights.append(_two_heats(window, knobs.hot_access_pct / 100, nr))
        begin = (begin + round(step)) % nr
    return Law(weights, [knobs.phase_accesses] * len(weights))


def phases(knobs: Any, nr: int) -> Law:
    size = round(nr * knobs.hot_size_pct / 100)
    sets = [set(range(k * size, (k + 1) * size)) for k in range(knobs.nr_sets)]
    weights = [_two_heats(one, knobs.hot_access_pct / 100, nr) for one in sets]
    return Law(weights, [knobs.phase_accesses] * knobs.nr_sets)


def growing(knobs: Any, nr: int) -> Law:
    start = knobs.start_pct / 100
    there = [round(nr * (start + (1 - start) * k / knobs.steps)) for k in range(knobs.steps + 1)]
    weights = [[1 / some if page < some else 0.0 for page in range(nr)] for some in there]
    return Law(weights, [knobs.step_accesses] * knobs.steps + [INF], there)


def sequential(knobs: Any, nr: int) -> Law:
    stride = min(knobs.stride_pages, nr)
    order = [page for first in range(stride) for page in range(first, nr, stride)]
    return Law([[1 / nr] * nr], sweep=order, burst=knobs.burst)


LAWS = {
    "uniform": uniform,
    "zipf": zipf,
    "gaussian": gaussian,
    "hot_set": hot_set,
    "moving_hot_set": moving_hot_set,
    "phases": phases,
    "growing": growing,
    "sequential": sequential,
}


def recorded(process: ProcessFields, folder: str) -> Law:
    """A recording whose snapshots have the same regions, of whole cells and side by side.

    A page of a region found accessed in nr of n samples gets -ln(1 - min(nr, n - 1/2) / n) touches
    a sample interval, and one recorded second is accesses_per_touch x (mean touches a second)
    accesses.
    """
    assert process.recording is not None
    recording = read_recording(Path(folder) / process.recording)
    most = recording.max_nr_accesses
    seconds = [
        float(b - a) / 1e9 for a, b in zip(recording.start_ns, recording.end_ns, strict=True)
    ]
    rates: list[list[float]] = []
    for regions in recording.snapshots:
        rates.append([])
        for start, end, nr in zip(regions.start, regions.end, regions.nr_accesses, strict=True):
            rate = -log(1 - min(float(nr), most - 0.5) / most) / recording.sample_interval_s
            rates[-1] += [rate] * (int(end - start) // 4096)
    touches = sum(sum(pages) * s for pages, s in zip(rates, seconds, strict=True)) / sum(seconds)
    volume = process.damon_recording.accesses_per_touch * touches
    return Law([[one / volume for one in pages] for pages in rates], [volume * s for s in seconds])
