"""`check`: is this file a scenario that can run here, and does its run show what it says?"""

import argparse
from typing import Any

from tiering.cli.overrides import add_options, changes, chosen
from tiering.simulation.build import total_mib
from tiering.simulation.loop import Simulation
from tiering.simulation.trial import trial


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("check", help="check a scenario file without running it")
    add_options(command)
    command.add_argument(
        "--expect", action="store_true",
        help="run it and its variants, and measure what its [expect] claims",
    )  # fmt: skip
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Validate the file, build the machine, say what it is; exit code 2 with reasons otherwise.

    With --expect run it too; exit code 1 if a check is missed.
    """
    if args.expect:
        return _expect(args)
    scenario = chosen(args)
    world = Simulation(scenario, scenario.seed).world
    print(
        f"{scenario.name}: ok; preset {scenario.preset}, {scenario.nr_processes} processes, "
        f"{total_mib(world):,.0f} MiB in {world.nr_folios.sum():,} folios, "
        f"{scenario.until_s:g} s at most"
    )
    for assumption in world.assumptions:
        print(f"  assumption: {assumption}")
    notes = scenario.knob_notes()
    for note in dict.fromkeys(notes.values()):
        paths = [path for path, one in notes.items() if one == note]
        print(f"  {', '.join(paths)}: {note}")
    return 0


def _expect(args: argparse.Namespace) -> int:
    """A line per check, with the measured number and what it was compared with."""
    scenario, missed = chosen(args), 0
    if scenario.expect is not None:
        print(f"{scenario.name}: {scenario.expect.answer}")
    for one in trial(args.scenario, changes(args)):
        against = "" if one.check.other is None else f" against {_number(one.bound)}"
        word = "ok" if one.ok else "missed"
        print(f"  {word:6}  {one.check.text}: {_number(one.value)}{against}", flush=True)
        missed += not one.ok
    return 1 if missed else 0


def _number(value: float | None) -> str:
    return "no value" if value is None else f"{value:,.6g}"
