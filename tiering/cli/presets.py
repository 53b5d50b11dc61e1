"""`presets`: what joins the rooms as the kernel does, one line each."""

import argparse
from typing import Any

from tiering.simulation.presets import PRESETS


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("presets", help="list the presets and what they join")
    command.set_defaults(command_main=main)


def main(_: argparse.Namespace) -> int:
    """Print name, rooms (sources > hotness > promotion > demotion) and meaning of every preset."""
    name_width = max(map(len, PRESETS))
    rooms_width = max(len(str(preset.rooms)) for preset in PRESETS.values())
    for name, preset in PRESETS.items():
        print(f"{name:{name_width}}  {preset.rooms!s:{rooms_width}}  {preset.meaning}")
    return 0
