"""Presets join the rooms as the kernel does; anything a scenario can name is in this table."""

from typing import NamedTuple


class Preset(NamedTuple):
    """Mechanism of each room ("" = none) and the knob sections that a run of it shows."""

    meaning: str
    source: str
    hotness: str
    promotion: str
    demotion: str
    sections: tuple[str, ...]


PRESETS: dict[str, Preset] = {
    "none": Preset("nothing is promoted: the reference line", "", "", "", "kswapd", ("reclaim",)),
    "kmmscand_v0": Preset(
        "one thread scans accessed bits and promotes on first sight, as posted in December 2024",
        "pte_scan", "last_report", "every_report", "kswapd", ("pte_scan", "migration", "reclaim"),
    ),
    "chmu": Preset(
        "the CXL device counts accesses, and what is on its hot list is promoted",
        "chmu", "last_report", "every_report", "kswapd", ("chmu", "migration", "reclaim"),
    ),
    "hw_sample": Preset(
        "the CPU samples accesses, and every sampled folio of the slow tier is promoted",
        "hw_sample", "last_report", "every_report", "kswapd",
        ("hw_sample", "migration", "reclaim"),
    ),
    "oracle": Preset(
        "the hottest folios are on the top tier at every instant, for free: the ceiling",
        "", "", "oracle", "", (),
    ),
}  # fmt: skip
