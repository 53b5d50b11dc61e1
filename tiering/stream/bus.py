"""The contract between a run and everybody else; the memory bus and the Redis bus are equals.

A run is: a metadata hash, a stream of encoded blocks (`step` is the id, so a repeat of a step is
ignored), a control stream (messages to the run) and a control log (what the run applied, when).
"""

from typing import Any, Literal, NamedTuple, Protocol

Status = Literal["waiting", "running", "paused", "done", "stopped", "failed"]
FINAL: tuple[Status, ...] = ("done", "stopped", "failed")

LEASE_MS = 5000
"""An attempt that writes nothing and does not renew for this long counts as lost."""

LISTED = (
    "status", "name", "tags", "note", "scenario", "title", "seed", "speed", "overrides", "turned",
    "parent", "error", "rows", "created_at", "finished_at", "sim_ns", "until_ns", "summary",
)  # fmt: skip
"""Metadata that a list of runs tells of each; what is not there is not told.

name, tags (words with blanks between), note: what people call it, see `describe`. overrides,
turned: JSON, what was changed before and while it ran. rows: "gone" once `expire` let go of them.
summary: JSON, small, written by the worker (work/summary.py).
"""

Message = dict[str, Any]
"""{"cmd": "pause" | "resume" | "step" | "stop"} or {"cmd": "speed", "value": 10 | 0 (= max)}
or {"cmd": "set", "knob": "pte_scan.scan_period_ms", "value": 1000}."""


class Fenced(RuntimeError):
    """Another attempt owns the run now; this one must stop without writing anything more."""


class UnknownRun(KeyError):
    """No run of that id."""

    def __str__(self) -> str:
        return f"There is no run {self.args[0]}."


class BusUnavailable(ConnectionError):
    """The bus does not answer or refuses to work; str() is one sentence without a password."""


class Listed(NamedTuple):
    """One run of a list; revision: of its last change, see `Bus.listed`."""

    run_id: str
    revision: int
    meta: dict[str, str]


class Listing(NamedTuple):
    """Part of the list of runs. revision: of the last change of any run; total: of all runs."""

    revision: int
    total: int
    runs: list[Listed]


class Bus(Protocol):
    """Ids: `run_id` is a short url-safe string; control ids are opaque strings in stream order."""

    def create(self, run_id: str, meta: dict[str, str]) -> None:
        """Register a run with its metadata; status becomes "waiting", attempt 0.

        Raises ValueError if the id is taken.
        """

    def meta(self, run_id: str) -> dict[str, str]:
        """All metadata of the run, `status` among it; raises UnknownRun."""

    def runs(self) -> list[str]:
        """Ids of all runs, newest first."""

    def listed(self, after: int, before: int | None, count: int) -> Listing:
        """At most `count` runs whose last change is after that revision and before the other one
        (None = up to now), the newest change first, each with what LISTED names.

        Changes of all runs are counted together, 1, 2, ...; a claim and a sign of life are none. To
        read a long list ask on with `before` the last revision got; to follow it ask for what
        changed `after` the first answer's revision. A deleted run is missed in `total` alone.
        """

    def leases(self) -> dict[str, bool]:
        """Runs that were claimed and are not final, and whether their attempt is alive."""

    def describe(self, run_id: str, fields: dict[str, str]) -> None:
        """Change metadata that no attempt owns (name, tags, note); raises UnknownRun."""

    def expire(self, keep_rows: int, keep_runs: int) -> None:
        """Let go of final runs without a tag: of all but the newest `keep_runs`, and of the blocks
        of all but the newest `keep_rows` that have theirs.

        A run without its blocks has "gone" as metadata `rows`, and no schema.
        """

    def delete(self, run_id: str) -> None:
        """Forget the run and all that belongs to it; attempts still writing are fenced."""

    def claim(self, run_id: str, worker: str) -> int:
        """Begin a new attempt; returns its number (1, 2, ...), which fences all older ones.

        `worker` becomes metadata and the lease begins; status stays. Raises UnknownRun.
        """

    def update(self, run_id: str, attempt: int, fields: dict[str, str]) -> None:
        """Change metadata as that attempt; raises Fenced if it no longer owns the run.

        Attempt 0 stands for whoever submitted the run, until the first claim.
        """

    def renew(self, run_id: str, attempt: int) -> None:
        """Renew the attempt's lease (a few seconds); raises Fenced."""

    def alive(self, run_id: str) -> bool:
        """True while the lease of the current attempt has not run out."""

    def append(self, run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        """Publish encoded blocks by step; steps already present are skipped; raises Fenced."""

    def last_step(self, run_id: str) -> int:
        """The newest step published, -1 if none."""

    def read(self, run_id: str, after: int, count: int, wait_ms: int) -> list[tuple[int, bytes]]:
        """Blocks with step > after (-1 = from the start), oldest first, at most `count`.

        Waits up to wait_ms (at most 5000) if there is none yet.
        """

    def send(self, run_id: str, message: Message) -> str:
        """Put a control message on the run's control stream; returns its id.

        Raises UnknownRun.
        """

    def receive(self, run_id: str, after: str, wait_ms: int) -> list[tuple[str, Message]]:
        """Control messages after that id ("0" = from the start); waits as `read` does."""

    def log_control(self, run_id: str, attempt: int, entry: Message, cursor: str) -> None:
        """Append {"t_ns", "knob", "value"} to the control log and store the control id that caused
        it as metadata `cursor`, in one transaction; raises Fenced."""

    def control_log(self, run_id: str) -> list[Message]:
        """The control log, oldest first: what a retry replays."""
