"""One published figure against ours, and whether that is near enough."""

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Check(NamedTuple):
    """name: what is compared. published: as printed in the source, or derived from it. tolerance:
    in words. holds: whether our mean is near enough. why: likely cause of a miss, "" if none is
    known. values: ours, one a seed."""

    name: str
    published: str
    tolerance: str
    holds: Callable[[float], bool]
    values: Sequence[float]
    why: str = ""

    @property
    def mean(self) -> float:
        """Of all seeds."""
        return sum(self.values) / len(self.values)

    @property
    def passed(self) -> bool:
        """Whether the mean of all seeds holds."""
        return self.holds(self.mean)


def within(target: float, off: float) -> Callable[[float], bool]:
    """At most `off` away from the target."""
    return lambda value: abs(value - target) <= off


def within_factor(target: float, factor: float) -> Callable[[float], bool]:
    """Neither more than `factor` times the target nor less than a `factor`-th of it."""
    return lambda value: target / factor <= value <= target * factor


def between(low: float, high: float) -> Callable[[float], bool]:
    """From low to high, both included."""
    return lambda value: low <= value <= high


def above(low: float) -> Callable[[float], bool]:
    """More than low."""
    return lambda value: value > low
