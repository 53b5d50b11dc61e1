"""Promote on second sight: a folio whose last report is not long ago, while there is room.

Wants a hotness memory that knows the time of the report before: `exact`, `heat` or pghot's.
"""

WINDOW_MS = 2000


def young_and_hot(latency_ms, free_mib, high_mib):
    """Seen twice within the window, and the target stays above its high watermark."""
    return 0 <= latency_ms <= WINDOW_MS and free_mib > high_mib
