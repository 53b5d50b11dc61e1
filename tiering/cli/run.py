"""`run`: one scenario at full speed in this process, without Redis."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import orjson
from tqdm import tqdm

from tiering.cli.interrupt import Interrupt
from tiering.cli.overrides import add_options, chosen
from tiering.cli.progress_bar import ProgressBar
from tiering.simulation.checkpoint import check_target, restore, save
from tiering.simulation.load import ScenarioError, parse_value
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.simulation.outcome import unit_of


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("run", help="run a scenario at full speed")
    add_options(command, optional=True)
    command.add_argument("--seed", metavar="N", help="random seed (default: the scenario's)")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument(
        "--checkpoint", metavar="FILE", help="write the state to FILE at the end, also on Ctrl-C"
    )
    command.add_argument(
        "--resume", metavar="FILE", help="go on with a checkpoint instead of a SCENARIO"
    )
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Run to the end and print the result."""
    begin = time.perf_counter()
    name = Path(args.scenario or args.resume or "").stem
    with ProgressBar(name, quiet=args.json or not sys.stderr.isatty()) as bar:
        simulation = _begin(args)
        bar.name = simulation.scenario.name
        if args.checkpoint is not None:
            check_target(args.checkpoint, simulation)
        with Interrupt(held=args.checkpoint is not None) as interrupt:
            _simulate(simulation, interrupt, bar, args.json)
            bar.close()
            result = simulation.result()
            result["wall_s"] = round(time.perf_counter() - begin, 6)
            if args.json:
                print(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
            else:
                _print(result)
            if args.checkpoint is not None:
                _save(simulation, args.checkpoint, args.json)
    if simulation.done:
        return 0
    at_s = simulation.time_ns / NS_PER_S
    print(f"interrupted at {at_s:g} s; go on: run --resume {args.checkpoint}", file=sys.stderr)
    return 130


def _begin(args: argparse.Namespace) -> Simulation:
    """A new simulation of SCENARIO, or the one of --resume."""
    if (args.scenario is None) == (args.resume is None):
        raise ScenarioError("run: give either a SCENARIO or --resume FILE")
    if args.resume is not None:
        if args.set or args.seed is not None:
            option = "--set" if args.set else "--seed"
            raise ScenarioError(f"{option}: a resumed run goes on with the knobs and seed it had")
        simulation = restore(args.resume, None if args.until is None else parse_value(args.until))
        if args.until is None and simulation.done and not simulation.work_done:
            print(f"{args.resume}: its time was up already; --until S goes on", file=sys.stderr)
        return simulation
    scenario = chosen(args)
    seed = scenario.seed if args.seed is None else parse_value(args.seed)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ScenarioError(f"--seed {args.seed}: should be a whole number 0 .. {2**63 - 1}")
    return Simulation(scenario, seed)


def _simulate(simulation: Simulation, interrupt: Interrupt, bar: ProgressBar, silent: bool) -> None:
    """Simulate until it is done or somebody asked to stop; silent: events are not printed."""
    while not simulation.done and not interrupt.asked:
        block = simulation.next_block()
        if not silent:
            for event in block.events:
                tqdm.write(f"[{event['t_ns'] / NS_PER_S:12.6f}] {event['text']}")
        bar.show(simulation.done_share, simulation.time_ns / NS_PER_S)


def _save(simulation: Simulation, file: str, silent: bool) -> None:
    save(simulation, file)
    if not silent:
        print(f"checkpoint  {file}, {Path(file).stat().st_size / 1e6:.1f} MB")


def _print(result: dict[str, Any]) -> None:
    elapsed = result["elapsed_s"]
    print(f"scenario    {result['scenario']}, seed {result['seed']}, version {result['version']}")
    took = f"{elapsed:.3f} s simulated" if elapsed is not None else f"- ({result['ended']})"
    print(f"elapsed     {took}")
    print(f"wall time   {result['wall_s']:.2f} s for {result['simulated_s']:g} simulated s")
    for assumption in result["assumptions"]:
        print(f"assumption  {assumption}")
    for name, value in {**result["metrics"], **result["counters"]}.items():
        unit = unit_of(name)
        if isinstance(value, dict):
            for key, one in list(value.items())[:8]:
                print(f"{f'{name}[{key}]':32} {_figure(one, '' if key == 'nr' else unit)}")
            if len(value) > 8:
                print(f"{name:32} ... {len(value) - 8} more, see --json")
        else:
            print(f"{name:32} {_figure(value, unit)}")


def _figure(value: Any, unit: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        parts = {key: _figure(one, "" if key == "nr" else unit) for key, one in value.items()}
        return ", ".join(f"{key} {one}" for key, one in parts.items())
    return (
        f"{value:,.3f} {unit}".rstrip()
        if isinstance(value, float)
        else f"{value:,} {unit}".rstrip()
    )
