"""The Dash application: one shell, and pages chosen by the path of the address."""

import logging
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from tiering.stream.bus import Bus, BusUnavailable, UnknownRun
from tiering.ui.components.header import header, help_panel
from tiering.ui.jobs import Jobs
from tiering.ui.pages import gallery, lab, notice, runs
from tiering.ui.theme import with_theme

ASSETS = Path(__file__).resolve().parents[2] / "assets"
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""
RETRY_MS = 2000
log = logging.getLogger(__name__)


def build_app(bus: Bus, jobs: Jobs, plotly_url: str) -> Dash:
    """All pages and their callbacks. plotly_url: where the browser finds plotly.js."""
    app = Dash(
        "tierscope",
        title="Tierscope",
        update_title="",
        assets_folder=str(ASSETS),
        index_string=INDEX,
        suppress_callback_exceptions=True,
        enable_mcp=False,
    )
    app.layout = shell
    wire(app, bus, jobs, plotly_url)
    gallery.wire(app, bus, jobs)
    lab.wire(app)
    runs.wire(app)
    return app


def shell() -> Any:
    """What every page has: address, header, room for the page, help."""
    return with_theme(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Interval(id="retry", interval=RETRY_MS, disabled=True),
            dcc.Store(id="left"),
            header(),
            html.Main(id="page"),
            help_panel(),
        ]
    )


def broken(error: Exception) -> tuple[Any, bool]:
    """What Dash shows instead of a page that raised: a sentence; the traceback goes to the log."""
    log.error("A page could not be made.", exc_info=error)
    return notice.broken(), True


def wire(app: Dash, bus: Bus, jobs: Jobs, plotly_url: str) -> None:
    """Callbacks of the shell."""

    @app.callback(
        Output("page", "children"),
        Output("retry", "disabled"),
        Input("url", "pathname"),
        Input("retry", "n_intervals"),
        State("url", "search"),
        on_error=broken,
    )
    def route(pathname: Any, _tries: Any, search: Any) -> tuple[Any, bool]:
        path, query = str(pathname or "/")[:300], str(search or "")[:20_000]
        try:
            return page(path, query), True
        except BusUnavailable as error:
            return notice.unavailable(str(error)), False
        except UnknownRun as error:
            return notice.unknown_run(str(error)), True

    def page(path: str, query: str) -> Any:
        parts = [part for part in path.split("/") if part]
        if not parts:
            return gallery.layout(bus, jobs)
        if parts == ["runs"]:
            return runs.layout()
        if len(parts) == 2 and parts[0] == "lab":
            return lab.before_run(parts[1], query, plotly_url)
        if len(parts) == 2 and parts[0] == "run":
            return lab.of_run(bus, parts[1], plotly_url, query)
        return notice.unknown_page(path)

    browser: Any = app.clientside_callback  # untyped in Dash
    browser(
        ClientsideFunction("tierscope", "leave"), Output("left", "data"), Input("url", "pathname")
    )
    browser(
        ClientsideFunction("tierscope", "help"),
        Output("help", "opened"),
        Input("help-button", "n_clicks"),
        prevent_initial_call=True,
    )
