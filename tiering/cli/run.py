"""`run`: one scenario at full speed in this process, without Redis."""

import argparse
import sys
import time
from typing import Any

import orjson
from tqdm import tqdm

from tiering.cli.overrides import add_options, chosen
from tiering.simulation.load import ScenarioError, parse_value
from tiering.simulation.loop import NS_PER_S, Simulation


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("run", help="run a scenario at full speed")
    add_options(command)
    command.add_argument("--seed", metavar="N", help="random seed (default: the scenario's)")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(command_main=main)


def main(args: argparse.Namespace) -> int:
    """Run to the end and print the result."""
    scenario = chosen(args)
    seed = scenario.seed if args.seed is None else parse_value(args.seed)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ScenarioError(f"--seed {args.seed}: should be a whole number 0 .. {2**63 - 1}")
    begin = time.perf_counter()
    simulation = Simulation(scenario, seed)
    quiet = args.json or not sys.stderr.isatty()
    with tqdm(total=1000, disable=quiet, file=sys.stderr, leave=False, bar_format=_BAR) as bar:
        while not simulation.done:
            block = simulation.next_block()
            if not args.json:
                for event in block.events:
                    tqdm.write(f"[{event['t_ns'] / NS_PER_S:12.6f}] {event['text']}")
            bar.set_description_str(scenario.name)
            bar.set_postfix_str(f"t {simulation.time_ns / NS_PER_S:.1f} s")
            bar.update(int(simulation.done_share * 1000) - bar.n)
    result = simulation.result()
    result["wall_s"] = round(time.perf_counter() - begin, 6)
    if args.json:
        print(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(result)
    return 0


_BAR = "{desc} |{bar}| {percentage:3.0f} % {postfix}, {remaining} left"


def _print(result: dict[str, Any]) -> None:
    elapsed = result["elapsed_s"]
    print(f"scenario    {result['scenario']}, seed {result['seed']}, version {result['version']}")
    took = f"{elapsed:.3f} s simulated" if elapsed is not None else f"- ({result['ended']})"
    print(f"elapsed     {took}")
    print(f"wall time   {result['wall_s']:.2f} s for {result['simulated_s']:g} simulated s")
    for assumption in result["assumptions"]:
        print(f"assumption  {assumption}")
    for name, value in {**result["metrics"], **result["counters"]}.items():
        if isinstance(value, dict):
            for key, one in list(value.items())[:8]:
                print(f"{name + '[' + str(key) + ']':32} {_figure(one)}")
            if len(value) > 8:
                print(f"{name:32} ... {len(value) - 8} more, see --json")
        else:
            print(f"{name:32} {_figure(value)}")


def _figure(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_figure(one)}" for key, one in value.items())
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
