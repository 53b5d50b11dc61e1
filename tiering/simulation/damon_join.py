"""Which kdamonds a run has: one for each side from which a scheme takes folios."""

from tiering.engine.damon_region import SLOW_SIDE, TOP, VIRTUAL
from tiering.simulation.scenario import Scenario


def has_cold_scheme(scenario: Scenario) -> bool:
    """True if DAMOS demotes."""
    return "damos_migrate_cold" in scenario.joined.demotion


def has_hot_scheme(scenario: Scenario) -> bool:
    """True if DAMOS promotes."""
    return scenario.joined.promotion == "damos_migrate_hot"


def kdamond_sides(scenario: Scenario) -> list[int]:
    """What each kdamond monitors (engine/damon_region.py); [] where there is none.

    One for the slow tier, and one for the top tier if folios sink from there; of address spaces
    one, which sees both.
    """
    if "damon" not in scenario.joined.sources:
        return []
    if scenario.damon.operations == "vaddr":
        return [VIRTUAL]
    return [SLOW_SIDE, TOP] if has_cold_scheme(scenario) else [SLOW_SIDE]
