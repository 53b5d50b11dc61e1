"""How `bench` measures: the best of a few repeats, since machines are shared, and the limits."""

import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from tiering.engine.limits import rewrite, scatter

REPEATS = 5
MOST_MIB = 256  # beyond any cache of one core


class Figure(NamedTuple):
    """One measured figure.

    ratio: to a limit of the same run, in words. note: what was measured. target: to reach, or to
    stay within where at_most is set; None where there is none.
    """

    value: float
    unit: str
    note: str = ""
    ratio: str = ""
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def verdict(self) -> str:
        """The target and whether it is met, in words; empty without one."""
        if self.target is None:
            return ""
        word = "at most " if self.at_most else ""
        return f"target {word}{self.target:,g}: {'met' if self.met else 'MISSED'}"


def number(value: float) -> str:
    """With three or four digits that mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def best(work: Callable[[], float], repeats: int = REPEATS) -> float:
    """Largest rate (units a second) of several calls; work returns the units it did."""
    work()
    best = 0.0
    for _ in range(repeats):
        begin = time.perf_counter()
        units = work()
        best = max(best, units / (time.perf_counter() - begin))
    return best


@cache
def rewrite_rate(mib: int = MOST_MIB) -> float:
    """Limit: u32 a second read and written, one after the other, in an array of that size."""
    words = np.zeros(mib << 18, np.uint32)
    turns = MOST_MIB // mib

    def work() -> float:
        for _ in range(turns):
            rewrite(words)
        return float(words.size * turns)

    return best(work)


@cache
def scatter_rate(mib: int = MOST_MIB) -> float:
    """Limit: u32 a second read and written at random places of an array of that size."""
    words = np.zeros(mib << 18, np.uint32)
    salt = iter(np.arange(1, 100, dtype=np.uint64) << np.uint64(40))

    def work() -> float:
        scatter(words, 1 << 22, next(salt))
        return float(1 << 22)

    return best(work)
