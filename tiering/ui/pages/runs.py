"""Runs `/runs`: a table of all runs, kept up to date and filled by assets/live/runs*.js."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from tiering.charts.figures import FIGURES
from tiering.ui.components.attributes import attributes

SHOWN = ("hit", "throughput", "promoted", "cpu")
"""Key figures in the table, as means over the run."""

STATUS = (
    ("", "all"), ("unfinished", "unfinished"), ("done", "done"), ("stopped", "stopped"),
    ("failed", "failed"),
)  # fmt: skip
ACTIONS = (
    ("again", "Run again", "The same scenario, changes and seed once more"),
    ("fork", "Fork (f)", "A new run with the knobs as they were last turned"),
    ("stop", "Stop", "End the selected runs that are not finished"),
    ("edit", "Name, tags, note", "Of one run; of several the tags"),
    ("delete", "Delete", "With their rows, after a question"),
)


def layout() -> Any:
    """The whole page; the table is filled by the scripts."""
    figures = {figure.id: figure for figure in FIGURES}
    columns: list[tuple[str, str, str]] = [
        ("name", "Run", "name, and the scenario below"),
        ("status", "Status", "what the run does, and how far it has come"),
        ("curve", "Hits over time", "top-tier hits, 0 .. 100 %, from begin to end of the run"),
    ]
    for name in SHOWN:
        figure = figures[name]
        columns.append((name, f"{figure.title} {figure.unit}", "mean over the run so far"))
    columns += [
        ("changed", "Changed", "against the scenario; below: tags"),
        ("age", "Age", "since it was submitted"),
    ]
    shown = [{"id": name, "decimals": figures[name].decimals} for name in SHOWN]
    return html.Div(
        [
            dcc.Store(id="runs-config", data={"figures": shown}),
            dcc.Store(id="runs-sink"),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("Runs"),
                            html.P(
                                "Every run that is kept: find one, open it, repeat or fork it, "
                                "and tag what must not be let go."
                            ),
                        ],
                        className="runs-title",
                    ),
                    _tools(),
                    html.Div(id="runs-problem", className="problem", role="alert", hidden=True),
                ],
                className="runs-head",
            ),
            html.Div(
                html.Table(
                    [
                        html.Thead(html.Tr([_all(), *(_column(*told) for told in columns)])),
                        html.Tbody(id="runs-rows"),
                    ],
                    id="runs-table",
                ),
                id="runs-scroll",
                tabIndex=0,
                role="region",
                **attributes(aria_label="All runs"),
            ),
            html.P(id="runs-empty", className="dim", hidden=True),
            _editor(),
            _question(),
        ],
        className="runs-page",
    )


def _tools() -> Any:
    return html.Div(
        [
            dmc.TextInput(
                id="runs-filter", placeholder="Filter: words, tags, knobs ( / )", value="",
                size="xs", w=256, **attributes(aria_label="Filter runs"),
            ),
            dmc.SegmentedControl(
                id="runs-status", value="", size="xs",
                data=[{"value": value, "label": label} for value, label in STATUS],
                **attributes(aria_label="Status"),
            ),
            html.Span(id="runs-count", role="status"),
            html.Div(className="spring"),
            dmc.Group(
                [
                    dmc.Button(
                        label, id=f"runs-{action}", size="xs", variant="default", disabled=True,
                        attributes={"root": {"title": title}}, **attributes(data_runs=action),
                    )
                    for action, label, title in ACTIONS
                ],
                gap=6,
            ),
        ],
        className="runs-tools",
    )  # fmt: skip


def _all() -> Any:
    """The head of the column of check boxes; the script puts the box into it."""
    return html.Th(id="runs-all", className="col-pick")


def _column(name: str, label: str, meaning: str) -> Any:
    if name in ("curve", "changed"):
        return html.Th(label, className=f"col-{name}", title=meaning)
    button = html.Button(label, **attributes(data_sort=name))
    return html.Th(button, className=f"col-{name}", title=meaning)


def _editor() -> Any:
    return dmc.Modal(
        [
            html.Div(
                [
                    dmc.TextInput(id="runs-name", label="Name", value=""),
                    dmc.Textarea(id="runs-note", label="Note", value="", autosize=True, minRows=3),
                ],
                id="runs-edit-one",
            ),
            dmc.TagsInput(
                id="runs-tags", label="Tags", value=[], maxTags=20,
                description="A tagged run is kept whatever its age. Enter ends a tag.",
            ),
            html.P(id="runs-edit-problem", className="knob-problem", role="alert"),
            dmc.Button("Save", id="runs-save", size="xs", mt=8),
        ],
        id="runs-edit-panel", title="Name, tags and note", opened=False,
    )  # fmt: skip


def _question() -> Any:
    return dmc.Modal(
        [
            html.P(id="runs-question"),
            dmc.Group(
                [
                    dmc.Button("Delete", id="runs-delete-yes", size="xs", color="red"),
                    dmc.Button("Keep", id="runs-delete-no", size="xs", variant="default"),
                ],
                mt=8,
            ),
        ],
        id="runs-delete-panel", title="Delete runs", opened=False,
    )  # fmt: skip


def wire(app: Dash) -> None:
    """Callbacks of the page; all of them run in the browser (assets/live/runs_page.js)."""
    browser: Any = app.clientside_callback  # untyped in Dash

    def script(name: str, output: Output, *inputs: Input | State) -> None:
        function = ClientsideFunction("tierscope_runs", name)
        browser(function, output, *inputs, prevent_initial_call=name != "mount")

    script("mount", Output("runs-sink", "data"), Input("runs-config", "data"))
    script("filter", Output("runs-filter", "name"), Input("runs-filter", "value"))
    script("status", Output("runs-status", "name"), Input("runs-status", "value"))
    script(
        "save", Output("runs-save", "name"), Input("runs-save", "n_clicks"),
        State("runs-name", "value"), State("runs-note", "value"), State("runs-tags", "value"),
    )  # fmt: skip
    script("erase", Output("runs-delete-yes", "name"), Input("runs-delete-yes", "n_clicks"))
    script("keep", Output("runs-delete-no", "name"), Input("runs-delete-no", "n_clicks"))
