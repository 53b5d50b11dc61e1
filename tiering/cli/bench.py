"""`bench`: figures of this machine, one a line; ratios are to limits measured in the same run."""

import argparse
import fnmatch
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from tiering.cli.benchmarks import BENCHMARKS
from tiering.cli.measure import Figure, number
from tiering.simulation.load import ScenarioError


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("bench", help="measure this machine")
    command.add_argument("--only", metavar="GLOB", default="*", help="e.g. 'speed_*'")
    command.add_argument("--json", action="store_true", help="a JSON object per line")
    command.add_argument(
        "--write", metavar="FILE", help="write the figures and plots into docs/performance.md"
    )
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Run the chosen benchmarks one after the other and print each figure as it comes."""
    write = _writer(args)
    chosen = [name for name in BENCHMARKS if fnmatch.fnmatchcase(name, args.only)]
    if not chosen:
        raise ScenarioError(f"--only {args.only}: matches none of {', '.join(BENCHMARKS)}")
    figures: dict[str, Figure] = {}
    for name in chosen:
        figures[name] = figure = BENCHMARKS[name]()
        print(as_json(name, figure) if args.json else as_text(name, figure), flush=True)
    if write is not None:
        write(figures)
    return 0


def _writer(args: argparse.Namespace) -> Callable[[dict[str, Figure]], None] | None:
    """What writes the figures into the document that --write names."""
    if args.write is None:
        return None
    if args.only != "*":
        raise ScenarioError(f"--write {args.write}: takes all benchmarks, so not with --only")
    from tiering.cli.bench_document import (  # noqa: PLC0415 - pandas below it is slow to import
        check_document,
        write_document,
    )

    check_document(Path(args.write))
    return partial(write_document, Path(args.write))


def as_json(name: str, figure: Figure) -> str:
    """One line of JSON."""
    return orjson.dumps({"name": name, **figure._asdict(), "met": figure.met}).decode()


def as_text(name: str, figure: Figure) -> str:
    """One line for a terminal."""
    said = "; ".join(part for part in (figure.verdict, figure.ratio, figure.note) if part)
    return f"{name:34} {number(figure.value):>12} {figure.unit:20} {said}"
