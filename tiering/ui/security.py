"""Who may talk to the page, and what the page may load.

Foreign Host headers are refused (DNS rebinding), so are requests and sockets from other sites
(cross-site forgery); everything the page loads comes from its own origin.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
MOST_BODY_BYTES = 1_000_000
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def content_policy(script_hashes: list[str]) -> str:
    """The Content-Security-Policy; script_hashes: of the inline scripts that Dash writes."""
    scripts = " ".join(["'self'", *script_hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"
    )


def same_site(connection: HTTPConnection, needs_origin: bool = False) -> bool:
    """True unless a browser says that the request comes from another site."""
    headers = connection.headers
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return not needs_origin
    return urlsplit(origin).netloc == headers.get("host", "")


class Guard:
    """ASGI middleware: refuses cross-site and oversized requests, sets the security headers."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        refusal = self._refusal(scope)
        app = PlainTextResponse(*refusal) if refusal else self.app
        await app(scope, receive, send_with_headers)

    @staticmethod
    def _refusal(scope: Scope) -> tuple[str, int] | None:
        if scope["method"] in SAFE_METHODS:
            return None
        if not same_site(HTTPConnection(scope)):
            return "This request came from another site and was refused.", 403
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            return "This request does not say how long it is.", 411
        if int(length) > MOST_BODY_BYTES:
            return f"A request has at most {MOST_BODY_BYTES} bytes.", 413
        return None
