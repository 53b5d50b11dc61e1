"""Children that cannot outlive their parent, not even one that was killed with SIGKILL."""

import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(sig: int) -> Callable[[], None]:
    """To be made in the parent and called in the child, e.g. as `preexec_fn`.

    The child then gets `sig` when the thread that started it ends, so start it from the main
    thread. Linux only; elsewhere it does nothing and children end on an orderly stop only.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return in_child
