"""Node occupancy: whose memory lies where."""

from collections.abc import Sequence
from typing import Any

from tiering.charts.chart import Chart, NodeLike, Reference, Series
from tiering.charts.colours import shade, tier_colour

MOST_MMS = 8
GIB_PER_MIB = 1 / 1024


def node_occupancy(schema: dict[str, Any], nodes: Sequence[NodeLike]) -> Chart:
    """Stacked area per process for each node, top tier at the bottom, and its capacity line.

    Above 8 processes one area per node.
    """
    mms = schema["mms"]
    order = sorted(range(len(nodes)), key=lambda nid: (nodes[nid].tier, nid))
    series: list[Series] = []
    for nid in order:
        colour = tier_colour(nodes[nid].tier)
        if len(mms) > MOST_MMS:
            series.append(
                Series(nodes[nid].name, "node.resident_mib", (nid,), GIB_PER_MIB, "area", colour)
            )
            continue
        for mm, name in enumerate(mms):
            series.append(
                Series(
                    f"{nodes[nid].name} {name}" if len(mms) > 1 else nodes[nid].name,
                    "mm_node.resident_mib",
                    (mm, nid),
                    GIB_PER_MIB,
                    "area",
                    shade(colour, mm, len(mms)),
                )
            )
    top = min(node.tier for node in nodes)
    capacity = sum(node.capacity_mib for node in nodes if node.tier == top) * GIB_PER_MIB
    names = " + ".join(node.name for node in nodes if node.tier == top)
    return Chart(
        id="occupancy",
        title="Node occupancy",
        question="Whose memory lies on which node?",
        unit="GiB",
        range="zero",
        series=tuple(series),
        references=(Reference(f"{names} capacity", capacity),),
        note=f"{len(mms)} processes: totals per node" if len(mms) > MOST_MMS else "",
        decimals=2,
    )
