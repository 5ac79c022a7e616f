"""The small server of containers: requests as HTTP/1.1 has them, over a socket."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker.containers import http as module
from localcloud.sagemaker.containers.http import Handler, Request, Response


class Connection(http.client.HTTPConnection):
    """A client of a Unix domain socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


@contextmanager
def serving(handler: Handler, path: Path, *, threads: int = 2) -> Iterator[Callable[[], None]]:
    """Serve in a thread of this process; what is given does what SIGTERM does."""
    loop: Any = asyncio.new_event_loop()
    stops: list[Callable[[], None]] = []
    # A handler of signals can be set by the main thread only, and would be pytest's here.
    loop.add_signal_handler = lambda _, stop: stops.append(stop)
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(module._serve(handler, path, threads))
    )
    thread.start()
    while not path.exists():
        assert thread.is_alive()

    def stop() -> None:
        loop.call_soon_threadsafe(stops[0])
        thread.join(20)
        assert not thread.is_alive()

    try:
        yield stop
    finally:
        if thread.is_alive():
            stop()
        loop.close()


def test_a_request_reaches_the_handler_and_its_answer_the_client(tmp_path: Path) -> None:
    """Names of headers in small letters, the body as it is, and the handler's own headers."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(415, b"No.", "text/plain", {"x-note": "a"})

    with serving(answer, tmp_path / "s"):
        client = Connection(tmp_path / "s")
        client.request("POST", "/invocations?x=1", b"\x00\xff", {"Content-Type": "text/csv"})
        found = client.getresponse()
        assert (found.status, found.reason) == (415, "Unsupported Media Type")
        assert found.read() == b"No."
        assert found.headers["content-type"] == "text/plain"
        assert found.headers["x-note"] == "a"
        client.close()
    (request,) = seen
    assert (request.method, request.path, request.body) == (
        "POST",
        "/invocations?x=1",
        b"\x00\xff",
    )
    assert request.headers["content-type"] == "text/csv"


def test_a_connection_serves_one_request_after_the_other(tmp_path: Path) -> None:
    """A client asks thousands of times and connects once."""
    with serving(lambda request: Response(body=request.path.encode()), tmp_path / "s"):
        client = Connection(tmp_path / "s")
        for number in range(3):
            client.request("GET", f"/{number}")
            assert client.getresponse().read() == f"/{number}".encode()
        client.close()


def test_small_requests_are_answered_while_large_ones_are_worked_on(tmp_path: Path) -> None:
    """A large one goes to a thread."""
    go_on = threading.Event()

    def answer(request: Request) -> Response:
        if request.body:
            assert go_on.wait(20)
        return Response(body=str(len(request.body)).encode())

    size = module._INLINE_BYTES + 1
    with serving(answer, tmp_path / "s"):
        large, small = Connection(tmp_path / "s"), Connection(tmp_path / "s")
        large.request("POST", "/", b"x" * size)
        small.request("GET", "/ping")
        assert small.getresponse().read() == b"0"
        go_on.set()
        assert large.getresponse().read() == str(size).encode()
        large.close()
        small.close()


def test_a_client_that_leaves_in_the_middle_disturbs_no_other(tmp_path: Path) -> None:
    """In the head, or in the body."""
    with serving(lambda _: Response(body=b"well"), tmp_path / "s"):
        for part in (b"POST / HT", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf"):
            with socket.socket(socket.AF_UNIX) as leaving:
                leaving.connect(str(tmp_path / "s"))
                leaving.sendall(part)
        client = Connection(tmp_path / "s")
        client.request("GET", "/ping")
        assert client.getresponse().read() == b"well"
        client.close()


def test_a_server_that_was_told_to_stop_takes_no_more(tmp_path: Path) -> None:
    """As SIGTERM tells it."""
    with serving(lambda _: Response(), tmp_path / "s") as stop:
        stop()
        with pytest.raises(OSError, match=r"refused|No such file"):
            Connection(tmp_path / "s").request("GET", "/ping")
