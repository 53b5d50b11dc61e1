"""The room's one table of rules, and what a rule is to the run."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tiering.engine.reports import UNCOUNTED, Reports
from tiering.model.knobs import NoKnobs
from tiering.promotion.damos_knobs import DamosHot
from tiering.promotion.freq_threshold import FreqThreshold
from tiering.promotion.hot_threshold import HotThreshold


class Promotion(Protocol):
    """Who may rise."""

    @property
    def counters(self) -> dict[str, int]:
        """What it counted, by metric name."""

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],
        now: int,
        heat: NDArray[np.int64] = UNCOUNTED,
    ) -> Reports:
        """Candidates among hot folios at `now` ns; latency_ms: i64[n] how long ago each was
        reported, or how long it took to be touched; empty if nobody knows. heat: i64[n] its reports
        as the hotness memory counts them, empty if it does not."""

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""


class Kind(NamedTuple):
    """Its knobs, whether it asks how long ago a folio was seen, who may rise, and whether it asks
    how often a folio was seen."""

    knobs: type
    by_latency: bool
    meaning: str
    by_heat: bool = False


PROMOTION: dict[str, Kind] = {
    "never": Kind(NoKnobs, False, "nothing rises: what is hot is only observed"),
    "every_report": Kind(NoKnobs, False, "every report becomes a candidate, as in kmmscand V0"),
    "active_list": Kind(
        NoKnobs, False, "whoever is on the active list; what is not is activated, as in TPP"
    ),
    "hot_threshold": Kind(
        HotThreshold,
        True,
        "whoever was touched recently enough, within a rate, as in NUMA balancing",
    ),
    "freq_threshold": Kind(
        FreqThreshold,
        False,
        "whoever was reported often enough within a window, by the memory's count",
        by_heat=True,
    ),
    "user_policy": Kind(NoKnobs, False, "whoever a Python function of the user's own lets pass"),
    "damos_migrate_hot": Kind(
        DamosHot, False, "regions of DAMON that are accessed, the hottest first, within a quota"
    ),
}
