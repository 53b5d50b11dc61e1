"""Machine profiles: nodes and constants of a named machine, which several scenarios share.

`profile = "epyc-cxl"` in a scenario takes machines/epyc-cxl.toml of its folder, or of the shipped
scenarios. What the scenario says itself wins, and the profile wins over presets and defaults.
"""

import tomllib
from pathlib import Path
from typing import Any

from tiering.simulation.catalogue import SCENARIOS
from tiering.simulation.rooms import SECTIONS

MACHINES = "machines"


class ProfileError(ValueError):
    """One sentence: which profile, and what is wrong."""


def profile_names(folder: Path) -> list[str]:
    """Profiles that a scenario of the folder may name, sorted."""
    found = {path.stem for one in (folder, SCENARIOS) for path in (one / MACHINES).glob("*.toml")}
    return sorted(found)


def with_profile(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a file says, completed by the profile that it names. Raises ProfileError."""
    name = data.get("profile")
    if not isinstance(name, str):
        return data
    if name not in profile_names(folder):
        known = ", ".join(map(repr, profile_names(folder)))
        raise ProfileError(f"profile = {name!r}: no such machine; allowed is one of {known}")
    paths = [one / MACHINES / f"{name}.toml" for one in (folder, SCENARIOS)]
    path = next(path for path in paths if path.is_file())
    try:
        profile = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProfileError(f"profile = {name!r}: {path.name} cannot be read: {error}") from error
    filled = dict(data)
    for key, value in profile.items():
        if key == "nodes":
            filled.setdefault("nodes", value)
        elif key not in SECTIONS:
            raise ProfileError(f"profile = {name!r}: {key}: a machine has nodes and knob sections")
        elif isinstance(filled.get(key, {}), dict):
            filled[key] = {**value, **filled.get(key, {})}
    return filled
