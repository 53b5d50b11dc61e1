"""What happens in a run besides its rows: lines of the log, borders of phases."""

from typing import Any

from tiering.simulation.build import World
from tiering.simulation.progress import Progress

NS_PER_S = 1_000_000_000
MOST_EVENTS = 200
"""Lines a block; more are counted in one line, so that a log of 10,000 mms can be read."""
LINES = ("log", "phase")


def begun(progress: Progress, told: list[bool], world: World) -> list[dict[str, Any]]:
    """An event for each phase that began since the last call.

    told: of each process, whether its phases are worth a line; a recording changes all the time.
    """
    return [
        {
            "t_ns": progress.time_ns,
            "kind": "phase",
            "name": f"{world.mms[p].name} {phase + 1}",
            "text": f"{world.mms[p].name}: phase {phase + 1} of {world.rates.nr_phases[p]} begins",
        }
        for p, phase in progress.new_phases()
        if told[p]
    ]


def clipped(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MOST_EVENTS lines, and one that says how many more there were."""
    rest = [event for event in events if event["kind"] in LINES][MOST_EVENTS:]
    if not rest:
        return events
    last = rest[-1]["t_ns"]
    dropped = set(map(id, rest))
    text = f"... {len(rest)} more lines until {last / NS_PER_S:.3f} s"
    kept = [event for event in events if id(event) not in dropped]
    return [*kept, {"t_ns": last, "kind": "log", "text": text}]
