"""Where the candidates of each process go when a run begins."""

import numpy as np
from numpy.typing import NDArray

from tiering.simulation.scenario import Scenario
from tiering.sources.table import SOURCES


def promotion_targets(scenario: Scenario) -> NDArray[np.int64]:
    """i64[P] node to which the candidates of each mm go, unless its source chooses another.

    Who promotes what it has touched itself does so to the node of its CPU: the home of its process.
    What waits for kmigrated goes to `target_node`, and so does what tasks touch whose home is no
    node of the top tier.
    """
    fallback = scenario.migration.target_node
    rooms = scenario.joined
    in_task = any(SOURCES[name].in_task for name in rooms.sources) and not rooms.waits
    top = min(node.tier for node in scenario.nodes)
    homes = [scenario.home_nid(process) for process, _ in scenario.all_processes()]
    return np.array(
        [nid if in_task and scenario.nodes[nid].tier == top else fallback for nid in homes],
        np.int64,
    )
