"""What a viewer is told about a run: its metadata in words, and the charts to draw it with."""

from typing import Any

import numpy as np
import orjson

from tiering.charts.chart import Series, as_json, series_json
from tiering.charts.figures import figures_json
from tiering.charts.setting import Setting
from tiering.charts.table import lab_charts
from tiering.demotion.kswapd import marks
from tiering.model.metrics import RowShape, schema
from tiering.simulation.classes import classes_in_use, groups, shows_classes
from tiering.simulation.load import load_text
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario
from tiering.simulation.threads import thread_names
from tiering.sources.table import SOURCES
from tiering.stream.bus import FINAL, Bus
from tiering.ui.jobs import Jobs
from tiering.work.listing import NS_PER_S, words

STARTING = (
    "The workers are starting. The first time after an installation or an update they compile the"
    " simulation, which takes about a minute."
)
GONE = "The rows of this old run were let go. Run again makes the same ones; a tag keeps them."
NO_REASON = "No reason was given."
WORK_DONE = Series("progress", "mm.progress", reduce="min")


def view(bus: Bus, jobs: Jobs, run_id: str) -> dict[str, Any]:
    """JSON-ready state of a run; raises UnknownRun or BusUnavailable.

    {"run", "status", "words", "why_empty", "alive", "final", "error", "scenario", "title", "seed",
    "speed", "until_s", "workers", "idle", "result"}; error: of a failed run, one sentence.
    """
    meta = bus.meta(run_id)
    status = meta.get("status", "waiting")
    alive = bus.alive(run_id)
    workers, idle = jobs.capacity()
    starting = status == "waiting" and not workers and jobs.starting()
    result = orjson.loads(meta["result"]) if meta.get("result") else None
    return {
        "run": run_id,
        "status": status,
        "words": words(status, alive, workers, starting),
        "why_empty": GONE
        if meta.get("rows") == "gone"
        else why_empty(status, workers, idle, starting),
        "alive": alive,
        "final": status in FINAL,
        "error": meta.get("error") or (NO_REASON if status == "failed" else ""),
        "scenario": meta.get("scenario", ""),
        "title": meta.get("title", ""),
        "seed": int(meta.get("seed") or 0),
        "speed": float(meta.get("speed") or 0),
        "until_s": int(meta.get("until_ns") or 0) / NS_PER_S,
        "workers": workers,
        "idle": idle,
        "result": result,
    }


def why_empty(status: str, workers: int, idle: int, starting: bool) -> str:
    """What charts without rows say."""
    if status == "waiting" and starting:
        return STARTING
    if status == "waiting" and not workers:
        return "No worker is up. The run begins as soon as there is one."
    if status == "waiting" and not idle:
        return "All workers are busy. The run begins as soon as one is free."
    return {
        "waiting": "Waiting for a worker.",
        "done": "The run has no rows.",
        "stopped": "The run was stopped before its first row.",
        "failed": "The run failed before its first row.",
    }.get(status, "Waiting for the first rows.")


def scenario_of(meta: dict[str, str]) -> Scenario:
    """The scenario of a run as it was submitted; raises ScenarioError."""
    overrides = orjson.loads(meta.get("overrides") or "{}")
    return load_text(meta.get("scenario_toml", ""), meta.get("scenario", "run"), overrides)


def drawing(bus: Bus, run_id: str) -> dict[str, Any] | None:
    """Charts and figures for the rows of a run; None as long as no worker has begun it.

    Raises ScenarioError if this version cannot read the scenario of the run.
    """
    meta = bus.meta(run_id)
    if not meta.get("schema"):
        return None
    return drawing_for(scenario_of(meta), orjson.loads(meta["schema"]))


def expected_drawing(scenario: Scenario) -> dict[str, Any]:
    """The same before a run: the charts as they will be, with nothing in them yet."""
    mms = tuple(name for _, name in scenario.all_processes())
    nodes = tuple(node.name for node in scenario.nodes)
    shape = RowShape(nodes, mms, thread_names(scenario))
    return drawing_for(scenario, schema(shape))


def setting_of(scenario: Scenario) -> Setting:
    """What the charts need to know of the scenario."""
    group = groups(scenario)
    classes = classes_in_use(scenario) if shows_classes(scenario) else {}
    return Setting(
        nodes=scenario.nodes,
        knobs=scenario.knob_values(),
        notices={name: SOURCES[name].meaning for name in scenario.joined.sources},
        classes={
            name: tuple(int(mm) for mm in np.flatnonzero(group == nr))
            for nr, name in enumerate(classes)
        },
        watermarks=_watermarks(scenario),
        notes=scenario.knob_notes(),
    )


def _watermarks(scenario: Scenario) -> list[tuple[str, float]]:
    """Names and MiB of free memory of the watermarks that matter on the top tier."""
    capacity = np.array([node.capacity_mib * FOLIOS_PER_MIB for node in scenario.nodes], np.int64)
    tiers = np.array([node.tier for node in scenario.nodes])
    top = tiers == tiers.min()
    found = marks(scenario.reclaim, capacity, top)
    named = {"low watermark": found.low, "high watermark": found.high}
    if scenario.reclaim.demotion_enabled:
        named = {"kswapd wakes": found.wake, "kswapd sleeps": found.wanted}
    return [(name, float(pages[top].sum()) / FOLIOS_PER_MIB) for name, pages in named.items()]


def drawing_for(scenario: Scenario, rows: dict[str, Any]) -> dict[str, Any]:
    """{"row_floats", "charts", "figures", "progress"} for rows of that schema."""
    charts = lab_charts(rows, setting_of(scenario))
    return {
        "row_floats": rows["row_bytes"] // 8,
        "charts": [as_json(chart, rows) for chart in charts],
        "figures": figures_json(rows),
        "progress": series_json(WORK_DONE, rows),
    }
