"""The list of all runs, and what people do to runs of it: describe, tag, fork, delete."""

import re
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from tiering.stream.bus import Bus, UnknownRun
from tiering.ui.jobs import Jobs
from tiering.ui.security import RUN_ID
from tiering.work.control import turned
from tiering.work.listing import as_row, words

MOST_LISTED = 1000
MOST_TAGS = 20
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}")
Runs = Annotated[list[str], Field(min_length=1, max_length=10_000)]
Tags = Annotated[list[str], Field(max_length=MOST_TAGS)]
Value = bool | int | float | str


class Refused(ValueError):
    """One sentence for the user."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Describe(_Strict):
    """What people say of a run; what is left out stays as it is."""

    name: str | None = Field(default=None, max_length=100)
    note: str | None = Field(default=None, max_length=2000)
    tags: Tags | None = None


class TagRuns(_Strict):
    runs: Runs
    add: Tags = []
    remove: Tags = []


class DeleteRuns(_Strict):
    runs: Runs


class Fork(_Strict):
    """turned: whether knobs keep what they were last turned to, else it is the same run again.
    change: knobs that differ, by path."""

    turned: bool = True
    change: dict[str, Value] = Field(default={}, max_length=200)


def list_runs(bus: Bus, jobs: Jobs, after: str, before: str, count: str) -> dict[str, Any]:
    """{"revision", "total", "runs", "lost", "words"}; see `Bus.listed`.

    lost: runs whose worker was lost. words: for those, and for runs that wait.
    """
    low, high, most = _number("after", after), _number("before", before), _number("count", count)
    found = bus.listed(low or 0, high, min(most or MOST_LISTED, MOST_LISTED))
    workers, _ = jobs.capacity()
    starting = not workers and jobs.starting()
    return {
        "revision": found.revision,
        "total": found.total,
        "runs": [as_row(run) for run in found.runs],
        "lost": [run_id for run_id, alive in bus.leases().items() if not alive],
        "words": {
            "waiting": words("waiting", False, workers, starting),
            "lost": words("running", False, workers, False),
        },
    }


def describe(bus: Bus, run_id: str, body: bytes) -> dict[str, Any]:
    """Name, note and tags of one run."""
    wanted = Describe.model_validate_json(body)
    fields: dict[str, str] = {}
    if wanted.name is not None:
        fields["name"] = " ".join(wanted.name.split())
    if wanted.note is not None:
        fields["note"] = wanted.note.strip()
    if wanted.tags is not None:
        fields["tags"] = _joined(wanted.tags)
    if not fields:
        raise Refused("Say what to change: name, note or tags.")
    bus.describe(run_id, fields)
    return {"run": run_id}


def tag(bus: Bus, body: bytes) -> dict[str, Any]:
    """Add and remove tags of several runs; runs that are gone are passed over."""
    wanted = TagRuns.model_validate_json(body)
    _joined(wanted.add)
    tagged = []
    for run_id in _valid(wanted.runs):
        try:
            old = bus.meta(run_id).get("tags", "").split()
            kept = [name for name in old if name not in wanted.remove]
            bus.describe(run_id, {"tags": _joined([*kept, *wanted.add])})
        except UnknownRun:
            continue
        tagged.append(run_id)
    return {"tagged": tagged}


def delete(jobs: Jobs, body: bytes) -> dict[str, Any]:
    """Delete runs; those that are not final are stopped first, those that are gone passed over."""
    deleted = []
    for run_id in _valid(DeleteRuns.model_validate_json(body).runs):
        try:
            jobs.delete(run_id)
        except UnknownRun:
            continue
        deleted.append(run_id)
    return {"deleted": deleted}


def fork(bus: Bus, jobs: Jobs, run_id: str, body: bytes) -> dict[str, Any]:
    """A new run with the scenario, seed and speed of this one."""
    wanted = Fork.model_validate_json(body)
    meta = bus.meta(run_id)
    overrides = orjson.loads(meta.get("overrides") or "{}")
    if wanted.turned:
        overrides |= turned(bus.control_log(run_id))
    overrides |= wanted.change
    seed, speed = int(meta.get("seed") or 0), float(meta.get("speed") or 0)
    text, name = meta.get("scenario_toml", ""), meta.get("scenario", "run")
    return {"run": jobs.submit(text, name, seed, overrides, speed, run_id)}


def _valid(runs: list[str]) -> list[str]:
    return [run_id for run_id in dict.fromkeys(runs) if RUN_ID.fullmatch(run_id)]


def _joined(tags: list[str]) -> str:
    for name in tags:
        if not TAG.fullmatch(name):
            raise Refused(
                f"Tag {name[:50]!r}: allowed are 1 .. 40 letters, digits and _ . : + -, beginning"
                " with a letter or digit."
            )
    told = list(dict.fromkeys(tags))
    if len(told) > MOST_TAGS:
        raise Refused(f"{len(told)} tags: a run may have at most {MOST_TAGS}.")
    return " ".join(told)


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 15:
        raise Refused(f"{name} = {text[:50]}: a whole number is allowed.")
    return int(text)
