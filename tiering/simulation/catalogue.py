"""The scenarios that the project ships: every scenarios/*.toml, by file name."""

from pathlib import Path

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def scenario_names() -> list[str]:
    """Names of the shipped scenarios, sorted."""
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def scenario_path(name: str) -> Path:
    """File of a shipped scenario."""
    return SCENARIOS / f"{name}.toml"
