"""`knobs`: every knob there is, as it is declared."""

import argparse
import fnmatch
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiering.cli.knob_tables import write_tables
from tiering.model.knobs import KnobSpec, knob_specs
from tiering.simulation.load import ScenarioError
from tiering.simulation.presets import presets_with
from tiering.simulation.rooms import SECTIONS
from tiering.workloads.table import PATTERNS

WIDTH = 100


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("knobs", help="list the knobs that --set takes")
    command.add_argument(
        "wanted", metavar="SECTION|GLOB", nargs="?", default="*",
        help="a section or pattern, or knobs such as '*.scan_*'; default: all",
    )  # fmt: skip
    command.add_argument(
        "--write", metavar="FILE", help="write the tables of docs/model.md anew instead"
    )
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Print the chosen knobs: path, default, range, whether live, meaning and source."""
    if args.write is not None:
        write_tables(Path(args.write))
        return 0
    chosen = list(_chosen(args.wanted))
    if not chosen:
        names = ", ".join(name for name, _, _ in _groups())
        raise ScenarioError(f"knobs {args.wanted}: matches no knob and none of {names}")
    print("\n\n".join(chosen))
    return 0


def _groups() -> Iterator[tuple[str, str, dict[str, KnobSpec]]]:
    """(name, meaning, knobs) of every section, then of every pattern; N and M count from 0."""
    for name, section in SECTIONS.items():
        yield name, (section.__doc__ or "").splitlines()[0], knob_specs(name, section)
    for name, pattern in PATTERNS.items():
        place = "processes.N" if pattern.from_recording else "processes.N.vmas.M"
        yield name, f"pattern: {pattern.meaning}", knob_specs(f"{place}.{name}", pattern.knobs)


def _chosen(wanted: str) -> Iterator[str]:
    for name, meaning, specs in _groups():
        whole = fnmatch.fnmatchcase(name, wanted)
        some = [
            spec
            for spec in specs.values()
            if whole or any(fnmatch.fnmatchcase(one, wanted) for one in (spec.path, spec.name))
        ]
        if some or whole:
            yield "\n".join([f"{name}  {meaning}", *map(described, some)])


def described(spec: KnobSpec) -> str:
    """A knob in a few lines."""
    knob = spec.knob
    kind = "live" if knob.live else "start-only"
    within = f", within {' .. '.join(knob.within)}" if knob.within else ""
    lines = [
        f"  {spec.path} = {_figure(spec.default)}",
        f"{spec.allowed}{within}; {kind}",
        knob.meaning,
    ]
    if by_value := presets_with(spec.section, spec.name):
        told = [f"{_figure(value)} in {', '.join(names)}" for value, names in by_value.items()]
        lines.append("by preset: " + "; ".join(told))
    if knob.source:
        lines.append(f"source: {knob.source}")
    indent = " " * 6
    body = [textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent)
            for line in lines[1:]]  # fmt: skip
    return "\n".join([lines[0], *body])


def _figure(value: Any) -> str:
    if isinstance(value, bool):
        return repr(value).lower()
    return f"{value:g}" if isinstance(value, float) else repr(value)
