"""How many of an mm's migrations fail, as kscand V3 keeps it (docs/model.md#migration).

After every 1024 attempts of one drain, with s of them successful and f not,

    S = S / 4 + s,    F = F / 4 + f,    share = 100 F / (S + F)

in whole numbers. What is left over when the list is empty counts for nothing.
"""

import numpy as np

from tiering.engine.jit import loop

ATTEMPTS = 1024
NEW_GOOD, NEW_BAD, GOOD, BAD = range(4)
NR_TALLY = 4
"""Columns of a tally: attempts since the last update, and S and F."""


@loop
def tally(row, share, mm, good, bad):  # type: ignore[no-untyped-def]
    """Count attempts of an mm. row: i64[NR_TALLY]; share: i64[P] in percent, kept here."""
    while good + bad > 0:
        room = ATTEMPTS - row[NEW_GOOD] - row[NEW_BAD]
        some = min(good, room)
        others = min(bad, room - some)
        row[NEW_GOOD] += some
        row[NEW_BAD] += others
        good -= some
        bad -= others
        if some + others == room:
            row[GOOD] = row[GOOD] // 4 + row[NEW_GOOD]
            row[BAD] = row[BAD] // 4 + row[NEW_BAD]
            share[mm] = 100 * row[BAD] // (row[GOOD] + row[BAD])
            row[NEW_GOOD] = row[NEW_BAD] = 0


@loop
def drained(row):  # type: ignore[no-untyped-def]
    """The list is empty: attempts since the last update are forgotten."""
    row[NEW_GOOD] = row[NEW_BAD] = np.int64(0)
