"""The one entry: the web page, and beside it workers and, without REDIS_URL, a Redis server."""

import argparse
import errno
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

if __name__ == "__main__":  # until `main` runs there is nothing to stop: end without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import uvicorn

from tiering.stream.bus import BusUnavailable
from tiering.stream.embedded import EmbeddedServer, EmbeddedServerError, default_data_dir
from tiering.stream.redis_bus import RedisBus, connect
from tiering.work.service import WorkerService
from tiering.work.submit import Jobs, announce_workers, make_queue

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
STOPS = (signal.SIGINT, signal.SIGTERM)
STOP_WITHIN_S = 2
HIGHEST_PORT = 65_535
MOST_WORKERS = 1000


class Refused(ValueError):
    """The command line or the machine does not allow a start; str() is one sentence."""


class Server(uvicorn.Server):
    """Says when it is ready; looks after the other processes once a second."""

    def __init__(
        self, config: uvicorn.Config, url: str, workers: WorkerService, redis: EmbeddedServer | None
    ) -> None:
        super().__init__(config)
        self.url, self.workers, self.redis = url, workers, redis
        self.redis_died = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal is neither raised again nor are its handlers given back."""
        for number in STOPS:
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop in order, which takes STOP_WITHIN_S at most; a further signal changes nothing."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"Tierscope is ready: {self.url}", flush=True)

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0 and not self.should_exit:
            self.workers.check()
            self.redis_died = self.redis is not None and not self.redis.running()
        return await super().on_tick(counter) or self.redis_died


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code (2 = could not start)."""
    args = _parser().parse_args(argv)
    for number in STOPS:
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as running:
            try:
                return _serve(args, running)
            finally:  # whatever is running is now stopped, and that undisturbed
                _ignore_signals()
    except KeyboardInterrupt:
        return 0
    except (Refused, BusUnavailable, EmbeddedServerError) as error:
        print(error, file=sys.stderr)
        return 2


def _serve(args: argparse.Namespace, running: ExitStack) -> int:
    """Start everything in order; `running` stops it in the opposite one."""
    _check(args)
    listener = running.enter_context(_listen(args.host, args.port))
    url, embedded, log_file = args.redis or os.environ.get("REDIS_URL", ""), None, None
    if not url:
        embedded = EmbeddedServer(args.data_dir)
        running.callback(embedded.stop)
        embedded.start()
        url, log_file = embedded.url, args.data_dir / "workers.log"
    client = running.enter_context(connect(url))
    workers = WorkerService(args.workers, url, log_file)
    running.callback(workers.stop)
    if args.workers:
        announce_workers(client)
    workers.start()
    from tiering.ui.server import create_server  # noqa: PLC0415 (slow; the workers start meanwhile)

    bus = RedisBus(client)
    jobs = Jobs(bus, make_queue(client))
    jobs.recover()
    page = create_server(bus, jobs, LOOPBACK + args.allowed_host)
    config = uvicorn.Config(page, log_level="error", timeout_graceful_shutdown=STOP_WITHIN_S)
    server = Server(config, _address(args, listener), workers, embedded)
    server.run(sockets=[listener])
    if server.redis_died:
        print(f"The embedded server ended; see {args.data_dir / 'server.log'}.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=int, default=8050, help="port to listen on, 0 = any (default %(default)s)")
    add(
        "--workers",
        type=int,
        default=max(4, os.cpu_count() or 1),
        metavar="N",
        help="runs at the same time, paused ones included (default %(default)s; 0 = elsewhere)",
    )
    add("--redis", metavar="URL", help="a Redis to use (default: REDIS_URL, else an embedded one)")
    add(
        "--allowed-host",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="further names by which browsers may call this server",
    )
    add(
        "--data-dir",
        type=Path,
        default=default_data_dir(),
        metavar="DIR",
        help="where the embedded Redis keeps the runs (default %(default)s)",
    )
    return parser


def _check(args: argparse.Namespace) -> None:
    if not 0 <= args.port <= HIGHEST_PORT:
        raise Refused(f"--port {args.port}: allowed is 0 .. {HIGHEST_PORT}.")
    if not 0 <= args.workers <= MOST_WORKERS:
        raise Refused(f"--workers {args.workers}: allowed is 0 .. {MOST_WORKERS}.")
    if not (_is_loopback(args.host) or args.allowed_host):
        raise Refused(
            f"--host {args.host} can be reached from other machines and there is no password:"
            " name who may call it with --allowed-host NAME."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    """The listening socket; made first, so that a busy port is known before anything starts."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except socket.gaierror as error:
        raise Refused(f"--host {host}: no such address ({error.strerror}).") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "is in use; stop the other program or choose another with --port N"
        else:
            reason = f"cannot be used ({os.strerror(error.errno or 0)})"
        raise Refused(f"Port {port} on {host} {reason}.") from error


def _address(args: argparse.Namespace, listener: socket.socket) -> str:
    everywhere = args.host in ("0.0.0.0", "::")  # noqa: S104 (a comparison)
    name = args.allowed_host[0] if everywhere else args.host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{listener.getsockname()[1]}"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
