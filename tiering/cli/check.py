"""`check`: is this file a scenario that can run here?"""

import argparse
from typing import Any

from tiering.cli.overrides import add_options, chosen
from tiering.simulation.build import total_mib
from tiering.simulation.loop import Simulation


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("check", help="check a scenario file without running it")
    add_options(command)
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Validate the file, build the machine, say what it is; exit code 2 with reasons otherwise."""
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
