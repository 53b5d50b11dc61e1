"""The line on a terminal that says where a run is."""

import os
import sys
import time
from types import TracebackType

from tqdm import tqdm

from tiering.simulation.loops import loops_compiled

PARTS = 1000
EVERY_S = 0.1
USUAL_COLUMNS = 80
FORMAT = "{desc} |{bar}| {percentage:3.0f} %{postfix}"


class ProgressBar:
    """Within `with` there is a bar on stderr, unless it is quiet; it leaves nothing behind."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        """name: of what is run, shown first."""
        self.name, self._quiet = name, quiet
        self._shown_s = 0.0
        self._begin: tuple[float, float] | None = None

    def __enter__(self) -> "ProgressBar":
        doing = "building" if loops_compiled() else "compiling loops, once"
        self._bar = tqdm(
            total=PARTS, desc=f"{self.name}: {doing}", disable=self._quiet, file=sys.stderr,
            leave=False, bar_format=FORMAT, ncols=None if self._quiet else columns(),
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wipe the bar away, before something else is printed."""
        self._bar.close()

    def show(self, share: float, time_s: float) -> None:
        """The run has come to `share` of its end, and to `time_s` of simulated time."""
        now = time.perf_counter()
        if self._quiet or now - self._shown_s < EVERY_S:
            return
        self._shown_s = now
        began_s, began = self._begin = self._begin or (now, share)
        left = ""
        if share > began:
            left_s = (now - began_s) * (1.0 - share) / (share - began)
            left = f", {tqdm.format_interval(left_s)} left"
        self._bar.n = int(share * PARTS)
        self._bar.set_description_str(self.name, refresh=False)
        self._bar.set_postfix_str(f"t {time_s:.1f} s{left}", refresh=False)
        self._bar.refresh()


def columns() -> int:
    """Width of the terminal on stderr; some say 0."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS
