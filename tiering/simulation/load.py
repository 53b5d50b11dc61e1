"""From a TOML file to a Scenario, with one clear line per mistake."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tiering.simulation.catalogue import SCENARIOS, scenario_names, scenario_path
from tiering.simulation.scenario import Process, Scenario
from tiering.simulation.sentences import sentence

MAX_BYTES = 1_000_000
PERCENT_SLACK = 0.01  # shares such as 33.33 need not sum to 100 exactly


class ScenarioError(ValueError):
    """What is wrong with a scenario: one line per problem, naming file, key, value and range."""


def load_file(where: str, overrides: dict[str, Any] | None = None) -> Scenario:
    """Load a TOML file, or a scenario of the catalogue by name."""
    if where in scenario_names():
        path = scenario_path(where)
    else:
        path = Path(where)
        if path.suffix != ".toml" or not path.is_file():
            known = ", ".join(scenario_names())
            raise ScenarioError(f"{where}: no such scenario; give a .toml file or one of {known}")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ScenarioError(f"{path}: {size} bytes; a scenario has at most {MAX_BYTES}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: not UTF-8 text at byte {error.start}") from error
    return load_text(text, path.stem, overrides, folder=path.parent)


def load_text(
    text: str, name: str, overrides: dict[str, Any] | None = None, folder: Path = SCENARIOS
) -> Scenario:
    """Validate TOML text. overrides: dotted key -> value, applied before validation.

    folder: where recordings named by the scenario are looked for.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name}: not TOML: {error}") from error
    for reserved in ("name", "text", "folder", "overrides"):
        if reserved in data:
            raise ScenarioError(f"{name}: {reserved}: unknown key; the file's name is the name")
    for key, value in (overrides or {}).items():
        _override(data, name, key, value)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        lines = [f"{name}: {sentence(problem)}" for problem in error.errors()]
        raise ScenarioError("\n".join(dict.fromkeys(lines))) from None
    nodes = [node.model_copy(update={"nid": nid}) for nid, node in enumerate(scenario.nodes)]
    known = {"name": name, "text": text, "folder": str(folder), "nodes": nodes}
    scenario = scenario.model_copy(update={**known, "overrides": dict(overrides or {})})
    _cross_check(scenario)
    return scenario


def parse_value(text: str) -> Any:
    """A value as written in `--set KEY=VALUE`: TOML if it is TOML, else a plain string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _override(data: dict[str, Any], name: str, key: str, value: Any) -> None:
    """Set a dotted key; a number is an index into a list."""
    *path, last = key.split(".")
    spot: Any = data
    for depth, part in enumerate(path):
        if isinstance(spot, list):
            if not part.isdigit() or int(part) >= len(spot):
                at = ".".join(path[:depth])
                raise ScenarioError(
                    f"{name}: {key}: {at} has entries 0 .. {len(spot) - 1}, not {part!r}"
                )
            spot = spot[int(part)]
        else:
            spot = spot.setdefault(part, {})
        if not isinstance(spot, dict | list):
            raise ScenarioError(f"{name}: {key}: {part} is a value, not a table")
    if isinstance(spot, list):
        raise ScenarioError(f"{name}: {key}: name a key of one entry, e.g. {'.'.join(path)}.0.KEY")
    spot[last] = value


def _cross_check(scenario: Scenario) -> None:
    """What no single key can tell."""
    names = [node.name for node in scenario.nodes]
    if len(set(names)) < len(names):
        raise ScenarioError(f"{scenario.name}: nodes.name: {', '.join(names)}: names must differ")
    for at, process in enumerate(scenario.processes):
        _check_process(scenario.name, f"processes.{at}", process, names)
    _check_tiers(scenario)
    if "pte_scan" in scenario.sections():
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
    name, nodes = scenario.name, scenario.nodes
    top = [at for at, node in enumerate(nodes) if node.tier == min(n.tier for n in nodes)]
    target = scenario.migration.target_node
    if "migration" in scenario.sections() and target not in top:
        raise ScenarioError(
            f"{name}: migration.target_node = {target}: should be a top-tier node, one of "
            + ", ".join(map(str, top))
        )
    if scenario.preset == "oracle" and (len(top) != 1 or len(nodes) > 2):
        raise ScenarioError(
            f"{name}: preset = 'oracle': places on one top-tier node and one slower node, "
            f"not on {len(top)} and {len(nodes) - len(top)}"
        )


def _check_ranges(scenario: Scenario) -> None:
    for what, unit in (("period", "ms"), ("size", "mib")):
        low = getattr(scenario.pte_scan, f"scan_{what}_min_{unit}")
        high = getattr(scenario.pte_scan, f"scan_{what}_max_{unit}")
        if low > high:
            raise ScenarioError(
                f"{scenario.name}: pte_scan.scan_{what}_min_{unit} = {low}: "
                f"should be at most scan_{what}_max_{unit} = {high}"
            )
