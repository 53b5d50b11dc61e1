"""Let no process hold more than its share of the top tier, and admit it by the second.

The share of a process is the size of the target by the number of processes. What one of them may
promote in a second is bounded too; `state[mm % 32]` holds the second and `state[32 + mm % 32]`
what was promoted in it.
"""

MOST_MIB_S = 64
PAGES_PER_MIB = 256
SLOTS = 32


def fair_share(now_ms, mm, nr_mms, order, target_mib, resident_top_mib, state):
    """The process is below its share, and has not had its part of this second."""
    if resident_top_mib >= target_mib / nr_mms:
        return False
    slot = mm % SLOTS
    second = now_ms // 1000
    if state[slot] != second:
        state[slot] = second
        state[SLOTS + slot] = 0
    pages = 1
    for _ in range(order):
        pages = pages * 2
    if state[SLOTS + slot] + pages > MOST_MIB_S * PAGES_PER_MIB:
        return False
    state[SLOTS + slot] += pages
    return True
