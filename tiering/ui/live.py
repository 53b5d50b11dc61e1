"""The WebSocket `/live/{run}?after=STEP`: state as JSON text, blocks as binary frames.

A frame is blocks one after another, at most about 256 KiB. The viewer answers each frame with the
last step in it, and only then gets the next one: a slow browser is never flooded. Whoever comes
back names the last step he has, so nothing is lost and nothing comes twice.
"""

import asyncio
import contextlib
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from tiering.stream.bus import BusUnavailable, UnknownRun
from tiering.ui.feed import Feed, Feeds
from tiering.ui.security import RUN_ID, same_site

BEAT_S = 10.0
ACK_S = 60.0
REFUSED, UNKNOWN = 4403, 4404
NO_BLOCKS = 2**62  # "after" of a viewer who cannot draw yet


async def live(socket: WebSocket) -> None:
    """Serve one viewer until he leaves."""
    run_id, after = socket.path_params["run"], socket.query_params.get("after", "-1")
    feeds: Feeds = socket.app.state.feeds
    valid = RUN_ID.fullmatch(run_id) and after.removeprefix("-").isdecimal() and len(after) < 12
    if not valid or not same_site(socket, needs_origin=True):
        await socket.close(REFUSED)
        return
    await socket.accept()
    feed = feeds.join(run_id)
    viewer = _Viewer(socket, feed, int(after))
    try:
        await viewer.serve()
    except (WebSocketDisconnect, TimeoutError):
        pass
    finally:
        feeds.leave(feed)


class _Viewer:
    """One socket and how far it has come."""

    def __init__(self, socket: WebSocket, feed: Feed, after: int) -> None:
        self.socket, self.feed, self.after = socket, feed, after
        self._version = 0
        self._drawn = False
        self._acks: asyncio.Queue[int] = asyncio.Queue()

    async def serve(self) -> None:
        """Send and listen until either ends."""
        sender = asyncio.create_task(self._send())
        listener = asyncio.create_task(self._listen())
        done, pending = await asyncio.wait((sender, listener), return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await task
        for task in done:
            task.result()

    async def _listen(self) -> None:
        """Acknowledgements; anything else ends the connection."""
        while True:
            text = await self.socket.receive_text()
            if not text.isdecimal() or len(text) > 12:
                await self.socket.close(REFUSED)
                return
            self._acks.put_nowait(int(text))

    async def _send(self) -> None:
        feed = self.feed
        while True:
            await self._send_state()
            if feed.gone:
                await self.socket.close(UNKNOWN)
                return
            try:
                after = self.after if self._drawn else NO_BLOCKS
                blocks = await feed.news(self._version, after, BEAT_S)
            except (BusUnavailable, UnknownRun):
                await asyncio.sleep(1.0)  # the poller finds out by itself and tells
                continue
            if blocks:
                await self.socket.send_bytes(b"".join(data for _, data in blocks))
                self.after = blocks[-1][0]
                async with asyncio.timeout(ACK_S):
                    while await self._acks.get() < self.after:
                        pass
            elif self._version == feed.version:
                await self._text({"type": "beat"})

    async def _send_state(self) -> None:
        feed = self.feed
        if feed.drawing is not None and not self._drawn:
            await self._text({"type": "drawing", **feed.drawing})
            self._drawn = True
        if feed.version != self._version:
            self._version = feed.version
            await self._text({"type": "meta", **feed.state})

    async def _text(self, message: dict[str, Any]) -> None:
        await self.socket.send_text(orjson.dumps(message).decode())
