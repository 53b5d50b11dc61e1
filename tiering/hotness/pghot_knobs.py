"""Knobs of the hotness records of pghot (docs/model.md#pghot)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_THRESHOLD = "Reports within the window that make a folio ready for promotion."
_WINDOW = "A report that comes longer after the one before begins to count anew."
_SOURCE = "pghot as posted in 2026: vm."


class Pghot(NamedTuple):
    """Knobs of records of one byte."""

    freq_threshold: Annotated[
        int, Knob("reports", 1, 3, _THRESHOLD, _SOURCE + "pghot_freq_threshold", live=True)
    ] = 2
    promote_freq_window_ms: Annotated[
        int,
        Knob("ms", 1000, 3968, _WINDOW, _SOURCE + "pghot_promote_freq_window_ms", live=True),
    ] = 3000


class PghotPrecise(NamedTuple):
    """Knobs of records of four bytes."""

    freq_threshold: Annotated[
        int, Knob("reports", 1, 7, _THRESHOLD, _SOURCE + "pghot_freq_threshold", live=True)
    ] = 2
    promote_freq_window_ms: Annotated[
        int,
        Knob("ms", 1000, 16_383, _WINDOW, _SOURCE + "pghot_promote_freq_window_ms", live=True),
    ] = 5000
