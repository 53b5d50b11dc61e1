"""`data-` and `aria-` attributes, whose names are no Python names."""

from typing import Any


def attributes(**named: str) -> dict[str, Any]:
    """attributes(aria_label="x") is {"aria-label": "x"}."""
    return {name.replace("_", "-"): value for name, value in named.items()}
