"""The command line: one parser, one file per command."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

import tiering
from tiering.cli import bench, check, knobs, presets, run, runs, scenarios, validate, worker
from tiering.simulation.checkpoint import CheckpointError
from tiering.simulation.load import ScenarioError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each command's module adds its own."""
    top = argparse.ArgumentParser(
        prog="python -m tiering", description="Interactive memory-tiering experiments."
    )
    top.add_argument("--version", action="version", version=f"tierscope {tiering.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (scenarios, presets, run, check, knobs, runs, worker, bench, validate):
        module.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (1 = a check was missed, or the output cannot be
    written; 2 = the input was wrong; 130 = interrupted)."""
    args = parser().parse_args(argv)
    try:
        code: int = args.command_main(args)
        print(end="", flush=True)
        return code
    except (ScenarioError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` closed our output: leave without a second complaint
        _drop_output()
        return 0
    except OSError as error:  # commands speak of the files that they open; this is our output
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        _drop_output()
        print(f"standard output: cannot be written: {error.strerror}", file=sys.stderr)
        return 1


def _drop_output() -> None:
    """What is left in the buffer goes nowhere when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
