"""Knobs of the promotion of page cache that nobody maps (docs/model.md#page-cache-access)."""

from typing import Annotated, Literal, NamedTuple

from tiering.model.knobs import Knob

_V2 = "RFC v2: rdtsc around it, at about 2 GHz: "


class PageCacheAccess(NamedTuple):
    """Knobs of reads that ask for promotion."""

    pagecache_promotion_enabled: Annotated[
        bool,
        Knob("", None, None, "Whether reads of hot page cache that nobody maps ask for promotion.",
             "/sys/kernel/mm/numa/pagecache_promotion_enabled", live=True),
    ] = False  # fmt: skip
    version: Annotated[
        Literal["v2", "v4"],
        Knob("", None, None, "v2: the time of the last read is overwritten before it is asked for, "
             "so every latency is 0, and the list has no end; v4, as v3: a latency, and a list.",
             "RFC v2, v3, v4: promotion_candidate"),
    ] = "v4"  # fmt: skip
    promo_list_pages: Annotated[
        int,
        Knob("pages", 0, 2**31, "Pages on a task's list, from which on it takes no more until the "
             "read() returns: the number of the rate limit in MB/s, as posted.",
             "RFC v3: promo_count, promote_rate_limit_MBps"),
    ] = 65_536  # fmt: skip
    read_kib: Annotated[
        int,
        Knob("KiB", 4, 2_097_152, "What one read() of a file asks for that is read from begin to "
             "end; other reads are of one folio.", "assumption: as cat and cp do"),
    ] = 128  # fmt: skip
    check_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "Time of a task for a read that asks.", _V2 + "93 cycles",
             live=True),
    ] = 46.5  # fmt: skip
    look_ms: Annotated[
        int,
        Knob("ms", 10, 1000, "Time between looks at what was read: how late a candidate may be.",
             "of the simulation, not of the kernel"),
    ] = 50  # fmt: skip
