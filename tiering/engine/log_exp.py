"""log and exp of one number for use in loops: the bits that engine/elementary.py gives in an array.

IEEE basic operations and the exponent field of a float64; nothing of libm. Relative error below
1e-14 (tests/engine/test_log_exp.py).
"""

import numpy as np

from tiering.engine.elementary import (
    EXP_TERMS,
    LN2_HIGH,
    LN2_LOW,
    LOG_TERMS,
    PER_LN2,
    SQRT_HALF,
)
from tiering.engine.jit import loop

_BIAS = 1022  # exponent field of numbers in [1/2, 1)
_FRACTION_BITS = 52
_FRACTION = (1 << _FRACTION_BITS) - 1
_LARGEST = 708.0  # exp(-708) is still a normal number


@loop
def log_of(x):  # type: ignore[no-untyped-def]
    """Natural logarithm of a normal x > 0, from ln m = 2 atanh((m - 1) / (m + 1))."""
    bits = np.float64(x).view(np.int64)
    power = np.float64((bits >> _FRACTION_BITS) - _BIAS)
    m = np.int64((bits & _FRACTION) | (_BIAS << _FRACTION_BITS)).view(np.float64)
    if m < SQRT_HALF:
        m *= 2.0
        power -= 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = 0.0
    for k in range(LOG_TERMS - 1, 0, -1):
        series = z * (series + 1.0 / (2 * k + 1))
    return power * LN2_HIGH + (2.0 * (s + s * series) + power * LN2_LOW)


@loop
def exp_minus(x):  # type: ignore[no-untyped-def]
    """e**-x for x >= 0; 0 beyond x = 708."""
    if x > _LARGEST:
        return 0.0
    k = np.rint(-x * PER_LN2)
    rest = (-x - k * LN2_HIGH) - k * LN2_LOW
    scale = np.int64((np.int64(k) + _BIAS + 1) << _FRACTION_BITS).view(np.float64)
    return (1.0 + _taylor(rest)) * scale


@loop
def one_minus_exp_minus(x):  # type: ignore[no-untyped-def]
    """1 - e**-x for x >= 0, accurate near 0."""
    return -_taylor(-x) if x < 0.34 else 1.0 - exp_minus(x)


@loop
def _taylor(rest):  # type: ignore[no-untyped-def]
    """e**rest - 1 for |rest| <= ln 2 / 2."""
    series = 1.0
    for k in range(EXP_TERMS - 1, 1, -1):
        series = 1.0 + rest * series / k
    return rest * series
