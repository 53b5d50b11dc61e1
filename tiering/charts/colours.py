"""One colour per tier and per process, the same on every chart, in both themes and in exports.

Tiers take the colour-blind-safe set of Okabe and Ito; processes take a set that stays clear of it,
or shades of a tier's colour where the tier matters more.
"""

TIERS = ("#2b7bba", "#e08214", "#009e73", "#b668a5")  # DRAM blue, CXL orange, then others
PROCESSES = ("#7b5fc7", "#1b9e77", "#d1477f", "#8f8a1e", "#4f9dc4", "#b3623a", "#5f8f3e", "#9a6fb0")
INK = "ink"  # the colour of text: black on light, white on dark; what must be seen on any area
NEUTRAL = "#868e96"  # reference lines, ceilings, whatever belongs to no tier and no process


def tier_colour(tier: int) -> str:
    """Colour of a memory tier; tier 0 is the top tier."""
    return TIERS[tier % len(TIERS)]


def process_colour(nr: int) -> str:
    """Colour of the nr-th process where tiers play no part."""
    return PROCESSES[nr % len(PROCESSES)]


def thread_colour(nr: int) -> str:
    """Colour of the nr-th kernel thread, from the other end of the set of processes."""
    return PROCESSES[-1 - nr % len(PROCESSES)]


def shade(colour: str, nr: int, of: int) -> str:
    """The nr-th of `of` shades of "#rrggbb", from the colour itself towards white."""
    if of <= 1:
        return colour
    part = 0.6 * nr / (of - 1)
    channels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(c + (255 - c) * part):02x}" for c in channels)
