"""Empty cards for the charts; scripts in assets/live draw into them."""

from typing import Any

from dash import html

from tiering.ui.components.attributes import attributes


def chart_grid(charts: list[dict[str, Any]]) -> Any:
    """charts: JSON form, see charts/chart.py."""
    return html.Div([_card(chart) for chart in charts], id="charts")


def _card(chart: dict[str, Any]) -> Any:
    scale = ", log" if chart["range"] == "log" else ""
    return html.Section(
        [
            html.Div(
                [
                    html.H2([chart["title"], html.Small(f" {chart['unit']}{scale}")]),
                    html.P(chart["question"]),
                    html.Button("Show all", className="unzoom", **attributes(data_action="unzoom")),
                ],
                className="chart-head",
            ),
            html.Div(className="chart-legend"),
            html.Div(
                [
                    html.Div(className="chart-plot"),
                    html.Div(className="chart-selection", hidden=True),
                    html.Div(className="chart-cursor", hidden=True),
                    html.P(className="chart-empty"),
                ],
                className="chart-body",
            ),
        ],
        className="chart",
        **attributes(data_chart=chart["id"], aria_label=f"{chart['title']}: {chart['question']}"),
    )
