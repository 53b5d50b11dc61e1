"""Knobs of the oracle as a source (docs/model.md#oracle-as-a-source)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob


class Oracle(NamedTuple):
    """Knobs of a source that knows the touch rates of all folios."""

    interval_ms: Annotated[
        int,
        Knob("ms", 10, 60_000, "It reports so often.", "no mechanism of a kernel", live=True),
    ] = 500  # fmt: skip
    batch_nr: Annotated[
        int,
        Knob("folios", 1, 16_777_216, "Most folios in a report, those with the most touches for "
             "their size first.", "no mechanism of a kernel"),
    ] = 65_536  # fmt: skip
