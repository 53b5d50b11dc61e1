"""From a TOML file to a Scenario, with one clear line per mistake."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tiering.promotion.policy_text import PolicyError
from tiering.simulation.catalogue import SCENARIOS, scenario_names, scenario_path
from tiering.simulation.classes import class_problems
from tiering.simulation.combine import objections
from tiering.simulation.entries import entry_problems, own_keys
from tiering.simulation.expect import expect_problems
from tiering.simulation.policy import find_policy
from tiering.simulation.presets import with_settings
from tiering.simulation.profile import ProfileError, with_profile
from tiering.simulation.rooms import ORACLE
from tiering.simulation.scenario import Process, Scenario
from tiering.simulation.sentences import UNKNOWN_KEY, sentence

MAX_BYTES = 1_000_000
ORDERED = (
    ("pte_scan", "scan_period_min_ms", "scan_period_max_ms"),
    ("pte_scan", "scan_size_min_mib", "scan_size_max_mib"),
    ("hint_fault", "scan_period_min_ms", "scan_period_max_ms"),
    ("damon", "sample_us", "aggr_us"),
    ("damon", "min_sample_us", "max_sample_us"),
    ("damon", "min_nr_regions", "max_nr_regions"),
    ("damos_migrate_hot", "min_nr_accesses", "max_nr_accesses"),
    ("damos_migrate_hot", "min_age", "max_age"),
    ("damos_migrate_cold", "min_nr_accesses", "max_nr_accesses"),
    ("damos_migrate_cold", "min_age", "max_age"),
    ("counts", "hot_reads", "cooling_threshold"),
)
"""Knobs of a section of which the first may not be above the second."""
PERCENT_SLACK = 0.01  # shares such as 33.33 need not sum to 100 exactly


class ScenarioError(ValueError):
    """What is wrong with a scenario: one line per problem, naming file, key, value and range."""


def load_file(where: str, overrides: dict[str, Any] | None = None) -> Scenario:
    """Load a TOML file, or a scenario of the catalogue by name."""
    path = scenario_path(where) if where in scenario_names() else _file(where)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ScenarioError(f"{where}: {size} bytes; a scenario has at most {MAX_BYTES}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{where}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{where}: not UTF-8 text at byte {error.start}") from error
    return load_text(text, path.stem, overrides, folder=path.parent, origin=where)


def _file(where: str) -> Path:
    path = Path(where)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.is_dir():
        raise ScenarioError(f"{where}: is a folder; give a .toml file in it")
    if path.is_file():
        raise ScenarioError(f"{where}: the name of a scenario's file should end in .toml")
    known = ", ".join(scenario_names())
    raise ScenarioError(f"{where}: no such scenario; give a .toml file or one of {known}")


def load_text(
    text: str,
    name: str,
    overrides: dict[str, Any] | None = None,
    folder: Path = SCENARIOS,
    origin: str | None = None,
    policy_text: str | None = None,
) -> Scenario:
    """Validate TOML text. overrides: dotted key -> value, applied before validation.

    folder: where recordings and a policy named by the scenario are looked for. origin: what
    messages begin with, the file as the user named it; default: the name. policy_text: of the
    policy, where it is known already.
    """
    origin = name if origin is None else origin
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # numbers of too many digits are no TOMLDecodeError
        raise ScenarioError(f"{origin}: not TOML: {error}") from error
    except RecursionError as error:
        raise ScenarioError(f"{origin}: not TOML: nested too deeply") from error
    try:
        data = with_profile(data, folder)
    except ProfileError as error:
        raise ScenarioError(f"{origin}: {error}") from error
    for key, value in (overrides or {}).items():
        _override(data, origin, key, value)
    problems: list[Any] = [{"type": UNKNOWN_KEY, "loc": path} for path in own_keys(data)]
    scenario = None
    try:
        scenario = Scenario.model_validate(with_settings(data))
    except ValidationError as error:
        problems += error.errors()
    if problems or scenario is None:
        lines = [f"{origin}: {sentence(problem)}" for problem in problems]
        raise ScenarioError("\n".join(dict.fromkeys(lines)))
    nodes = [node.model_copy(update={"nid": nid}) for nid, node in enumerate(scenario.nodes)]
    known: dict[str, Any] = {
        "name": name,
        "origin": origin,
        "text": text,
        "folder": str(folder),
        "nodes": nodes,
    }
    known |= {"overrides": dict(overrides or {})}
    if scenario.user_policy is not None:
        known["policy_text"] = policy_text or _policy(origin, scenario.policy_file, folder)
    scenario = scenario.model_copy(update=known)
    _cross_check(scenario)
    return scenario


def _policy(origin: str, file: str, folder: Path) -> str:
    try:
        return find_policy(file, folder)
    except PolicyError as error:
        raise ScenarioError(f"{origin}: user_policy.file = {file!r}: {error}") from error


def parse_value(text: str) -> Any:
    """A value as written in `--set KEY=VALUE`: TOML if it is TOML, else a plain string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _override(data: dict[str, Any], origin: str, key: str, value: Any) -> None:
    """Set a dotted key; a number is an index into a list."""
    *path, last = key.split(".")
    spot: Any = data
    for depth, part in enumerate(path):
        if isinstance(spot, list):
            if not re.fullmatch("[0-9]{1,9}", part) or int(part) >= len(spot):
                at = ".".join(path[:depth])
                raise ScenarioError(
                    f"{origin}: {key}: {at} has entries 0 .. {len(spot) - 1}, not {part!r}"
                )
            spot = spot[int(part)]
        else:
            spot = spot.setdefault(part, {})
        if not isinstance(spot, dict | list):
            raise ScenarioError(f"{origin}: {key}: {part} is a value, not a table")
    if isinstance(spot, list):
        raise ScenarioError(
            f"{origin}: {key}: name a key of one entry, e.g. {'.'.join(path)}.0.KEY"
        )
    spot[last] = value


def _cross_check(scenario: Scenario) -> None:
    """What no single key can tell."""
    names = [node.name for node in scenario.nodes]
    if len(set(names)) < len(names):
        raise ScenarioError(f"{scenario.origin}: nodes.name: {', '.join(names)}: names must differ")
    for at, process in enumerate(scenario.processes):
        _check_process(scenario.origin, f"processes.{at}", process, names)
    problems = [
        *entry_problems(scenario), *class_problems(scenario), *expect_problems(scenario.expect),
    ]  # fmt: skip
    if problems:
        raise ScenarioError("\n".join(f"{scenario.origin}: {problem}" for problem in problems))
    if problems := list(objections(scenario)):
        raise ScenarioError("\n".join(f"{scenario.origin}: {problem}" for problem in problems))
    _check_tiers(scenario)
    _check_ranges(scenario)


def _check_process(name: str, key: str, process: Process, nodes: list[str]) -> None:
    if (process.recording is None) == (not process.vmas):
        raise ScenarioError(f"{name}: {key}: give either vmas or a recording")
    if process.recording is not None and not _is_below(process.recording):
        raise ScenarioError(
            f"{name}: {key}.recording = {process.recording!r}: should be a relative path to a file "
            "in the scenario's folder or below it"
        )
    places = {f"{key}.node": process.node}
    places |= {f"{key}.vmas.{at}.node": vma.node for at, vma in enumerate(process.vmas)}
    for place, node in places.items():
        if node not in (*nodes, "first_touch"):
            known = ", ".join(nodes)
            raise ScenarioError(f"{name}: {place} = {node!r}: nodes are {known}, first_touch")
    total = sum(vma.share_pct for vma in process.vmas)
    if total and abs(total - 100) > PERCENT_SLACK:
        raise ScenarioError(f"{name}: {key}.vmas.share_pct: sums to {total:g}, should be 100")


def _is_below(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _check_tiers(scenario: Scenario) -> None:
    name, nodes = scenario.origin, scenario.nodes
    top = [at for at, node in enumerate(nodes) if node.tier == min(n.tier for n in nodes)]
    target = scenario.migration.target_node
    if "migration" in scenario.sections() and target not in top:
        raise ScenarioError(
            f"{name}: migration.target_node = {target}: should be a top-tier node, one of "
            + ", ".join(map(str, top))
        )
    if "damos_migrate_cold" in scenario.joined.demotion:
        _check_sink(scenario, [at for at in range(len(nodes)) if at not in top])
    if scenario.joined.promotion == ORACLE and (len(top) != 1 or len(nodes) > 2):
        raise ScenarioError(
            f"{name}: preset = {scenario.preset!r}: places on one top-tier node and one slower "
            f"node, not on {len(top)} and {len(nodes) - len(top)}"
        )


def _check_sink(scenario: Scenario, lower: list[int]) -> None:
    sink = scenario.damos_migrate_cold.target_nid
    if sink >= 0 and sink not in lower:
        raise ScenarioError(
            f"{scenario.origin}: damos_migrate_cold.target_nid = {sink}: should be -1 or a node "
            "below the top tier, one of " + ", ".join(map(str, lower))
        )


def _check_ranges(scenario: Scenario) -> None:
    used = scenario.sections()
    for section, low, high in ORDERED:
        if section not in used:
            continue
        least, most = (getattr(getattr(scenario, section), name) for name in (low, high))
        if least > most:
            raise ScenarioError(
                f"{scenario.origin}: {section}.{low} = {least}: should be at most {high} = {most}"
            )
