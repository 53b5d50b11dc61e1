"""Gallery `/`: a card per scenario of the catalogue, and the runs of late."""

from collections.abc import Iterator
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from tiering.simulation.catalogue import scenario_names
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.scenario import Scenario
from tiering.stream.bus import Bus, BusUnavailable, UnknownRun
from tiering.ui.components.attributes import attributes
from tiering.ui.components.scenario_card import broken_card, scenario_card
from tiering.ui.described import described
from tiering.ui.jobs import Jobs
from tiering.ui.run_view import view
from tiering.work.listing import age

REFRESH_MS = 3000
RUNS_SHOWN = 12
FIRST_TOPIC = "Start here"


def layout(bus: Bus, jobs: Jobs) -> Any:
    """The whole page."""
    search = dmc.TextInput(
        id="search",
        placeholder="Search scenarios",
        value="",
        debounce=150,
        size="sm",
        **attributes(aria_label="Search scenarios"),
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Div([html.H1("Gallery"), search], className="gallery-head"),
                    html.Div(sections(""), id="scenarios"),
                ]
            ),
            html.Div(
                [
                    html.H2("Recent runs"),
                    html.Div(recent_runs(bus, jobs), id="recent-runs"),
                    dcc.Interval(id="recent-tick", interval=REFRESH_MS),
                ],
                className="gallery-side",
            ),
        ],
        className="gallery",
    )


def wire(app: Dash, bus: Bus, jobs: Jobs) -> None:
    """Callbacks of the page."""

    @app.callback(
        Output("scenarios", "children"), Input("search", "value"), prevent_initial_call=True
    )
    def search(wanted: Any) -> list[Any]:
        return sections(str(wanted or "")[:200])

    @app.callback(
        Output("recent-runs", "children"),
        Input("recent-tick", "n_intervals"),
        prevent_initial_call=True,
    )
    def refresh(_ticks: Any) -> Any:
        return recent_runs(bus, jobs)


def sections(wanted: str) -> list[Any]:
    """Cards by topic, those only that hold every word of `wanted`."""
    words = wanted.lower().split()
    topics: dict[str, list[Any]] = {}
    for topic, text, card in _cards():
        if all(word in text.lower() for word in words):
            topics.setdefault(topic, []).append(card)
    if not topics:
        return [html.P("No scenario holds these words.", className="dim")]
    order = sorted(topics, key=lambda topic: (topic != FIRST_TOPIC, topic))
    return [
        html.Section([html.H2(topic), html.Div(topics[topic], className="cards")])
        for topic in order
    ]


def _cards() -> Iterator[tuple[str, str, Any]]:
    """(topic, searchable text, card) of every shipped scenario."""
    for name in scenario_names():
        try:
            scenario = load_file(name)
            size_mib = described(scenario).size_mib
        except ScenarioError as error:
            yield "Broken", name, broken_card(name, str(error))
            continue
        yield scenario.topic, _searchable(scenario), scenario_card(scenario, size_mib)


def _searchable(scenario: Scenario) -> str:
    names = " ".join(str(process.name) for process in scenario.processes)
    answer = scenario.expect.answer if scenario.expect else ""
    told = (scenario.title, scenario.question, answer, scenario.topic)
    return " ".join((scenario.name, *told, scenario.preset, names))


def recent_runs(bus: Bus, jobs: Jobs) -> Any:
    """The newest runs with status and link; a sentence if there are none or nobody knows."""
    try:
        rows = [row for run_id in bus.runs()[:RUNS_SHOWN] if (row := _run_row(bus, jobs, run_id))]
    except BusUnavailable as error:
        return html.P(f"{error} The list comes back by itself.", className="dim")
    if not rows:
        return html.P("None yet. Open a scenario and press Run.", className="dim")
    return html.Ul(rows, className="runs")


def _run_row(bus: Bus, jobs: Jobs, run_id: str) -> Any | None:
    try:
        state, meta = view(bus, jobs, run_id), bus.meta(run_id)
    except UnknownRun:
        return None
    told = age(meta.get("created_at", ""))
    facts = [f"seed {state['seed']}", *([told] if told else [])]
    status = attributes(data_status=state["status"])
    return html.Li(
        [
            dcc.Link(run_id, href=f"/run/{run_id}", title=state["title"]),
            html.Span(state["words"], className="status", **status),
            html.Div(" \u00b7 ".join(facts), className="facts"),
            *([html.P(state["error"], className="reason")] if state["error"] else []),
        ]
    )
