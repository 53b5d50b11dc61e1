"""`scenarios`: the catalogue, one line each."""

import argparse
from typing import Any

from tiering.simulation.catalogue import scenario_names
from tiering.simulation.load import load_file


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("scenarios", help="list the shipped scenarios")
    command.set_defaults(command_main=main)


def main(_: argparse.Namespace) -> int:
    """Print name, preset and question of every scenario."""
    loaded = [load_file(name) for name in scenario_names()]
    name_width = max(len(s.name) for s in loaded)
    preset_width = max(len(s.preset) for s in loaded)
    for s in loaded:
        print(f"{s.name:{name_width}}  {s.preset:{preset_width}}  {s.question}")
    return 0
