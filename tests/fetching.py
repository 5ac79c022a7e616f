"""A web site on this machine, and what fetches from it in virtual time."""

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spine.shipped import load

fetch = load("common.fetch")
HOST = "data.example"
PUBLIC = "93.184.216.34"


@dataclass
class Site:
    """A loopback HTTP server: answers by path, one for each request, the last one for good.

    An answer is a status, headers and a body. `requests` keeps what was asked for.
    """

    port: int
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def says(self, path: str, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """Add an answer to a path."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(path, []).append((status, named, body))


@contextmanager
def serving() -> Iterator[Site]:
    """A server on a free loopback port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests.append((self.headers["Host"], self.path))
            told.headers.append(dict(self.headers))
            answers = told.answers[self.path]
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Keep the test's output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Time:
    """A clock that moves only when someone sleeps, and notes how long."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds


def web(site: Site | None = None, time: Time | None = None, **changed: Any) -> Any:
    """A fetcher whose one allowed host is the loopback server, without TLS."""
    clock = time or Time()

    class Plain(http.client.HTTPConnection):
        """A connection to the loopback server that speaks to it as the host."""

        def connect(self) -> None:
            assert site is not None, "nothing may be connected to"
            self.sock = socket.create_connection(("127.0.0.1", site.port), self.timeout)

    def connect(host: str, address: str, timeout: float) -> http.client.HTTPConnection:
        assert address == PUBLIC
        return Plain(host, timeout=timeout)

    options = {
        "hosts": frozenset({HOST}),
        "resolve": lambda host: [PUBLIC],
        "connect": connect,
        "clock": lambda: clock.now,
        "sleep": clock.sleep,
    }
    return fetch.Web(**{**options, **changed})
