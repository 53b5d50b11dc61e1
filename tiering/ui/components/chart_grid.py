"""Empty cards for the charts; scripts in assets/live draw into them."""

from typing import Any

from dash import html

from tiering.ui.components.attributes import attributes


def chart_grid(charts: list[dict[str, Any]]) -> Any:
    """charts: JSON form, see charts/chart.py."""
    hidden = html.Div(id="chart-shelf", role="group", **attributes(aria_label="Hidden charts"))
    return html.Div([html.Div([_card(chart) for chart in charts], id="charts"), hidden])


BUTTONS = (
    ("move", "\u2195", "Move {}: drag it, or use the arrow keys"),
    ("big", "\u2922", "Enlarge {}"),
    ("hide", "\u00d7", "Hide {}"),
)


def _button(chart: str, action: str, glyph: str, label: str) -> Any:
    return html.Button(
        glyph, className="chart-button", title=label.format(chart), type="button",
        **attributes(data_chart_action=action, aria_label=label.format(chart)),
    )  # fmt: skip


def _classes(chart: dict[str, Any]) -> list[str]:
    """What has nothing to draw takes one line and says why."""
    if chart["empty"]:
        return ["chart", "chart-of-nothing"]
    return ["chart", "chart-wide"] if chart["wide"] else ["chart"]


def _card(chart: dict[str, Any]) -> Any:
    scale = ", log" if chart["range"] == "log" else ""
    return html.Section(
        [
            html.Div(
                [
                    html.H2([chart["title"], html.Small(f" {chart['unit']}{scale}")]),
                    html.P(chart["empty"] or chart["question"]),
                    html.Button("Show all", className="unzoom", **attributes(data_action="unzoom")),
                    *(_button(chart["title"], *one) for one in BUTTONS),
                ],
                className="chart-head",
            ),
            html.Div(className="chart-legend"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(className="chart-plot"),
                            html.Div(className="chart-selection", hidden=True),
                            html.Div(className="chart-cursor", hidden=True),
                            html.P(className="chart-empty"),
                        ],
                        className="chart-body",
                    ),
                    html.Table(className="told-table"),
                ],
                className="chart-part",
            ),
            html.P(className="told-line", hidden=not chart["told"]),
        ],
        className=" ".join(_classes(chart)),
        **attributes(
            data_chart=chart["id"],
            data_hidden="true" if chart["hidden"] else "false",
            aria_label=f"{chart['title']}: {chart['question']}",
        ),
    )
