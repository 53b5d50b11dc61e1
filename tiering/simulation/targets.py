"""Where the candidates of each process go when a run begins."""

import numpy as np
from numpy.typing import NDArray

from tiering.simulation.scenario import Scenario
from tiering.sources.table import SOURCES


def promotion_targets(scenario: Scenario) -> NDArray[np.int64]:
    """i64[P] node to which the candidates of each mm go, unless its source chooses another.

    Who promotes what it has touched itself does so to the node of its CPU: the home of its process.
    kmigrated does so where records name that node and every source knows it. All else goes to
    `target_node`, and so does what is touched by those whose home is no node of the top tier.
    """
    fallback = scenario.migration.target_node
    rooms = scenario.joined
    if rooms.waits:
        to_home = rooms.hotness == "pghot_precise" and all(SOURCES[s].cpu for s in rooms.sources)
    else:
        to_home = any(SOURCES[name].in_task for name in rooms.sources)
    top = min(node.tier for node in scenario.nodes)
    homes = [scenario.home_nid(process) for process, _ in scenario.all_processes()]
    return np.array(
        [nid if to_home and scenario.nodes[nid].tier == top else fallback for nid in homes],
        np.int64,
    )
