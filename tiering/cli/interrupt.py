"""Ctrl-C as a wish to stop at the next good moment, for commands that have something to save."""

import signal
from types import FrameType, TracebackType
from typing import Any


class Interrupt:
    """Within `with`, the first Ctrl-C sets `asked`, the next one interrupts as usual."""

    def __init__(self, *, held: bool) -> None:
        """held: False leaves Ctrl-C alone."""
        self._held = held
        self._before: Any = None
        self.asked = False

    def __enter__(self) -> "Interrupt":
        if self._held:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
