"""The options that choose and change a scenario, shared by `run` and `check`."""

import argparse
from typing import Any

from tiering.simulation.load import ScenarioError, load_file, parse_value
from tiering.simulation.scenario import Scenario


def add_options(command: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """SCENARIO, which may be optional, --set and --until."""
    command.add_argument(
        "scenario", metavar="SCENARIO", nargs="?" if optional else None,
        help="a name from `scenarios` or a .toml file",
    )  # fmt: skip
    command.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[],
        help="change a key, e.g. pte_scan.scan_period_ms=1000; `knobs` lists those of sections",
    )  # fmt: skip
    command.add_argument("--until", metavar="S", help="simulate at most S seconds")


def chosen(args: argparse.Namespace) -> Scenario:
    """The scenario with all changes applied; raises ScenarioError."""
    return load_file(args.scenario, changes(args))


def changes(args: argparse.Namespace) -> dict[str, Any]:
    """What --set and --until change, dotted key -> value; raises ScenarioError."""
    found: dict[str, Any] = {}
    for setting in args.set:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ScenarioError(f"--set {setting}: should be KEY=VALUE")
        found[key.strip()] = parse_value(value.strip())
    if args.until is not None:
        found["until_s"] = parse_value(args.until)
    return found
