"""`bench`: figures of this machine, one a line; ratios are to limits measured in the same run."""

import argparse
import fnmatch
from typing import Any

import orjson

from tiering.cli.benchmarks import BENCHMARKS
from tiering.cli.measure import Figure
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
        print(as_json(name, figure) if args.json else as_text(name, figure), flush=True)
    return 0


def as_json(name: str, figure: Figure) -> str:
    """One line of JSON."""
    return orjson.dumps({"name": name, **figure._asdict(), "met": figure.met}).decode()


def as_text(name: str, figure: Figure) -> str:
    """One line for a terminal."""
    said = "; ".join(part for part in (figure.verdict, figure.ratio, figure.note) if part)
    return f"{name:34} {number(figure.value):>12} {figure.unit:20} {said}"


def number(value: float) -> str:
    """With three or four digits that mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
