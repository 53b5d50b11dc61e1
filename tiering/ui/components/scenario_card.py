"""One card of the gallery."""

from typing import Any

from dash import dcc, html

from tiering.simulation.scenario import Scenario


def scenario_card(scenario: Scenario, size_mib: float) -> Any:
    """Title, question, what it costs to run, and the way in."""
    href = f"/lab/{scenario.name}"
    first = f"{scenario.preset} \u00b7 {scenario.until_s:g} s of simulated time"
    second = f"{size(size_mib)} \u00b7 {processes(scenario)}"
    return html.Article(
        [
            html.H3(dcc.Link(scenario.title, href=href)),
            html.P(scenario.question),
            html.Div(
                [
                    html.Span([first, html.Br(), second]),
                    dcc.Link("Open", href=href, className="open", title=f"Open {scenario.title}"),
                ],
                className="facts",
            ),
        ],
        className="card",
    )


def broken_card(name: str, sentence: str) -> Any:
    """A scenario file that does not load."""
    return html.Article([html.H3(name), html.P(sentence)], className="card card-broken")


def size(mib: float) -> str:
    """Memory of all processes in words."""
    return f"{mib / 1024:.3g} GiB" if mib >= 1024 else f"{mib:.3g} MiB"


def processes(scenario: Scenario) -> str:
    """Their number in words."""
    return "1 process" if scenario.nr_processes == 1 else f"{scenario.nr_processes} processes"
