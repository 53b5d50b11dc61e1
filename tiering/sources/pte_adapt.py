"""How period and size of an mm follow what its visits find (docs/model.md#pte-scan).

X and Y are the useful folios of the last visit and of this one; with a decay Y is the count plus a
part of X, and counts under the ignore threshold read as 0:

    X = 0, Y = 0   period x 1.15   size / 2          X > 0, Y = 0   period x 8
    X = 0, Y > 0   period / 8      size = max        X > 0, Y > 0   period x 0.85   size x 2

V3 then stretches the period by the process's scale, and by the percentage of migrations that fail:

    period + period (scale - 1) / 9,     period x (1 + failed / 10)

The text of the patch means less: a tenth of the period more where all fail.

Mirrors the update of an mm's slot in kmmscand (RFC V0, V1) and kscand (RFC V2, V3), in whole ms.
"""

from tiering.engine.jit import loop

MOST_OF_SCALE = 9
"""Scales above 1."""


@loop
def clamp(value, lo, hi):  # type: ignore[no-untyped-def]
    return max(lo, min(value, hi))


@loop
def adapt(rules, period_ms, size_mib, x, y):  # type: ignore[no-untyped-def]
    """(period, size) after a visit; x and y as in the table above, y already cut off."""
    if y == 0 and x == 0:
        period_ms = period_ms * (100 + rules.period_fine_pct) // 100
        size_mib >>= rules.size_shift
    elif x == 0:
        period_ms >>= rules.period_coarse_shift
        size_mib = rules.scan_size_max_mib
    elif y == 0:
        period_ms <<= rules.period_coarse_shift
    else:
        period_ms = period_ms * (100 - rules.period_fine_pct) // 100
        size_mib <<= rules.size_shift
    return (
        clamp(period_ms, rules.scan_period_min_ms, rules.scan_period_max_ms),
        clamp(size_mib, rules.scan_size_min_mib, rules.scan_size_max_mib),
    )


@loop
def stretched(rules, period_ms, scale, fail_pct):  # type: ignore[no-untyped-def]
    """The period after prctl and failures, in whole ms as the kernel computes it."""
    if rules.scaled and scale > 0:
        period_ms += period_ms * (scale - 1) // MOST_OF_SCALE
    if rules.fed_back > 0:
        period_ms += period_ms * (fail_pct // 10 * rules.fed_back) // 100
    return period_ms
