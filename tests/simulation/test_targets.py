"""Where candidates go: to whom touches them, or to the target node."""

from typing import Any

from tests.simulation.scenarios import composed, finished
from tiering.simulation.scenario import Scenario
from tiering.simulation.targets import promotion_targets

NODES: list[dict[str, Any]] = [
    {"name": "A", "tier": 0}, {"name": "B", "tier": 0}, {"name": "CXL", "tier": 1},
]  # fmt: skip


def two_sockets(**changes: Any) -> Scenario:
    apps = [
        {"name": name, "home_node": home, "vmas": [{"size_mib": 4.0, "node": "CXL"}]}
        for name, home in (("first", "A"), ("second", "B"), ("third", "CXL"))
    ]
    return composed(apps, NODES, **{"preset": "numa_balancing_2", "until_s": 3.0} | changes)


def test_who_faults_promotes_to_its_own_node() -> None:
    assert promotion_targets(two_sockets()).tolist() == [0, 1, 0]
    _, rows, _ = finished(two_sockets(hot_threshold__spare_mib=0, migration__reserve="none"))
    resident = rows["mm_node.resident_mib"][-1].tolist()
    assert [one.index(max(one)) for one in resident] == [0, 1, 0]


def test_a_thread_takes_all_to_the_target_node() -> None:
    scenario = two_sockets(preset="kmmscand_v0", migration__target_node=1)
    assert promotion_targets(scenario).tolist() == [1, 1, 1]
