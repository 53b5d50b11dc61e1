"""`runs`: the runs on a shared Redis, one line each, and `runs delete`."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import orjson

from tiering.simulation.load import parse_value
from tiering.stream.bus import FINAL, Bus, BusUnavailable, Status, UnknownRun
from tiering.stream.redis_bus import RedisBus, connect
from tiering.work.listing import age, all_rows, words
from tiering.work.submit import Jobs, make_queue

UNFINISHED = tuple(status for status in get_args(Status) if status not in FINAL)


def add_to(commands: Any) -> None:
    """Register the command."""
    command = commands.add_parser("runs", help="list or delete the runs on a shared Redis")
    command.add_argument(
        "--status", choices=[*UNFINISHED, *FINAL, "unfinished"], help="only runs of that status"
    )
    command.add_argument(
        "--tag", action="append", default=[], help="only runs with that tag; repeat for more tags"
    )
    command.add_argument("--limit", metavar="N", help="at most so many (default: all)")
    command.add_argument("--json", action="store_true", help="print a JSON object a line")
    url = os.environ.get("REDIS_URL", "")
    command.add_argument("--redis", metavar="URL", default=url, help="default: REDIS_URL")
    command.set_defaults(command_main=main)
    actions = command.add_subparsers(metavar="delete")
    delete = actions.add_parser("delete", help="forget runs, stopped first if they go on")
    delete.add_argument("runs", nargs="+", metavar="ID")
    delete.add_argument("--redis", metavar="URL", default=argparse.SUPPRESS)
    delete.set_defaults(command_main=main_delete)


def main(args: argparse.Namespace) -> int:
    """Print id, status, scenario, simulated time, hits, changes, age and tags of every run."""
    limit = None if args.limit is None else parse_value(args.limit)
    if limit is not None and (type(limit) is not int or limit < 1):
        return _refuse(f"--limit {args.limit}: should be a whole number, at least 1")
    try:
        with _server(args.redis) as (bus, jobs):
            chosen = [row for row in all_rows(bus) if _wanted(row, args.status, args.tag)][:limit]
            lines = [] if args.json else _table(bus, jobs, chosen)
    except BusUnavailable as error:
        return _refuse(str(error))
    for line in [orjson.dumps(row).decode() for row in chosen] if args.json else lines:
        print(line)
    return 0


def main_delete(args: argparse.Namespace) -> int:
    """Delete the runs one by one; unknown ones are told, and the others deleted all the same."""
    code = 0
    try:
        with _server(args.redis) as (_, jobs):
            for run_id in dict.fromkeys(args.runs):
                try:
                    jobs.delete(run_id)
                except UnknownRun as error:
                    code = _refuse(str(error))
                else:
                    print(f"{run_id}: deleted")
    except BusUnavailable as error:
        return _refuse(str(error))
    return code


@contextmanager
def _server(url: str) -> Iterator[tuple[Bus, Jobs]]:
    with connect(url) as client:
        bus = RedisBus(client)
        yield bus, Jobs(bus, make_queue(client))


def _wanted(row: dict[str, Any], status: str | None, tags: list[str]) -> bool:
    told = row["status"]
    fits = told in UNFINISHED if status == "unfinished" else status in (None, told)
    return fits and set(tags) <= set(row["tags"])


def _table(bus: Bus, jobs: Jobs, rows: list[dict[str, Any]]) -> list[str]:
    """Lines of columns as wide as what is in them, with two blanks between."""
    leases, (workers, _) = bus.leases(), jobs.capacity()
    starting = not workers and jobs.starting()
    cells = [
        (
            row["run"],
            words(row["status"], leases.get(row["run"], False), workers, starting),
            row["scenario"],
            f"{row['now_s']:g} of {row['until_s']:g} s",
            f"{row['figures']['hit']:.1f} % hits" if "hit" in row["figures"] else "no hits known",
            f"{len(row['changed'].keys() | row['turned'].keys())} changed",
            age(str(row["created_at"] or "")),
            " ".join(row["tags"]),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)
    return 2
