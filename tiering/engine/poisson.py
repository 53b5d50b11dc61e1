"""How often and when first: Poisson touches in one window (docs/model.md#first-and-second-touch).

x is what a folio expects in the window. Touches come at expected-touch coordinates y in (0, x]:
counted in them, every pattern is a Poisson process of rate 1, whatever its phases. The work time
that belongs to a y is found by engine/first_touch.py. Nothing here draws: uniform numbers come from
their caller, and the bits are the same on any CPU (engine/log_exp.py).
"""

from tiering.engine.jit import loop
from tiering.engine.log_exp import exp_minus, log_of, one_minus_exp_minus

_TINY = 2.0**-1022  # the smallest normal number
_TERMS = 18  # of a series whose terms for x < 1 fall faster than 1 / n!


@loop
def at_least(x, nr):  # type: ignore[no-untyped-def]
    """P(nr touches or more), nr = 1 .. 7, where x >= 0 are expected.

    Relative error < 1e-13 up to 3, < 1e-11 above.

    exp(-x) (x**nr / nr! + x**(nr + 1) / (nr + 1)! + ...) below 1, where it cancels nothing, and
    1 - exp(-x) (1 + x + ... + x**(nr - 1) / (nr - 1)!) above.
    """
    if nr == 1:
        return one_minus_exp_minus(x)
    nothing = exp_minus(x)
    if x >= 1.0:
        fewer = 1.0
        for k in range(nr - 1, 0, -1):
            fewer = 1.0 + fewer * x / k
        return 1.0 - nothing * fewer if nothing > 0.0 else 1.0
    series = 1.0
    for k in range(_TERMS, 0, -1):
        series = 1.0 + series * x / (nr + k)
    for k in range(1, nr + 1):
        series = series * x / k
    return nothing * series


@loop
def two_touches(x):  # type: ignore[no-untyped-def]
    """P(two touches or more) where x are expected: 1 - exp(-x) (1 + x) (oracle O4)."""
    return at_least(x, 2)


@loop
def first_touch(x, u):  # type: ignore[no-untyped-def]
    """Coordinate y in (0, x] of the first of at least one touch, x > 0 expected, u in (0, 1].

    The inverse of u = (1 - exp(-y)) / (1 - exp(-x)): y is exponential, cut off at x.
    """
    done = u * one_minus_exp_minus(x)
    near = done <= 0.5
    left = 1.0 - done if near else (1.0 - u) + u * exp_minus(x)  # 1 - u is exact where u > 1/2
    y = -log_of(max(left, _TINY))
    kept = 1.0 - left
    if near:  # what rounding took from 1 - done (Kahan's correction, as in log1p)
        y = y * (done / kept) if kept > 0.0 else done
    return min(y, x)


@loop
def second_touch(x, y):  # type: ignore[no-untyped-def]
    """P(another touch after the first one at y), y <= x where x are expected: 1 - exp(y - x)."""
    return one_minus_exp_minus(max(x - y, 0.0))
