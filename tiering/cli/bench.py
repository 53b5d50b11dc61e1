"""`bench`: figures of this machine, one a line; ratios are to limits measured in the same run."""

import argparse
import fnmatch
from typing import Any

import orjson

from tiering.cli.benchmarks import BENCHMARKS
from tiering.simulation.load import ScenarioError


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("bench", help="measure this machine")
    command.add_argument("--only", metavar="GLOB", default="*", help="e.g. 'speed_*'")
    command.add_argument("--json", action="store_true", help="a JSON object per line")
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Run the chosen benchmarks one after the other and print each figure as it comes."""
    chosen = [name for name in BENCHMARKS if fnmatch.fnmatchcase(name, args.only)]
    if not chosen:
        raise ScenarioError(f"--only {args.only}: matches none of {', '.join(BENCHMARKS)}")
    for name in chosen:
        figure = BENCHMARKS[name]()
        if args.json:
            line = {"name": name, "value": figure.value, "unit": figure.unit, "note": figure.note}
            print(orjson.dumps(line).decode(), flush=True)
        else:
            print(f"{name:28} {figure.value:14,.4g} {figure.unit:28} {figure.note}", flush=True)
    return 0
