"""`validate`: the model against published results, and the fit of its two constants."""

import argparse
from pathlib import Path
from typing import Any

from tiering.simulation.load import ScenarioError
from tiering.validation import abench, fit, pmbench
from tiering.validation.document import document

SEEDS = (1, 2, 3)


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("validate", help="compare the model with published results")
    command.add_argument("--write", metavar="FILE", help="write the report, docs/validation.md")
    command.add_argument(
        "--fit", action="store_true", help="print the constants that the inputs ask for instead"
    )
    command.add_argument("--processes", type=int, default=2, metavar="N", help="default 2")
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Print the report, or write it; a miss is no error."""
    if args.processes < 1:
        raise ScenarioError(f"--processes {args.processes}: should be at least 1")
    if args.fit:
        for constant, value in fit.fitted().items():
            print(f"{constant} = {value:.1f}")
        return 0
    path = Path(args.write) if args.write else None
    if path is not None and not path.parent.is_dir():
        raise ScenarioError(f"--write {path}: its folder does not exist")
    text = document(
        abench.runs(SEEDS, args.processes), pmbench.steps(SEEDS, args.processes), len(SEEDS)
    )
    if path is None:
        print(text, end="")
    else:
        path.write_text(text, encoding="utf-8")
    return 0
