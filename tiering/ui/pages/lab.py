"""Lab: `/lab/<scenario>` before a run, `/run/<id>` live and afterwards; the same page twice."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from dash import MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html

from tiering.simulation.catalogue import scenario_names
from tiering.simulation.load import ScenarioError, load_file, load_text, parse_value
from tiering.simulation.scenario import Scenario
from tiering.stream.bus import FINAL, Bus, UnknownRun
from tiering.ui.components.attributes import attributes
from tiering.ui.components.chart_grid import chart_grid
from tiering.ui.components.knob_form import knob_form, script_view
from tiering.ui.components.mm_picker import mm_picker, picked
from tiering.ui.components.run_bar import MOST_SEED, SPEEDS, run_bar
from tiering.ui.described import described
from tiering.ui.pages import notice
from tiering.ui.run_view import expected_drawing, scenario_of
from tiering.ui.security import RUN_ID
from tiering.work.control import turned

DEFAULT_SPEED = 10


@dataclass(frozen=True)
class Wanted:
    """What the address asks for before a run."""

    overrides: dict[str, Any]
    seed: int | None
    speed: int


def parse_query(query: str) -> Wanted:
    """Read `?set=KEY=VALUE&set=...&seed=N&speed=N`; raises ScenarioError with a sentence."""
    overrides: dict[str, Any] = {}
    seed, speed = None, DEFAULT_SPEED
    for key, text in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
        if key == "set":
            path, found, value = text.partition("=")
            if not found:
                raise ScenarioError(f"set={text}: write set=SECTION.KNOB=VALUE")
            overrides[path] = parse_value(value)
        elif key == "seed":
            if not text.isdecimal() or int(text) > MOST_SEED:
                raise ScenarioError(f"seed={text}: a whole number 0 .. {MOST_SEED} is allowed")
            seed = int(text)
        elif key == "speed":
            if text not in dict(SPEEDS):
                raise ScenarioError(f"speed={text}: one of {', '.join(dict(SPEEDS))} is allowed")
            speed = int(text)
    return Wanted(overrides, seed, speed)


def before_run(name: str, query: str, plotly_url: str) -> Any:
    """The Lab with a scenario of the catalogue and nothing running."""
    if name not in scenario_names():
        return notice.bad_scenario(name, f"There is no scenario {name} in the gallery.")
    try:
        wanted = parse_query(query)
        base = load_file(name)
        scenario = load_file(name, wanted.overrides)
        described(scenario)  # a recording that cannot be read is told now
    except ScenarioError as error:
        return notice.bad_scenario(name, str(error))
    seed = scenario.seed if wanted.seed is None else wanted.seed
    values = scenario.knob_values()
    return _page(scenario, base, values, seed, wanted.speed, None, plotly_url, query)


def of_run(bus: Bus, run_id: str, plotly_url: str, query: str = "") -> Any:
    """The Lab of a run; raises UnknownRun or BusUnavailable."""
    if not RUN_ID.fullmatch(run_id):
        raise UnknownRun(run_id[:100])
    meta = bus.meta(run_id)
    try:
        scenario = scenario_of(meta)
        base = load_text(scenario.text, scenario.name)
        described(scenario)
    except ScenarioError as error:
        return notice.bad_scenario(run_id, str(error))
    values = scenario.knob_values()
    values |= turned(bus.control_log(run_id))
    seed, speed = int(meta.get("seed") or 0), int(float(meta.get("speed") or 0))
    phase = "after" if meta.get("status") in FINAL else "live"
    overrides = orjson.loads(meta.get("overrides") or "{}")
    return _page(scenario, base, values, seed, speed, run_id, plotly_url, query, phase, overrides)


def _page(
    scenario: Scenario,
    base: Scenario,
    values: dict[str, Any],
    seed: int,
    speed: int,
    run: str | None,
    plotly_url: str,
    query: str,
    phase: str = "before",
    overrides: dict[str, Any] | None = None,
) -> Any:
    specs, drawing = scenario.knob_specs(), expected_drawing(scenario)
    defaults = base.knob_values()
    mms = picked([name for _, name in scenario.all_processes()], drawing, query)
    config = {
        "run": run,
        "scenario": scenario.name,
        "until_s": scenario.until_s,
        "seed": seed,
        "base_seed": base.seed,
        "most_seed": MOST_SEED,
        "speed": speed,
        "overrides": overrides or {},
        "plotly": plotly_url,
        "drawing": drawing,
        "mms": mms.script_view() if mms else None,
        "knobs": script_view(specs, values, defaults),
    }
    return html.Div(
        [
            dcc.Store(id="lab-config", data=config),
            dcc.Store(id="lab-sink"),
            run_bar(scenario, seed, speed, run, len(described(scenario).assumptions)),
            html.Div(
                [
                    knob_form(specs, values, defaults, scenario.knob_notes(), phase),
                    html.Div(
                        [
                            *([mm_picker(mms)] if mms else []),
                            chart_grid(drawing["charts"]),
                            *_answered(scenario),
                            *_assumed(described(scenario).assumptions),
                            html.H2("Event log", className="log-title"),
                            html.Div(
                                id="log", tabIndex=0, role="log", **attributes(aria_live="off")
                            ),
                        ],
                        className="lab-main",
                    ),
                ],
                className="lab-body",
            ),
        ],
        className="lab",
    )


def _answered(scenario: Scenario) -> list[Any]:
    """What the scenario shows as it is shipped; nothing where it claims nothing."""
    if scenario.expect is None:
        return []
    answer = html.P([scenario.question, html.Br(), scenario.expect.answer], id="answer")
    return [html.H2("What it shows as shipped", className="log-title"), answer]


def _assumed(sentences: tuple[str, ...]) -> list[Any]:
    if not sentences:
        return []
    title = html.H2("Assumed, not known", className="log-title")
    return [title, html.Ul([html.Li(sentence) for sentence in sentences], id="assumed")]


def wire(app: Dash) -> None:
    """Callbacks of the page; all of them run in the browser (assets/live)."""

    browser: Any = app.clientside_callback  # untyped in Dash

    def script(name: str, output: Output, *inputs: Input | State) -> None:
        browser(ClientsideFunction("tierscope", name), output, *inputs)

    script("mount", Output("lab-sink", "data"), Input("lab-config", "data"))
    script("speed", Output("speed", "name"), Input("speed", "value"))
    script("seed", Output("seed", "name"), Input("seed", "value"))
    script("mms", Output("mms", "name"), Input("mms", "value"), State("mms", "data"))
    box = {"type": "knob-box", "path": MATCH}
    slider = {"type": "knob-slider", "path": MATCH}
    script("number", Output(box, "name"), Input(slider, "value"), Input(box, "value"))
    choice = {"type": "knob-choice", "path": MATCH}
    script("other", Output(choice, "name"), Input(choice, "value"))
    switch = {"type": "knob-switch", "path": MATCH}
    script("other", Output(switch, "persisted_props"), Input(switch, "checked"))
