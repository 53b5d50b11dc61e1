"""Knobs of kmigrated, the thread of each lower-tier node that promotes what is ready
(docs/model.md#kmigrated)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_SOURCE = "pghot as posted in 2026: "


class Kmigrated(NamedTuple):
    """Knobs of the thread of each lower-tier node that promotes what is ready."""

    kmigrated_sleep_ms: Annotated[
        int,
        Knob("ms", 50, 1000, "Sleep between two walks.", _SOURCE + "kmigrated_sleep_ms", live=True),
    ] = 100
    kmigrated_batch_nr: Annotated[
        int,
        Knob("folios", 64, 1024, "A batch is migrated when it has more than so many folios.",
             _SOURCE + "kmigrated_batch_nr"),
    ] = 512  # fmt: skip
    record_ns: Annotated[
        float,
        Knob("ns", 0, 10_000, "CPU time of looking at a folio and its record in a walk.",
             "a guess: a reference is taken and dropped"),
    ] = 10.0  # fmt: skip
