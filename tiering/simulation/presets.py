"""Presets join the rooms as the kernel does; anything a scenario can name is in this table.

A preset may bring values of knobs: they stand in for the declared defaults, and what a scenario
says itself wins over both.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tiering.simulation.rooms import ORACLE, Rooms

Settings = dict[str, dict[str, Any]]
"""section -> knob -> value."""

_KMMSCAND_INTERIM: Settings = {
    "pte_scan": {"scan_size_mib": 2048, "scan_size_min_mib": 256, "scan_size_max_mib": 8192},
    "migration": {"owner": "thread"},
}
_KMMSCAND_V1: Settings = {
    "pte_scan": {
        "scan_size_mib": 1024,
        "scan_size_min_mib": 256,
        "scan_size_max_mib": 4096,
        "scan_period_min_ms": 500,
        "scan_delay_ms": 1000,
        "ignore_threshold": 256,
        "decay_shift": 4,
        "budget": "strict",
        "skip_shared": True,
        "prctl": "switch",
        "pte_top_ns": 15.0,
        "target": "most_scanned",
        "holes": "pass",
    },
    "migration": {"owner": "thread", "reserve": "high", "refuse_shared": True},
}
_KSCAND_V2: Settings = {
    "pte_scan": _KMMSCAND_V1["pte_scan"]
    | {"scan_period_min_ms": 600, "scan_sleep_ms": 20, "budget": "until_useful"},
    "migration": _KMMSCAND_V1["migration"] | {"lists": "first_mm", "still_hot": "active"},
    "reclaim": {"lru": "mglru"},
}
_KSCAND_V3: Settings = {
    "pte_scan": _KSCAND_V2["pte_scan"]
    | {"useful": "two_windows", "prctl": "period", "scan_scale": 8, "failure_feedback": True}
    | {"target": "most_accessed"},
    "migration": _KSCAND_V2["migration"] | {"still_hot": "not_idle"},
    "reclaim": _KSCAND_V2["reclaim"],
}
_NUMA_BALANCING_2: Settings = {
    "hot_threshold": {"hot_threshold_ms": 1000},
    "migration": {"reserve": "high"},
    "reclaim": {"tiering_mode": True},
}
_KMIGRATED: Settings = {"migration": {"reserve": "high"}}
_PGHOT: Settings = _KMIGRATED | {"reclaim": {"tiering_mode": True}}
_NUMA_BALANCING_2_PAGE_CACHE: Settings = _NUMA_BALANCING_2 | {
    "page_cache_access": {"pagecache_promotion_enabled": True},
}
_KLRUSCAND: Settings = {"reclaim": {"lru": "mglru"}}
_MEMTIERD_AGE: Settings = {
    "pte_scan": {
        "scan_period_ms": 5000,
        "scan_period_min_ms": 5000,
        "scan_size_mib": 1_048_576,
        "scan_size_max_mib": 1_048_576,
        "ignore_threshold": 0,
        "useful": "as_intended",
        "holes": "pass",
    },
    "two_windows": {"window_ms": 5500, "nr_windows": 3},
    "coldest_first": {"rate_mib_s": 190},
    "migration": {
        "owner": "thread", "thread_sleep_ms": 20, "rate_limit_mib_s": 190, "reserve": "high",
        "batch_nr": 512,
    },
}  # fmt: skip
_HEMEM: Settings = {
    "migration": {
        "owner": "thread", "thread_sleep_ms": 10, "rate_limit_mib_s": 9537, "reserve": "high",
    },
}  # fmt: skip
_NUMA_BALANCING_1: Settings = {
    "hint_fault": {"numa_balancing": "normal"},
    "migration": {"reserve": "high"},
}
_NUMA_BALANCING_3: Settings = _NUMA_BALANCING_2 | {"hint_fault": {"numa_balancing": "both"}}
_TPP: Settings = {
    "reclaim": {"demotion_enabled": True, "demote_scale_factor": 200},
}
_MTIER_SCHEME: dict[str, Any] = {"apply_interval_ms": 1000, "quota_mib": 200}
_DAMON_MTIER: Settings = {
    "damon": {"access_bp": 400, "tuned_apply": "as_intended"},
    "damos_migrate_hot": _MTIER_SCHEME | {"young": "allow", "goal": "node_mem_used_bp"},
    "damos_migrate_cold": _MTIER_SCHEME | {"young": "reject", "goal": "node_mem_free_bp"},
    "migration": {"batch_nr": 512},
}
_PTE_SCAN = Rooms(("pte_scan",), "last_report", "every_report", ("kswapd",))


class Preset(NamedTuple):
    """What it joins, the name of the threads of its source where they have another, and the values
    of knobs in which it differs from the declared defaults."""

    meaning: str
    rooms: Rooms
    thread: str = ""
    settings: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


PRESETS: dict[str, Preset] = {
    "none": Preset("nothing is promoted: the reference line", Rooms(demotion=("kswapd",))),
    "kmmscand_v0": Preset(
        "one thread scans accessed bits and promotes on first sight, as posted in December 2024",
        _PTE_SCAN, "kmmscand",
    ),
    "kmmscand_interim": Preset(
        "V0 with a migrating thread and half the scan sizes, as sent to the list in March 2025",
        _PTE_SCAN, "kmmscand", _KMMSCAND_INTERIM,
    ),
    "kmmscand_v1": Preset(
        "a scanning and a migrating thread, shared folios left alone, as posted in March 2025",
        _PTE_SCAN, "kmmscand", _KMMSCAND_V1,
    ),
    "kscand_v2": Preset(
        "a migration list for every mm, of which one is drained, as posted in June 2025",
        _PTE_SCAN, "kscand", _KSCAND_V2,
    ),
    "kscand_v3": Preset(
        "two windows with an access, scale by process, failures slow it, as posted in August 2025",
        _PTE_SCAN, "kscand", _KSCAND_V3,
    ),
    "klruscand": Preset(
        "MGLRU's page-table walk, twice a second, and what it finds accessed is promoted",
        Rooms(("lru_gen_walk",), "last_report", "every_report", ("kswapd",)), "", _KLRUSCAND,
    ),
    "klruscand_pghot": Preset(
        "MGLRU's page-table walk feeds a byte of pghot a page, and kmigrated promotes",
        Rooms(("lru_gen_walk",), "pghot", "hot_threshold", ("kswapd",)),
        "", _KLRUSCAND | _KMIGRATED,
    ),
    "numa_balancing_1": Preset(
        "tasks mark their PTEs on all tiers, and the second fault takes a page to who touches it",
        Rooms(("hint_fault",), "two_faults", "every_report", ("kswapd",)),
        "", _NUMA_BALANCING_1,
    ),
    "numa_balancing_2": Preset(
        "tasks mark their PTEs, and what is touched soon after is promoted by who touches it",
        Rooms(("hint_fault",), "last_report", "hot_threshold", ("kswapd",)),
        "", _NUMA_BALANCING_2,
    ),
    "numa_balancing_2_page_cache": Preset(
        "the same, and reads of hot page cache that nobody maps promote it, as posted in 2025",
        Rooms(("hint_fault", "page_cache_access"), "last_report", "hot_threshold", ("kswapd",)),
        "", _NUMA_BALANCING_2_PAGE_CACHE,
    ),
    "numa_balancing_3": Preset(
        "both: pages of the top tier are marked and fault too, those below it rise as in mode 2",
        Rooms(("hint_fault",), "last_report", "hot_threshold", ("kswapd",)),
        "", _NUMA_BALANCING_3,
    ),
    "tpp": Preset(
        "what is active is promoted by who touches it, and kswapd keeps 2 % of the top tier free",
        Rooms(("hint_fault",), "last_report", "active_list", ("kswapd",)), "", _TPP,
    ),
    "chmu": Preset(
        "the CXL device counts accesses, and what is on its hot list is promoted",
        Rooms(("chmu",), "last_report", "every_report", ("kswapd",)),
    ),
    "hw_sample": Preset(
        "the CPU samples accesses, and every sampled folio of the slow tier is promoted",
        Rooms(("hw_sample",), "last_report", "every_report", ("kswapd",)),
    ),
    "pghot": Preset(
        "hint faults feed a byte of pghot a page, and kmigrated promotes, as posted in 2026",
        Rooms(("hint_fault",), "pghot", "hot_threshold", ("kswapd",)), "", _PGHOT,
    ),
    "pghot_precise": Preset(
        "the same with records of four bytes",
        Rooms(("hint_fault",), "pghot_precise", "hot_threshold", ("kswapd",)), "", _PGHOT,
    ),
    "ibs_pghot": Preset(
        "samples of the CPU feed a byte of pghot a page, and kmigrated promotes what is ready",
        Rooms(("hw_sample",), "pghot", "hot_threshold", ("kswapd",)), "", _KMIGRATED,
    ),
    "chmu_pghot": Preset(
        "the device's hot lists feed a byte of pghot a page, and kmigrated promotes what is ready",
        Rooms(("chmu",), "pghot", "hot_threshold", ("kswapd",)), "", _KMIGRATED,
    ),
    "chmu_pghot_precise": Preset(
        "the same with records of four bytes",
        Rooms(("chmu",), "pghot_precise", "hot_threshold", ("kswapd",)), "", _KMIGRATED,
    ),
    "memtierd_age": Preset(
        "a daemon promotes what is active in three rounds of 5 s and demotes what is idle for 15 s",
        Rooms(("pte_scan",), "two_windows", "every_report", ("kswapd", "coldest_first")),
        "memtierd", _MEMTIERD_AGE,
    ),
    "hemem": Preset(
        "sampled accesses are counted, counts are halved, and folios with eight of them promoted",
        Rooms(("hw_sample",), "counts", "every_report", ("kswapd",)), "", _HEMEM,
    ),
    "damon_mtier": Preset(
        "two kdamonds exchange hot and cold regions, as the kernel's sample module mtier does",
        Rooms(
            ("damon",), "damon_regions", "damos_migrate_hot", ("damos_migrate_cold", "kswapd")
        ),
        "", _DAMON_MTIER,
    ),
    "oracle": Preset(
        "the hottest folios are on the top tier at every instant, for free: the ceiling",
        Rooms(promotion=ORACLE),
    ),
}  # fmt: skip


def with_settings(data: dict[str, Any]) -> dict[str, Any]:
    """What a file says, completed by the settings of the preset that it names."""
    name = data.get("preset")
    preset = PRESETS.get(name) if isinstance(name, str) else None
    filled = dict(data)
    for section, knobs in preset.settings.items() if preset else ():
        own = data.get(section, {})
        if isinstance(own, dict):
            filled[section] = {**knobs, **own}
    return filled


def presets_with(section: str, knob: str) -> dict[Any, list[str]]:
    """Which presets set a knob: their names by the value."""
    found: dict[Any, list[str]] = {}
    for name, preset in PRESETS.items():
        if knob in preset.settings.get(section, {}):
            found.setdefault(preset.settings[section][knob], []).append(name)
    return found
