"""The walk along the list of mms between two visits."""

from tiering.engine.jit import loop


@loop
def next_due(next_scan, slot, most, clock, skip_ns):  # type: ignore[no-untyped-def]
    """Pass over mms that are not due, from `slot`, at most `most`; next_scan: i64[M] ns.

    Returns (mms passed over, found). Each one passed over costs skip_ns of the clock.
    """
    nr = next_scan.size
    used = 0
    while used < most:
        if next_scan[slot] <= clock + used * skip_ns:
            return used, True
        used += 1
        slot += 1
        if slot == nr:
            slot = 0
    return used, False
