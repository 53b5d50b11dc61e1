"""Where values of an axis lie in a picture."""

import numpy as np

from tiering.report.plot import Axis, Floats
from tiering.report.ticks import linear_ticks, log_ticks, nice_bounds


class Scale:
    """From values of an axis to places between two edges, in pixels."""

    def __init__(self, axis: Axis, values: list[float], begin: float, end: float) -> None:
        low, high = nice_bounds(values, axis.log, axis.zero)
        self.low = low if axis.low is None else axis.low
        self.high = high if axis.high is None else axis.high
        self._log, self._begin, self._end = axis.log, begin, end

    @property
    def ticks(self) -> list[float]:
        return (log_ticks if self._log else linear_ticks)(self.low, self.high)

    def at(self, values: Floats | float) -> Floats:
        """Places; NaN for what cannot be shown."""
        values, low, high = np.asarray(values, np.float64), self.low, self.high
        if self._log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log10(np.where(values > 0, values, np.nan))
            low, high = float(np.log10(low)), float(np.log10(high))
        placed: Floats = self._begin + (values - low) / (high - low) * (self._end - self._begin)
        return placed
