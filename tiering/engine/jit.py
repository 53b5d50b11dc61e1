"""The only place of compiler flags and of the compiled-code cache.

numba's own cache looks at the file of the function that it compiles, not at the helpers which that
function calls from other files: edit such a helper and the cache returns the *old* result. So the
directory of the cache is named by a hash of everything that compiled code can come from, and an
edit anywhere in it begins an empty cache.

Import this module before numba. It owns NUMBA_CACHE_DIR, NUMBA_THREADING_LAYER and
NUMBA_NUM_THREADS; to move the cache set TIERSCOPE_CACHE_DIR. NUMBA_DISABLE_JIT=1 works as usual.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, overload

import numpy as np

Loop = Callable[..., Any]

COMPILED = (
    "model", "engine", "workloads", "sources", "hotness", "promotion", "demotion", "migration",
)  # fmt: skip
"""Packages that loops, the constants frozen in them and their argument types come from."""
KEEP = 3
IN_USE_S = 3600  # a cache used within the hour may belong to a process that still compiles
FLAGS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False}
"""No fastmath: runs repeat to the bit. nogil: a page or a heartbeat goes on beside a loop."""


def source_hash(package: Path) -> str:
    """16 hex digits that change with any source of `package`'s COMPILED rooms or a new compiler."""
    digest = hashlib.sha256()
    for name in ("numba", "llvmlite", "numpy"):
        digest.update(f"{name} {version(name)}\0".encode())
    digest.update(sys.version.encode())
    for room in COMPILED:
        for path in sorted((package / room).rglob("*.py")):
            text = path.read_bytes()
            digest.update(f"{path.relative_to(package)} {len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


def cache_base() -> Path:
    """TIERSCOPE_CACHE_DIR, else the user's cache directory; it need not exist."""
    own = os.environ.get("TIERSCOPE_CACHE_DIR")
    if own:
        return Path(own)
    try:
        home = Path.home()
    except RuntimeError:  # a container's user without a home
        return _temporary()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tierscope"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "tierscope"


def cache_dir(base: Path, name: str) -> Path:
    """`base`/`name`, made and writable, its older siblings pruned; else a private temporary one."""
    for place in (base, _temporary()):
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _private(place):
                continue
            path = place / name
            path.mkdir(exist_ok=True)
            tempfile.TemporaryFile(dir=path).close()
            os.utime(path)
        except OSError:
            continue
        prune(place)
        return path
    return Path(tempfile.mkdtemp(prefix="tierscope-"))


def prune(base: Path, now: float | None = None) -> None:
    """Delete all caches in `base` but the newest KEEP and those used within the last hour."""
    oldest = (time.time() if now is None else now) - IN_USE_S
    caches = [(path.stat().st_mtime, path) for path in base.iterdir() if _is_cache(path)]
    for used, path in sorted(caches, reverse=True)[KEEP:]:
        if used < oldest:
            shutil.rmtree(path, ignore_errors=True)


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"tierscope-{os.getuid()}"


def _is_cache(path: Path) -> bool:
    return len(path.name) == 16 and set(path.name) <= set("0123456789abcdef") and path.is_dir()


def _private(path: Path) -> bool:
    """numba unpickles its cache, so nobody else may be able to write there."""
    info = path.stat()
    return info.st_uid == os.getuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


_PACKAGE = Path(__file__).parent.parent
os.environ["NUMBA_CACHE_DIR"] = str(cache_dir(cache_base(), source_hash(_PACKAGE)))
os.environ["NUMBA_THREADING_LAYER"] = "workqueue"  # others do not survive the fork of a worker
os.environ["NUMBA_NUM_THREADS"] = "1"  # scaled by workers

import numba  # noqa: E402 - reads the variables above

from tiering.engine.inner import Compiled  # noqa: E402 - imports numba

numba.config.reload_config()  # type: ignore[no-untyped-call]  # somebody may have imported numba first
DISABLED = bool(getattr(numba.config, "DISABLE_JIT", False))
"""True under NUMBA_DISABLE_JIT=1: loops run as plain Python."""


@overload
def loop(function: Loop) -> Loop: ...
@overload
def loop(
    *, inline: bool = False, allocates: bool = False, foreign: bool = False
) -> Callable[[Loop], Loop]: ...
def loop(
    function: Any = None, *, inline: bool = False, allocates: bool = False, foreign: bool = False
) -> Any:
    """Compile a function of plain arrays and numbers at its first call with each argument type.

    inline: for helpers of a few lines on the innermost path, and for what is called there with
    `Memory` and `Rates`: every array of them is seven words on the stack of a call. Their code goes
    into the caller.
    allocates: for loops that make arrays. The others borrow all of theirs from their caller, make
    at most slices, return numbers, and count no references (numba's `_nrt`): atomic additions for
    slices and fields of tuples took two fifths of a visit pass.
    foreign: for text that is none of ours, and loops made around it: an index out of range raises
    IndexError, and nothing goes into the cache, whose name knows our sources only.
    Called by other loops it becomes part of them (engine/inner.py). With the compiler off it runs
    as Python and wraps around silently like compiled code.
    """

    def compiled(plain: Loop) -> Loop:
        if DISABLED:
            return np.errstate(all="ignore")(plain)
        own = {"forceinline": inline, "_nrt": allocates, "no_cfunc_wrapper": True}
        own |= {"cache": False, "boundscheck": True} if foreign else {}
        return Compiled(plain, FLAGS | own)

    return compiled if function is None else compiled(function)


class Direct:
    """A loop whose arrays are of the same kind at every call, for one place that calls it.

    The first call looks at element types and dimensions, the others go straight to the machine
    code: a look at a few dozen arrays takes 10 us, which a step of the simulation cannot spare.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._code: dict[tuple[type, ...], Loop] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Call the loop. Nobody notices an array of other elements than those of the first call."""
        kinds = tuple(map(type, arguments))
        code = self._code.get(kinds)
        if code is None:
            code = self._code[kinds] = self._compiled(arguments)
        return code(*arguments)

    def _compiled(self, arguments: tuple[Any, ...]) -> Loop:
        if DISABLED:
            return self._loop
        return self._loop.code(tuple(map(numba.typeof, arguments)))  # type: ignore[attr-defined, no-any-return]
