"""Access mix: which node serves the accesses, and how much better it could be."""

from collections.abc import Sequence
from typing import Any

from tiering.charts.chart import Chart, NodeLike, Series
from tiering.charts.colours import INK, shade, tier_colour

PERCENT = 100.0


def access_mix(schema: dict[str, Any], nodes: Sequence[NodeLike]) -> Chart:
    """Share of accesses per node, stacked to 100 %, and the oracle's ceiling for the top tier."""
    if len(schema["nodes"]) != len(nodes):
        raise ValueError(f"rows have {len(schema['nodes'])} nodes, the scenario has {len(nodes)}")
    order = sorted(range(len(nodes)), key=lambda nid: (nodes[nid].tier, nid))
    same_tier = [[n for n in order if nodes[n].tier == nodes[nid].tier] for nid in order]
    areas = tuple(
        Series(
            nodes[nid].name,
            "node.access_share",
            (nid,),
            PERCENT,
            "area",
            shade(tier_colour(nodes[nid].tier), peers.index(nid), len(peers)),
        )
        for nid, peers in zip(order, same_tier, strict=True)
    )
    ceiling = Series(
        "oracle, top tier", "oracle_share", scale=PERCENT, colour=INK, dash="dash", width=2.0
    )
    return Chart(
        id="access_mix",
        title="Access mix",
        question="Who serves the accesses, and what is the best possible?",
        unit="%",
        range="percent",
        series=(*areas, ceiling),
        decimals=1,
    )
