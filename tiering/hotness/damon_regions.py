"""DAMON's own memory: regions with their accesses and ages (docs/model.md#damos).

Reports are not kept: a region counts the samples that found an access, and DAMOS reads regions when
its kdamond applies a scheme.
"""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from tiering.engine.damon_region import (
    ACCESSES_BP,
    AGE,
    BP,
    END,
    START,
    Regions,
)
from tiering.engine.reports import Reports
from tiering.hotness.hotness import NEVER, Hot


class Region(NamedTuple):
    """Addresses in pages of the folio array, accesses in an aggregation, age in aggregations."""

    start: int
    end: int
    nr_accesses: int
    age: int


class DamonRegions:
    """The regions of all kdamonds; a Hotness. regions: of each of them, live; they come
    with the kdamonds."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        self.regions: list[Regions] = []

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002
        """See Hotness; nothing is kept and nothing hot at once."""
        return Hot(NEVER, np.zeros(0, np.int64))

    def forget(self, mm: int) -> None:
        """Regions know no processes; their accesses fade."""

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""

    def snapshot(self, kdamond: int) -> list[Region]:
        """Its regions as they are, in the order of their addresses."""
        one = self.regions[kdamond]
        return [
            Region(int(row[START]), int(row[END]), int(row[ACCESSES_BP]) // BP, int(row[AGE]))
            for row in one.row[: one.nr[0]]
        ]
