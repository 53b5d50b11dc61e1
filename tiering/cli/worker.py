"""`worker`: background workers that take runs from a shared Redis."""

import argparse
from typing import Any

from tiering.work.worker import main as serve


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("worker", help="run background workers on a shared Redis")
    command.add_argument("-n", type=int, default=1, metavar="N", help="how many (default 1)")
    command.add_argument("--redis", metavar="URL", help="default: REDIS_URL")
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    argv = ["-n", str(args.n)] + (["--redis", args.redis] if args.redis else [])
    return serve(argv)
