"""What a list of runs tells of each, to the page and on the command line."""

import time
from typing import Any

import orjson

from tiering.stream.bus import Bus, Listed

NS_PER_S = 1_000_000_000
PART = 1000


def all_rows(bus: Bus) -> list[dict[str, Any]]:
    """Every run as `as_row` tells it, the newest first."""
    found: dict[str, dict[str, Any]] = {}
    part = bus.listed(0, None, PART)
    seen = part.revision
    while part.runs:
        found |= {run.run_id: as_row(run) for run in part.runs}
        part = bus.listed(0, part.runs[-1].revision, PART)
    for run in bus.listed(seen, None, PART).runs:  # a change while we read takes a run out of reach
        found[run.run_id] = as_row(run)
    return sorted(found.values(), key=lambda row: row["created_at"], reverse=True)


def as_row(run: Listed) -> dict[str, Any]:
    """JSON-ready form of one run of the list."""
    meta = run.meta
    summary = orjson.loads(meta.get("summary") or "{}")
    return {
        "run": run.run_id,
        "revision": run.revision,
        "status": meta.get("status", "waiting"),
        "name": meta.get("name", ""),
        "tags": meta.get("tags", "").split(),
        "note": meta.get("note", ""),
        "scenario": meta.get("scenario", ""),
        "title": meta.get("title", ""),
        "seed": int(meta.get("seed") or 0),
        "changed": orjson.loads(meta.get("overrides") or "{}"),
        "turned": orjson.loads(meta.get("turned") or "{}"),
        "parent": meta.get("parent", ""),
        "error": meta.get("error", ""),
        "rows_gone": meta.get("rows") == "gone",
        "created_at": float(meta.get("created_at") or 0),
        "now_s": int(meta.get("sim_ns") or 0) / NS_PER_S,
        "until_s": int(meta.get("until_ns") or 0) / NS_PER_S,
        "figures": summary.get("figures", {}),
        "curve": summary.get("curve", []),
    }


def words(status: str, alive: bool, workers: int, starting: bool) -> str:
    """The status for the badge, in a few words."""
    if status == "waiting" and not workers:
        return "waiting: workers are starting" if starting else "waiting: no worker is up"
    if status == "waiting":
        return "waiting for a worker"
    if status in ("running", "paused") and not alive:
        return "worker lost, retrying"
    return status


def age(created_at: str) -> str:
    """How long ago, in words; "" if unknown. created_at: Unix time in seconds."""
    try:
        seconds = int(time.time() - float(created_at))
    except ValueError:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"
