"""The line on top of every page, and the help that `?` opens."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from tiering.ui.components.attributes import attributes

SHORTCUTS = (
    ("space", "run; then pause and resume"),
    ("\u2192", "one step, while paused"),
    ("f", "fork, with the knobs as last turned: this run, or on Runs those selected"),
    ("/", "filter, on Runs"),
    ("?", "this help"),
)


def header() -> Any:
    """Name, pages, help and theme."""
    return html.Header(
        [
            dcc.Link("Tierscope", href="/", className="brand"),
            html.Nav(
                [dcc.Link("Gallery", href="/"), dcc.Link("Runs", href="/runs")],
                **attributes(aria_label="Pages"),
            ),
            html.Div(className="spring"),
            dmc.Button(
                "?", id="help-button", variant="subtle", size="compact-sm", color="gray",
                **attributes(aria_label="Help and keyboard shortcuts"),
            ),
            dmc.ColorSchemeToggle(
                lightIcon=html.Span("\u263c", className="glyph"),
                darkIcon=html.Span("\u263e", className="glyph"),
                variant="subtle", size="md", color="gray",
                **attributes(aria_label="Light or dark"),
            ),
        ],
        className="top",
    )  # fmt: skip


def help_panel() -> Any:
    """Keyboard shortcuts and how to read the page."""
    keys = [html.Tr([html.Td(dmc.Kbd(key)), html.Td(meaning)]) for key, meaning in SHORTCUTS]
    return dmc.Modal(
        [
            html.Table(html.Tbody(keys), className="shortcuts"),
            html.P(
                "Drag over a chart to zoom all of them, double-click to see everything again. A "
                "click locks the line under the pointer on all charts, the next one lets it go. "
                "Arrow keys on the handle of a chart put it elsewhere, Escape makes it small again."
            ),
            html.P(
                "Knobs that act at once reach the running simulation at its next tick border and "
                "leave a dotted line on every chart. The others need a restart."
            ),
            html.P("The address holds the state: copy it to show others what you see."),
        ],
        id="help",
        title="Help",
        opened=False,
    )
