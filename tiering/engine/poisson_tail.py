"""P(N >= nr) of a Poisson number, for any nr that a counter holds (docs/model.md#chmu).

The term of nr follows from Stirling's series for log(nr!), the others from their neighbours:
upwards where nr lies above the mean, downwards from nr - 1 where it lies below, so that nothing
cancels.
"""

import numpy as np

from tiering.engine.jit import loop
from tiering.engine.log_exp import exp_minus, log_of

_HALF_LOG_2_PI = 0.9189385332046728
_SMALL = 16  # below it log(nr!) is a sum of logarithms
_NEGLIGIBLE = 1e-17


@loop
def log_factorial(nr):  # type: ignore[no-untyped-def]
    """log(nr!) for a whole nr >= 0, absolute error below 1e-10 up to 2**16."""
    if nr < _SMALL:
        product = 1.0
        for k in range(2, nr + 1):
            product *= k
        return log_of(product)
    x = np.float64(nr)
    series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0) / (x * x)) / (x * x)) / x
    return (x + 0.5) * log_of(x) - x + _HALF_LOG_2_PI + series


@loop
def term(x, nr):  # type: ignore[no-untyped-def]
    """P(N = nr) where x > 0 are expected; 0 where it is smaller than a normal number."""
    return exp_minus(max(x - nr * log_of(x) + log_factorial(nr), 0.0))


@loop
def tail(x, nr):  # type: ignore[no-untyped-def]
    """P(N >= nr) where x >= 0 are expected, absolute error below 1e-9; nr >= 1."""
    if x <= 0.0:
        return 0.0
    if nr > x:
        part = share = term(x, nr)
        k = nr
        while part > share * _NEGLIGIBLE:
            k += 1
            part = part * x / k
            share += part
        return min(share, 1.0)
    k = nr - 1
    part = share = term(x, k)
    while k > 0 and part > share * _NEGLIGIBLE:
        part = part * k / x
        share += part
        k -= 1
    return max(1.0 - share, 0.0)
