"""The file of a user's policy: where it is looked for, and what may be read.

A policy is shipped (`policies/`) or lies with the scenario; a run that a worker does has the
shipped ones alone, because its scenario has no folder there. Nothing on the wire can bring one.
"""

import hashlib
from pathlib import Path

from tiering.promotion.policy_text import PolicyError, read_policy
from tiering.simulation.catalogue import SCENARIOS

POLICIES = SCENARIOS.parent / "policies"
MAX_BYTES = 100_000


def policy_names() -> list[str]:
    """Files of the shipped policies, sorted."""
    return sorted(path.name for path in POLICIES.glob("*.py"))


def digest(text: str) -> str:
    """16 hex digits that change with a policy's text; "" where there is none."""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def find_policy(file: str, folder: Path) -> str:
    """The text of a policy, which may be run; raises PolicyError.

    file: as the scenario names it. folder: of the scenario.
    """
    path = Path(file)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".py":
        raise PolicyError(
            "should be a relative path to a .py file in the scenario's folder or below"
        )
    shipped = POLICIES / path.name
    inside = folder / path
    if not inside.is_file() and path.parent in (Path(), Path("policies")):
        inside = shipped
    if not inside.is_file():
        raise PolicyError(
            "no such file in the scenario's folder, which a run of the page has none of, and none "
            f"of the shipped policies: {', '.join(policy_names())}"
        )
    try:
        if inside.stat().st_size > MAX_BYTES:
            raise PolicyError(f"has more than {MAX_BYTES} bytes")
        text = inside.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"cannot be read: {error}") from error
    read_policy(file, text)
    return text
