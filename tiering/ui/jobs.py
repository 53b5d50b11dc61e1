"""What the page needs of the work floor; `tiering.work.submit.Jobs` is the real one."""

from typing import Any, Protocol

from tiering.stream.bus import Message


class Jobs(Protocol):
    """Every call may raise BusUnavailable."""

    def submit(
        self,
        scenario_text: str,
        name: str,
        seed: int,
        overrides: dict[str, Any],
        speed: float,
        parent: str = "",
    ) -> str:
        """Check and queue a run; returns its id; raises ScenarioError. speed 0 = max. parent: the
        run that it repeats or forks."""

    def send(self, run_id: str, message: Message) -> object:
        """A control message to the run; raises UnknownRun."""

    def cancel(self, run_id: str) -> object:
        """Stop a run whether it waits, runs or is paused; raises UnknownRun."""

    def delete(self, run_id: str) -> object:
        """Forget a run, stopped first if it is not final; raises UnknownRun."""

    def capacity(self) -> tuple[int, int]:
        """(workers alive, workers idle)."""

    def starting(self) -> bool:
        """Whether workers are on their way; asked when there are none."""
