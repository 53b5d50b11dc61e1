"""The run bar: what to do with the run, where it is, and the figures that matter."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from tiering.charts.figures import FIGURES
from tiering.simulation.scenario import Scenario
from tiering.ui.components.attributes import attributes

MOST_SEED = 2**53 - 1  # the last whole number that a browser can tell from the next
SPEEDS = (("1", "1x"), ("10", "10x"), ("100", "100x"), ("0", "max"))


def run_bar(scenario: Scenario, seed: int, speed: int, run: str | None, nr_assumed: int = 0) -> Any:
    """Title and controls; `run` is None before a run. Status and clock are filled by scripts.

    nr_assumed: how many assumptions the page lists further down.
    """
    assumed = html.A(f"{nr_assumed} assumptions", href="#assumed") if nr_assumed else None
    return html.Div(
        [
            html.Div(
                [
                    html.H1(scenario.title),
                    html.P(scenario.question, title=scenario.question),
                    assumed,
                ],
                className="lab-title",
            ),
            html.Div(
                [
                    dmc.Group([_button(*spec) for spec in _BUTTONS], gap=6, wrap="nowrap"),
                    dmc.SegmentedControl(
                        id="speed", value=str(speed), size="xs",
                        data=[{"value": value, "label": label} for value, label in SPEEDS],
                        **attributes(aria_label="Speed: simulated time against wall time"),
                    ),
                    html.Span("not started", id="status", className="status", role="status"),
                    html.Span(id="clock", className="clock", title="simulated time"),
                    _progress(),
                    _seed(seed, run is not None),
                ],
                className="controls",
            ),
            html.Div(id="problem", className="problem", role="alert", hidden=True),
            html.Div(
                [
                    *(_figure(f.id, f.title, f.unit, f.series.field) for f in FIGURES),
                    _figure("elapsed", "elapsed", "s", "simulated time until the work was done"),
                ],
                id="figures",
            ),
        ],
        className="run-bar",
    )  # fmt: skip


_BUTTONS = (
    ("run", "Run", "filled", "Start (space)"),
    ("pause", "Pause", "default", "Pause and resume (space)"),
    ("step", "Step", "default", "Simulate one block, while paused (right arrow)"),
    ("stop", "Stop", "default", "End the run here"),
    ("fork", "Fork", "default", "A new run with the knobs as they were last turned (f)"),
)


def _button(action: str, label: str, variant: str, title: str) -> Any:
    return dmc.Button(
        label, id=f"{action}-button", variant=variant, size="xs", disabled=action != "run",
        attributes={"root": {"title": title}}, **attributes(data_action=action),
    )  # fmt: skip


def _progress() -> Any:
    return html.Progress(id="progress", value="0", max="1", **attributes(aria_label="Progress"))


def _seed(seed: int, fixed: bool) -> Any:
    return html.Label(
        [
            "seed ",
            dmc.NumberInput(
                id="seed", value=seed, min=0, max=MOST_SEED, allowDecimal=False,
                allowNegative=False, clampBehavior="strict", hideControls=True,
                size="xs", w=72, disabled=fixed, debounce=True, **attributes(aria_label="Seed"),
            ),
        ],
        className="seed",
    )  # fmt: skip


def _figure(name: str, title: str, unit: str, told: str) -> Any:
    return html.Div(
        [
            html.Span(title, className="figure-title"),
            html.Span("\u2013", className="figure-value"),
            html.Span(unit, className="figure-unit"),
            html.Span("", className="figure-delta", title="since the last knob move"),
        ],
        className="key-figure",
        title=told,
        **attributes(data_figure=name),
    )
