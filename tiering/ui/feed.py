"""One poller per viewed run, whatever the number of its viewers.

The bus is synchronous, so it is asked in threads. New blocks are kept for a while for all viewers;
a viewer who is further behind reads history from the bus by himself.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from tiering.simulation.load import ScenarioError
from tiering.stream.bus import Bus, BusUnavailable, UnknownRun
from tiering.ui.jobs import Jobs
from tiering.ui.run_view import drawing, view

FRAME_BYTES = 256 * 1024
MOST_BLOCKS = 2048  # of a frame
KEPT_BYTES = 8 * 1024 * 1024
WAIT_MS = 200  # longest wait for a block, so also the age of what viewers know of the status
GATHER_S = 0.03  # blocks of this long travel in one frame
RETRY_S = (0.25, 0.5, 1.0, 2.0, 4.0)
log = logging.getLogger(__name__)
T = TypeVar("T")
Entry = tuple[int, bytes]


class Feed:
    """What is known of one run, and who waits for news of it."""

    def __init__(self, bus: Bus, jobs: Jobs, run_id: str, threads: anyio.CapacityLimiter) -> None:
        self.bus, self.jobs, self.run_id, self._threads = bus, jobs, run_id, threads
        self.viewers = 0
        self.state: dict[str, Any] = {"problem": ""}
        self.drawing: dict[str, Any] | None = None
        self.version = 0
        self.gone = False
        self._kept: deque[Entry] = deque()
        self._kept_bytes = 0
        self._floor: int | None = None  # blocks after this step are kept; None: not asked yet
        self._last = -1
        self._count = 16
        self._changed = asyncio.Condition()

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run a call of the bus in a thread; a cancelled caller does not wait for it."""
        return await anyio.to_thread.run_sync(
            partial(function, *args), abandon_on_cancel=True, limiter=self._threads
        )

    async def poll(self) -> None:
        """Follow the run until it is final and everything is read, or until cancelled."""
        failures = 0
        while True:
            try:
                fresh, final = await self._ask()
                failures = 0
            except UnknownRun:
                self.gone = True
                await self._publish({"problem": "This run was deleted."}, [])
                return
            except ScenarioError as error:  # a run of another version
                await self._publish({**self.state, "problem": str(error)}, [])
                return
            except BusUnavailable as error:
                await self._publish({**self.state, "problem": str(error)}, [])
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                continue
            if final and not fresh:
                return
            if fresh:
                await asyncio.sleep(GATHER_S)

    async def _ask(self) -> tuple[bool, bool]:
        """One round; (whether blocks came, whether the run was final before they were read)."""
        if self._floor is None:
            self._floor = self._last = await self.call(self.bus.last_step, self.run_id)
        state = await self.call(view, self.bus, self.jobs, self.run_id)
        if self.drawing is None:
            self.drawing = await self.call(drawing, self.bus, self.run_id)
        await self._publish({**state, "problem": "", "drawn": self.drawing is not None}, [])
        wait = 0 if state["final"] else WAIT_MS
        blocks = await self.call(self.bus.read, self.run_id, self._last, self._count, wait)
        await self._publish(self.state, blocks)
        return bool(blocks), bool(state["final"])

    async def _publish(self, state: dict[str, Any], blocks: list[Entry]) -> None:
        if state == self.state and not blocks:
            return
        async with self._changed:
            if state != self.state:
                self.state = state
                self.version += 1
            for step, data in blocks:
                self._kept.append((step, data))
                self._kept_bytes += len(data)
                self._last = step
            if blocks:
                self._count = _fitting(blocks)
            while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                self._floor, dropped = self._kept.popleft()
                self._kept_bytes -= len(dropped)
            self._changed.notify_all()

    async def news(self, version: int, after: int, wait_s: float) -> list[Entry]:
        """Blocks after that step, at most a frame of them; [] if only the state is new.

        Returns at once if there is history to read, else when something changes or after wait_s.
        """

        def something() -> bool:
            return self.version != version or self._last > after

        async with self._changed:
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait_for(something)
            except TimeoutError:
                return []
            if self._floor is None or self._last <= after:
                return []
            if after >= self._floor:
                return _frame([entry for entry in self._kept if entry[0] > after])
        history = await self.call(self.bus.read, self.run_id, after, self._count, 0)
        if history:
            self._count = _fitting(history)
        return _frame(history)


def _report(task: asyncio.Task[None]) -> None:
    """A poller that ended by a mistake of ours belongs into the log."""
    if not task.cancelled() and task.exception() is not None:
        log.error("The %s ended.", task.get_name(), exc_info=task.exception())


def _fitting(blocks: list[Entry]) -> int:
    """How many blocks of this size make a frame."""
    largest = max(len(data) for _, data in blocks)
    return max(1, min(MOST_BLOCKS, FRAME_BYTES // max(largest, 1)))


def _frame(blocks: list[Entry]) -> list[Entry]:
    """The first blocks that fit into one frame, at least one."""
    size = 0
    for nr, (_, data) in enumerate(blocks):
        size += len(data)
        if size > FRAME_BYTES and nr > 0:
            return blocks[:nr]
    return blocks


class Feeds:
    """All feeds that somebody looks at."""

    def __init__(self, bus: Bus, jobs: Jobs) -> None:
        self.bus, self.jobs = bus, jobs
        self._threads = anyio.CapacityLimiter(64)
        self._feeds: dict[str, tuple[Feed, asyncio.Task[None]]] = {}

    def join(self, run_id: str) -> Feed:
        """The feed of the run, started if this is its first viewer; `leave` it afterwards."""
        if run_id not in self._feeds:
            feed = Feed(self.bus, self.jobs, run_id, self._threads)
            task = asyncio.create_task(feed.poll(), name=f"feed {run_id}")
            task.add_done_callback(_report)
            self._feeds[run_id] = feed, task
        feed = self._feeds[run_id][0]
        feed.viewers += 1
        return feed

    def leave(self, feed: Feed) -> None:
        """The last one out stops the poller."""
        feed.viewers -= 1
        if feed.viewers == 0:
            self._feeds.pop(feed.run_id)[1].cancel()

    async def close(self) -> None:
        """Stop all pollers."""
        tasks = [task for _, task in self._feeds.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
