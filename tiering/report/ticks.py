"""Where the ticks of an axis lie, and what is written beside them."""

import math

import numpy as np

SI = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_DECADES = 9
SLACK = 1e-9  # of a step: a bound that is a tick but for rounding is one


def linear_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten in low .. high, about so many."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in STEPS if power * one >= rough * (1 - SLACK))
    first, last = math.ceil(low / step - SLACK), math.floor(high / step + SLACK)
    return [float(f"{nr * step:.12g}") for nr in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten in low .. high, every n-th of many; with 1, 2, 5 where there are few."""
    first, last = math.floor(math.log10(low) + SLACK), math.ceil(math.log10(high) - SLACK)
    leads = (1.0, 2.0, 5.0) if last - first <= 2 else (1.0,)
    step = max(1, -(-(last - first) // MOST_DECADES))
    found = [lead * 10.0**power for power in range(first, last + 1, step) for lead in leads]
    return [tick for tick in found if low * (1 - SLACK) <= tick <= high * (1 + SLACK)]


def nice_bounds(values: list[float], log: bool, zero: bool) -> tuple[float, float]:
    """The range of an axis that shows all values, ending at ticks; zero: begin there at the latest.

    Values that are not finite do not count, nor does what is not positive on a logarithmic axis.
    """
    shown = [v for v in values if np.isfinite(v) and (v > 0 or not log)]
    if not shown:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = min(shown), max(shown)
    if log:
        low_tick = 10.0 ** math.floor(math.log10(low) + SLACK)
        high_tick = 10.0 ** math.ceil(math.log10(high) - SLACK)
        return low_tick, max(high_tick, low_tick * 10)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    ticks = linear_ticks(low, high)
    step = ticks[1] - ticks[0]
    low_tick = ticks[0] - (step if low < ticks[0] - SLACK * step else 0.0)
    return low_tick, ticks[-1] + (step if high > ticks[-1] + SLACK * step else 0.0)


def label(value: float) -> str:
    """Three or four digits with an SI prefix from thousands on: 0.25, 100, 1.5k, 20M."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    power = min(max(3 * math.floor(math.log10(abs(value)) / 3 + SLACK), 0), max(SI))
    if abs(value) < 1e-4:
        power = max(3 * math.floor(math.log10(abs(value)) / 3 + SLACK), min(SI))
    return f"{value / 10.0**power:.4g}{SI[power]}"
