"""log, exp, power and the normal law of IEEE basic operations: the same bits on any CPU.

libm and numpy's vector routines differ in the last bit from machine to machine. Here only + - * /,
rounding and scaling by powers of two are used, each of which has one right answer (IEEE 754).
Relative error below 1e-14 (tests/engine/test_elementary.py); arrays of any shape, or numbers.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Shared with engine/log_exp.py, which computes the same bits of one number in a loop.
# ln 2 in two parts: k * LN2_HIGH is exact for |k| < 2**20 (fdlibm, e_exp.c).
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
PER_LN2 = 1.44269504088896338700
SQRT_HALF = 0.70710678118654752440
LOG_TERMS = 12  # (1/5.8)**24 / 25 is below 2**-60
EXP_TERMS = 14  # (ln 2 / 2)**14 / 14! is below 2**-57
_LARGE = 1000.0  # exp is 0 or infinite beyond
_PER_SQRT_2_PI = 0.39894228040143267794
_TAIL_BORDER = 2.0  # series below, continued fraction above
_NORMAL_TERMS = 30  # 2**61 / 61!! is below 2**-76
_TAIL_TERMS = 100  # truncated at 2.0 it is off by 1e-15


def log(x: ArrayLike) -> Floats:
    """Natural logarithm of finite x > 0, from ln m = 2 atanh((m - 1) / (m + 1))."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    low = mantissa < SQRT_HALF
    mantissa = np.where(low, 2.0 * mantissa, mantissa)
    power_of_2 = (exponent - low).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = np.zeros_like(s)
    for k in range(LOG_TERMS - 1, 0, -1):
        series = z * (series + 1.0 / (2 * k + 1))
    return np.asarray(power_of_2 * LN2_HIGH + (2.0 * (s + s * series) + power_of_2 * LN2_LOW))


def log1p(x: ArrayLike) -> Floats:
    """ln(1 + x) for finite x > -1, also where 1 + x rounds x away (Kahan's correction)."""
    value = np.asarray(x, np.float64)
    rounded = 1.0 + value
    kept = rounded - 1.0
    lost_all = kept == 0.0
    return np.asarray(
        np.where(lost_all, value, log(rounded) * (value / np.where(lost_all, 1.0, kept)))
    )


def exp(x: ArrayLike) -> Floats:
    """e**x for finite x; 0 or infinity where the result does not fit."""
    value = np.clip(np.asarray(x, np.float64), -_LARGE, _LARGE)
    k = np.rint(value * PER_LN2)
    rest = (value - k * LN2_HIGH) - k * LN2_LOW
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(1.0 + _taylor(rest), k.astype(np.int32)))


def expm1(x: ArrayLike) -> Floats:
    """e**x - 1 for finite x, accurate near 0."""
    value = np.asarray(x, np.float64)
    small = np.abs(value) < 0.34
    return np.asarray(np.where(small, _taylor(np.where(small, value, 0.0)), exp(value) - 1.0))


def power(x: ArrayLike, y: ArrayLike) -> Floats:
    """x**y for finite x > 0 and |y ln x| < 100; the error grows with |y ln x|."""
    return exp(np.asarray(y, np.float64) * log(x))


def normal_tail(z: ArrayLike) -> Floats:
    """Mass of the standard normal law above finite z; relative error below 1e-14 for |z| <= 9.

    With the density phi: 1/2 - phi(z) (z + z**3 / 3 + z**5 / (3 5) + ...) for |z| < 2 and
    phi(z) / (z + 1 / (z + 2 / (z + 3 / ...))) beyond (Abramowitz and Stegun 26.2.11, 26.2.14).
    """
    value = np.asarray(z, np.float64)
    distance = np.abs(value)
    density = _PER_SQRT_2_PI * exp(-0.5 * distance * distance)
    near = np.minimum(distance, _TAIL_BORDER)
    series = np.ones_like(near)
    for k in range(_NORMAL_TERMS, 0, -1):
        series = 1.0 + series * near * near / (2 * k + 1)
    far = np.maximum(distance, _TAIL_BORDER)
    fraction = far
    for k in range(_TAIL_TERMS, 0, -1):
        fraction = far + k / fraction
    inside = distance < _TAIL_BORDER
    tail = np.where(inside, 0.5 - density * near * series, density / fraction)
    return np.asarray(np.where(value < 0.0, 1.0 - tail, tail))


def _taylor(rest: Floats) -> Floats:
    """e**rest - 1 for |rest| <= ln 2 / 2."""
    series = np.ones_like(rest)
    for k in range(EXP_TERMS - 1, 1, -1):
        series = 1.0 + rest * series / k
    return rest * series
