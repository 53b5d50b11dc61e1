"""One card of the gallery."""

from typing import Any

from dash import dcc, html

from tiering.simulation.scenario import Scenario


def scenario_card(scenario: Scenario, size_mib: float) -> Any:
    """Title, question and what the run shows, what it costs to run, and the way in."""
    href = f"/lab/{scenario.name}"
    first = f"{scenario.preset} \u00b7 {length(scenario)}"
    second = f"{size(size_mib)} \u00b7 {processes(scenario)}"
    return html.Article(
        [
            html.H3(dcc.Link(scenario.title, href=href)),
            html.P(scenario.question),
            html.P(scenario.expect.answer, className="answer") if scenario.expect else None,
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


def length(scenario: Scenario) -> str:
    """Simulated time in words; with work that ends it is only the longest that a run may take."""
    ends = any(p.repeat > 0 if p.recording else p.work_accesses > 0 for p in scenario.processes)
    return f"{'up to ' if ends else ''}{scenario.until_s:,.10g} s simulated"


def size(mib: float) -> str:
    """Memory of all processes in words."""
    power = 0
    while mib >= 1024 and power < 2:
        mib, power = mib / 1024, power + 1
    number = f"{mib:,.0f}" if mib >= 100 else f"{mib:.3g}"
    return f"{number} {('MiB', 'GiB', 'TiB')[power]}"


def processes(scenario: Scenario) -> str:
    """Their number in words."""
    return "1 process" if scenario.nr_processes == 1 else f"{scenario.nr_processes} processes"
