"""Node occupancy: whose memory lies where."""

from typing import Any

from tiering.charts.chart import Chart, Reference, Series
from tiering.charts.colours import shade, tier_colour
from tiering.charts.per_mm import MOST_MMS
from tiering.charts.setting import Setting

GIB_PER_MIB = 1 / 1024


def node_occupancy(schema: dict[str, Any], setting: Setting) -> Chart:
    """Stacked area per process for each node, top tier at the bottom, its capacity and watermarks.

    Above 8 processes one area per node.
    """
    mms, nodes = schema["mms"], setting.nodes
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
        references=(
            Reference(f"{names} capacity", capacity),
            *(
                Reference(name, capacity - free_mib * GIB_PER_MIB, quiet=True)
                for name, free_mib in setting.watermarks
            ),
        ),
        note=f"{len(mms)} processes: totals per node" if len(mms) > MOST_MMS else "",
        decimals=2,
    )
