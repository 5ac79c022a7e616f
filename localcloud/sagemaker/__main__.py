"""`python -m localcloud.sagemaker`: serves until SIGTERM, or until its starter ends."""

import argparse
import asyncio
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from localcloud.sagemaker.jobs import Platform
from localcloud.sagemaker.settings import Settings, one_a_core, parse_delay, parse_quota
from localcloud.sagemaker.wire import Api


def main() -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parser().parse_args()
    if arguments.uds is None and arguments.port is None:
        sys.stderr.write("Give --uds PATH, --port PORT, or both.\n")
        return 2
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not arguments.detach:
        _exit_with_parent()
    settings = Settings(
        jobs=arguments.jobs.resolve(),
        short_folder=arguments.uds.parent if arguments.uds else None,
        aws_endpoint=arguments.aws_endpoint,
        **arguments.credentials,
        region=arguments.region,
        account=arguments.account,
        delays=dict(arguments.delay),
        stop_grace=arguments.stop_grace,
        assume_roles=arguments.assume_roles,
        quotas=dict(arguments.quota),
        consistency_lag=arguments.consistency_lag,
        throttle=arguments.throttle,
        concurrent_jobs=arguments.concurrent_jobs,
    )
    platform = Platform(settings)
    sockets = []
    if arguments.uds is not None:
        sockets.append(_unix_socket(arguments.uds))
    if arguments.port is not None:
        sockets.append(_tcp_socket(arguments.port))
        port = sockets[-1].getsockname()[1]
        sys.stdout.write(f"http://127.0.0.1:{port}\n")
        sys.stdout.flush()
    server = _Server(
        uvicorn.Config(
            Api(platform).application(),
            log_level="warning",
            access_log=False,
            # The clients of a proxy keep connections open; none holds up the end.
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,
        )
    )
    try:
        asyncio.run(_serve(server, sockets))
    finally:
        platform.close()
        if arguments.uds is not None:
            arguments.uds.unlink(missing_ok=True)
    return 0


class _Server(uvicorn.Server):
    """Uvicorn's own handling of signals ends the process by the signal, before our clean-up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield


async def _serve(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=sockets)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud.sagemaker", description=__doc__)
    parser.add_argument("--uds", type=Path, help="path of the Unix domain socket to serve on")
    parser.add_argument(
        "--port", type=int, help="port of 127.0.0.1 to serve on; 0 takes a free one and prints it"
    )
    parser.add_argument("--jobs", type=Path, required=True, help="folder for the jobs' folders")
    parser.add_argument("--aws-endpoint", help="address of S3; AWS itself when left out")
    parser.add_argument(
        "--credentials",
        type=_credentials,
        default={},
        metavar="FILE",
        help="JSON file with access_key_id and secret_access_key for --aws-endpoint",
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--account", default="000000000000")
    parser.add_argument(
        "--delay",
        type=_delay,
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help="slow down training (each state), transform, endpoint-create, endpoint-update or "
        "endpoint-delete",
    )
    parser.add_argument(
        "--stop-grace",
        type=float,
        default=120.0,
        help="seconds a stopped job has to end by itself (AWS: 120)",
    )
    parser.add_argument(
        "--assume-roles",
        action="store_true",
        help="ask S3 under the role that a request passes, so that its permissions decide",
    )
    parser.add_argument(
        "--quota",
        type=_quota,
        action="append",
        default=[],
        metavar="TYPE/USE=COUNT",
        help="allow so many instances of a type for endpoint, training-job or transform-job",
    )
    parser.add_argument(
        "--consistency-lag",
        type=_positive,
        default=0.0,
        metavar="SECONDS",
        help="let models and endpoint configurations be found only so long after they were made",
    )
    parser.add_argument(
        "--throttle",
        type=_positive,
        metavar="RATE",
        help="answer so many requests a second of each operation, refuse the others",
    )
    parser.add_argument(
        "--concurrent-jobs",
        type=_count,
        default=one_a_core(),
        metavar="COUNT",
        help="run so many jobs at once, the others wait in their first state; one a core, and at "
        "least 2, by default",
    )
    parser.add_argument(
        "--detach", action="store_true", help="go on when the process that started this one ends"
    )
    return parser


def _credentials(text: str) -> dict[str, str]:
    try:
        found = json.loads(Path(text).read_text())
        return {name: found[name] for name in ("access_key_id", "secret_access_key")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"{text} holds no credentials: {error}") from error


def _delay(text: str) -> tuple[str, float]:
    try:
        return parse_delay(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _quota(text: str) -> tuple[str, int]:
    try:
        return parse_quota(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be more than 0")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be 1 or more")
    return number


def _tcp_socket(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only for a socket that names its protocol, and
    # leaving it on adds 40 ms to every answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(256)
    return listening


def _unix_socket(path: Path) -> socket.socket:
    """A listening socket that only this user may connect to; one left behind is replaced."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    path.chmod(0o600)
    listening.listen(256)
    return listening


def _exit_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        try:
            # Linux tells at once.
            watched = select.poll()
            watched.register(os.pidfd_open(parent), select.POLLIN)
            if os.getppid() == parent:
                watched.poll()
        except (AttributeError, OSError):
            while os.getppid() == parent:
                time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
