"""kswapd of a node with a lower tier: demotes until enough is free (docs/model.md#reclaim).

    wakes below low, works until high (promo in tiering mode; TPP's mark if that is higher)

Mirrors balance_pgdat and demote_folio_list; the loops are in engine/reclaim.py and
engine/generations.py. Not modelled: swap, dropping of file cache, cgroups, kcompactd.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import AS_IT_IS, Memory
from tiering.engine.reclaim import AGE_HAND, MAX_SEQ, MIN_SEQ, NR_STATE
from tiering.engine.sink import Sink
from tiering.engine.watermarks import HIGH, LOW, MIN, PROMO, watermarks
from tiering.model.knobs import Knob

FIRST_MAX_SEQ = 3  # max_seq of a new lruvec: MIN_NR_GENS + 1
_GUESS = "inside 2..4 us a demoted page; not calibrated"


class Reclaim(NamedTuple):
    """Knobs of watermarks, reclaim and demotion."""

    demotion_enabled: Annotated[
        bool,
        Knob("", None, None, "Whether reclaim may demote to a lower tier.",
             "/sys/kernel/mm/numa/demotion_enabled; off in the kernel too"),
    ] = False  # fmt: skip
    lru: Annotated[
        Literal["active_inactive", "mglru"],
        Knob("", None, None, "How reclaim tells old folios from young ones.", "CONFIG_LRU_GEN"),
    ] = "active_inactive"
    min_free_kbytes: Annotated[
        int, Knob("KiB", 0, 2**30, "Reserve of all nodes; 0 = by the kernel's rule.", "sysctl vm")
    ] = 0
    watermark_scale_factor: Annotated[
        int, Knob("/10000", 1, 3000, "Gap between watermarks as a part of the node.", "sysctl vm")
    ] = 10
    tiering_mode: Annotated[
        bool,
        Knob("", None, None, "kswapd works on until promo is free, not high.",
             "numa_balancing = 2"),
    ] = False  # fmt: skip
    demote_scale_factor: Annotated[
        int,
        Knob("/10000", 0, 1000, "TPP's head-room on the top tier, 0 = none; 200 in the posting.",
             "TPP: sysctl demote_scale_factor"),
    ] = 0  # fmt: skip
    rmap_ns: Annotated[
        float, Knob("ns", 0, 100_000, "Looking at one folio by its reverse map.", "assumption")
    ] = 250.0
    age_ns: Annotated[
        float, Knob("ns", 0, 10_000, "Aging one PTE by a page-table walk.", "assumption: as a scan")
    ] = 15.0
    demote_us: Annotated[
        float, Knob("us", 0, 10_000, "Demoting one folio, in batches, without the copy.", _GUESS)
    ] = 1.7
    ping_pong_s: Annotated[
        float,
        Knob("s", 0, 3600, "Demoted this soon after its promotion a folio counts as ping-pong."),
    ] = 10.0


class Marks(NamedTuple):
    """i64[N] pages of each node: the kernel's watermarks, and where kswapd wakes and sleeps."""

    least: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    promo: NDArray[np.int64]
    wake: NDArray[np.int64]
    wanted: NDArray[np.int64]


def marks(knobs: Reclaim, capacity: NDArray[np.int64], top_tier: NDArray[np.bool_]) -> Marks:
    """All marks; capacity: i64[N] pages. TPP's head-room is for top-tier nodes."""
    rule = watermarks(capacity, knobs.min_free_kbytes, knobs.watermark_scale_factor)
    room = np.where(top_tier, capacity * knobs.demote_scale_factor // 10_000, 0)
    usual = rule[:, PROMO] if knobs.tiering_mode else rule[:, HIGH]
    return Marks(
        rule[:, MIN], rule[:, LOW], rule[:, HIGH], rule[:, PROMO],
        np.maximum(rule[:, LOW], room), np.maximum(usual, room),
    )  # fmt: skip


def sink(
    knobs: Reclaim, tiers: NDArray[np.int64], reserve: NDArray[np.int64], bytes_per_ns: float
) -> Sink:
    """Where folios sink to: nodes of the next lower tier first, then of those below it.

    tiers: i64[N]; reserve: i64[N] pages that demotion leaves free on each node.
    """
    nr = tiers.size
    targets = np.full((nr, nr), -1, np.int64)
    for nid in range(nr):
        lower = [n for n in range(nr) if tiers[n] > tiers[nid]]
        lower.sort(key=lambda n: (int(tiers[n]), abs(n - nid)))
        targets[nid, : len(lower)] = lower
    slow = (tiers > tiers.min()).astype(np.uint8)
    return Sink(
        targets, reserve, slow, knobs.lru == "mglru", knobs.rmap_ns, knobs.age_ns,
        knobs.demote_us * 1e3, bytes_per_ns, round(knobs.ping_pong_s * 1e9),
    )  # fmt: skip


def first_lists(knobs: Reclaim, memory: Memory) -> None:
    """Set on which list folios begin: the youngest generation, or the inactive list."""
    memory.entry[:] = FIRST_MAX_SEQ if knobs.lru == "mglru" else AS_IT_IS


def first_state(nr_threads: int) -> NDArray[np.int64]:
    """i64[K, NR_STATE] of so many kswapds that have never run."""
    state = np.zeros((nr_threads, NR_STATE), np.int64)
    state[:, MAX_SEQ] = FIRST_MAX_SEQ
    state[:, MIN_SEQ] = 0
    state[:, AGE_HAND] = -1
    return state
