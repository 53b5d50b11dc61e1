"""Pages for what is not there: in words, with a way on."""

from typing import Any

from dash import dcc, html


def _notice(title: str, sentence: str, after: str = "") -> Any:
    return html.Div(
        [
            html.H1(title),
            html.P(sentence),
            html.P(after) if after else None,
            html.P(dcc.Link("Open the gallery", href="/")),
        ],
        className="notice",
    )


def unavailable(sentence: str) -> Any:
    """The bus does not answer."""
    return _notice("No connection to Redis", sentence, "This page tries again by itself.")


def unknown_run(sentence: str) -> Any:
    """No run of that id."""
    return _notice(
        "No such run", sentence, "It may have been deleted: only the newest runs are kept."
    )


def unknown_page(path: str) -> Any:
    """No page of that address."""
    return _notice("No such page", f"There is nothing at {path}.")


def bad_scenario(name: str, sentence: str) -> Any:
    """A scenario or a setting of it that cannot be used."""
    return _notice(f"{name} cannot be opened", sentence)


def broken() -> Any:
    """A page that raised."""
    return _notice(
        "This page could not be made",
        "That is a mistake in Tierscope. What went wrong is in the log of the server.",
    )
