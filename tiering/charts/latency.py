"""Latency: what an access costs on each node, under the load that there is."""

from typing import Any

from tiering.charts.chart import Chart, Series
from tiering.charts.colours import INK, shade, tier_colour
from tiering.charts.setting import Setting


def latency(schema: dict[str, Any], setting: Setting) -> Chart:
    """Loaded latency of each node and the mean of all accesses; bandwidth in use is told."""
    nodes = setting.nodes
    order = sorted(range(len(schema["nodes"])), key=lambda nid: (nodes[nid].tier, nid))
    lines, told = [], []
    for nid in order:
        peers = [n for n in order if nodes[n].tier == nodes[nid].tier]
        colour = shade(tier_colour(nodes[nid].tier), peers.index(nid), len(peers))
        lines.append(Series(nodes[nid].name, "node.latency_ns", (nid,), colour=colour))
        told.append(
            Series(f"{nodes[nid].name} bandwidth in use", "node.utilisation", (nid,), 100.0,
                   "hover", colour, unit="%")
        )  # fmt: skip
    mean = Series("mean of all accesses", "mean_latency_ns", colour=INK, width=2.0)
    return Chart(
        id="latency",
        title="Latency under load",
        question="What does an access cost, and which node is saturated?",
        unit="ns",
        range="zero",
        series=(*lines, mean, *told),
        decimals=0,
    )
