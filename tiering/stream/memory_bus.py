"""The bus inside one process: threads and a condition, the same contract as Redis."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tiering.stream.bus import (
    FINAL,
    LEASE_MS,
    LISTED,
    Fenced,
    Listed,
    Listing,
    Message,
    UnknownRun,
)

NS_PER_MS = 1_000_000
T = TypeVar("T")


@dataclass
class _Run:
    meta: dict[str, str]
    blocks: list[tuple[int, bytes]] = field(default_factory=list)
    control: list[Message] = field(default_factory=list)
    log: list[Message] = field(default_factory=list)
    lease_ends_ns: int = 0
    revision: int = 0


class MemoryBus:
    """Implements `tiering.stream.bus.Bus`; safe to use from several threads.

    lease_ms: how long an attempt counts as alive after its last sign of life.
    """

    def __init__(self, lease_ms: int = LEASE_MS) -> None:
        self._lease_ms = lease_ms
        self._runs: dict[str, _Run] = {}
        self._revision = 0
        self._changed = threading.Condition()

    def create(self, run_id: str, meta: dict[str, str]) -> None:
        with self._changed:
            if run_id in self._runs:
                raise ValueError(f"There is already a run {run_id}.")
            self._runs[run_id] = _Run({**meta, "status": "waiting", "attempt": "0"})
            self._mark(self._runs[run_id])

    def meta(self, run_id: str) -> dict[str, str]:
        with self._changed:
            return dict(self._run(run_id).meta)

    def runs(self) -> list[str]:
        with self._changed:
            return list(reversed(self._runs))

    def listed(self, after: int, before: int | None, count: int) -> Listing:
        with self._changed:
            below = self._revision + 1 if before is None else before
            found = [
                Listed(run_id, run.revision, {k: run.meta[k] for k in LISTED if k in run.meta})
                for run_id, run in self._runs.items()
                if after < run.revision < below
            ]
            found.sort(key=lambda run: -run.revision)
            return Listing(self._revision, len(self._runs), found[:count])

    def leases(self) -> dict[str, bool]:
        with self._changed:
            claimed = [
                run_id
                for run_id, run in self._runs.items()
                if run.meta["attempt"] != "0" and run.meta["status"] not in FINAL
            ]
            return {run_id: self.alive(run_id) for run_id in claimed}

    def describe(self, run_id: str, fields: dict[str, str]) -> None:
        with self._changed:
            run = self._run(run_id)
            run.meta |= fields
            self._mark(run)

    def expire(self, keep_rows: int, keep_runs: int) -> None:
        with self._changed:
            final = [
                run_id
                for run_id, run in reversed(self._runs.items())
                if run.meta["status"] in FINAL and not run.meta.get("tags")
            ]
            for run_id in final[keep_runs:]:
                del self._runs[run_id]
            left = [self._runs[run_id] for run_id in final[:keep_runs]]
            for run in [run for run in left if run.meta.get("rows") != "gone"][keep_rows:]:
                run.blocks, run.control = [], []
                run.meta |= {"rows": "gone", "schema": ""}
                self._mark(run)

    def delete(self, run_id: str) -> None:
        with self._changed:
            self._runs.pop(run_id, None)
            self._changed.notify_all()

    def claim(self, run_id: str, worker: str) -> int:
        with self._changed:
            run = self._run(run_id)
            attempt = int(run.meta["attempt"]) + 1
            run.meta |= {"attempt": str(attempt), "worker": worker}
            self._extend_lease(run)
            return attempt

    def update(self, run_id: str, attempt: int, fields: dict[str, str]) -> None:
        with self._changed:
            run = self._owned(run_id, attempt)
            run.meta |= fields
            if fields:
                self._mark(run)

    def renew(self, run_id: str, attempt: int) -> None:
        with self._changed:
            self._owned(run_id, attempt)

    def alive(self, run_id: str) -> bool:
        with self._changed:
            return time.monotonic_ns() < self._run(run_id).lease_ends_ns

    def append(self, run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        with self._changed:
            run = self._owned(run_id, attempt)
            for step, data in blocks:
                if not run.blocks or step > run.blocks[-1][0]:
                    run.blocks.append((step, data))
            self._changed.notify_all()

    def last_step(self, run_id: str) -> int:
        with self._changed:
            blocks = self._run(run_id).blocks
            return blocks[-1][0] if blocks else -1

    def read(self, run_id: str, after: int, count: int, wait_ms: int) -> list[tuple[int, bytes]]:
        def newer() -> list[tuple[int, bytes]]:
            run = self._runs.get(run_id)
            if run is None or not run.blocks or run.blocks[-1][0] <= after:
                return []
            return [entry for entry in run.blocks if entry[0] > after][:count]

        return self._wait(newer, wait_ms)

    def send(self, run_id: str, message: Message) -> str:
        with self._changed:
            run = self._run(run_id)
            run.control.append(dict(message))
            self._changed.notify_all()
            return str(len(run.control))

    def receive(self, run_id: str, after: str, wait_ms: int) -> list[tuple[str, Message]]:
        def newer() -> list[tuple[str, Message]]:
            run = self._runs.get(run_id)
            messages = run.control[int(after) :] if run else []
            return [(str(int(after) + i + 1), dict(m)) for i, m in enumerate(messages)]

        return self._wait(newer, wait_ms)

    def log_control(self, run_id: str, attempt: int, entry: Message, cursor: str) -> None:
        with self._changed:
            run = self._owned(run_id, attempt)
            run.log.append(dict(entry))
            run.meta["cursor"] = cursor

    def control_log(self, run_id: str) -> list[Message]:
        with self._changed:
            return [dict(entry) for entry in self._run(run_id).log]

    def _run(self, run_id: str) -> _Run:
        if run_id not in self._runs:
            raise UnknownRun(run_id)
        return self._runs[run_id]

    def _mark(self, run: _Run) -> None:
        self._revision += 1
        run.revision = self._revision

    def _owned(self, run_id: str, attempt: int) -> _Run:
        """The run, its lease renewed; raises Fenced unless `attempt` is the current one."""
        run = self._runs.get(run_id)
        if run is None or int(run.meta["attempt"]) != attempt:
            raise Fenced(f"Attempt {attempt} no longer owns run {run_id}.")
        if attempt > 0:
            self._extend_lease(run)
        return run

    def _extend_lease(self, run: _Run) -> None:
        run.lease_ends_ns = time.monotonic_ns() + self._lease_ms * NS_PER_MS

    def _wait(self, newer: Callable[[], list[T]], wait_ms: int) -> list[T]:
        with self._changed:
            if wait_ms > 0:
                self._changed.wait_for(lambda: bool(newer()), wait_ms / 1000)
            return newer()
