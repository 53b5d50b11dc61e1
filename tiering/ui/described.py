"""Size and assumptions of scenarios, worked out once: for a recording that takes a second."""

import threading

from tiering.simulation.catalogue import scenario_names
from tiering.simulation.describe import Description, describe
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.scenario import Scenario

MOST_KEPT = 200
_known: dict[str, Description] = {}
_lock = threading.Lock()


def described(scenario: Scenario) -> Description:
    """The description, from memory if this scenario was asked for before; raises ScenarioError."""
    key = scenario.model_dump_json(include={"processes"})
    with _lock:
        if key not in _known:
            if len(_known) >= MOST_KEPT:
                _known.clear()
            _known[key] = describe(scenario)
        return _known[key]


def describe_catalogue() -> None:
    """Ask for every shipped scenario, so that the gallery opens at once."""
    for name in scenario_names():
        try:
            described(load_file(name))
        except ScenarioError:
            continue  # the gallery says so on its card
