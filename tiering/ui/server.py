"""The web server: Dash on Flask in threads, the live socket and the API beside it, one port."""

import gzip
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import plotly
from a2wsgi import WSGIMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute

from tiering.stream.bus import Bus
from tiering.ui.api import routes
from tiering.ui.dash_app import build_app
from tiering.ui.described import describe_catalogue
from tiering.ui.feed import Feeds
from tiering.ui.jobs import Jobs
from tiering.ui.live import live
from tiering.ui.security import Guard, content_policy

PLOTLY_URL = f"/plotly-{plotly.__version__}.min.js"
THREADS = 16
YEAR_S = 31_536_000


def create_server(bus: Bus, jobs: Jobs, allowed_hosts: list[str]) -> Starlette:
    """The whole web application. allowed_hosts: names by which browsers may call it."""
    dash_app = build_app(bus, jobs, PLOTLY_URL)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.feeds = Feeds(bus, jobs)
        threading.Thread(target=describe_catalogue, name="describe", daemon=True).start()
        yield
        await app.state.feeds.close()

    policy = content_policy(list(dash_app.csp_hashes()))
    pages: Any = WSGIMiddleware(dash_app.server, workers=THREADS)
    dash_app.server.test_client().get("/")  # Dash prepares itself at the first request; be alone
    return Starlette(
        routes=[
            WebSocketRoute("/live/{run}", live),
            Route(PLOTLY_URL, plotly_script),
            *routes(bus, jobs),
            Mount("/", pages),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts),
            Middleware(Guard, policy=policy),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=5),
        ],
        lifespan=lifespan,
    )


@cache
def _plotly_gzip() -> bytes:
    """The file that Dash uses as well; 4.8 MB become 1.4."""
    source = files("plotly").joinpath("package_data/plotly.min.js")
    return gzip.compress(source.read_bytes(), compresslevel=6)


def plotly_script(request: Request) -> Response:
    """plotly.js, compressed once and cached by the browser for good: its version is in the URL."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(_plotly_gzip()), media_type="text/javascript")
    headers = {"Content-Encoding": "gzip", "Cache-Control": f"public, max-age={YEAR_S}, immutable"}
    return Response(_plotly_gzip(), headers=headers, media_type="text/javascript")
