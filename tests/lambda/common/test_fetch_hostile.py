"""Servers that answer anything, or for ever: every answer is a file or an error with a name."""

import contextlib
import gzip
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from spine.shipped import load
from tests.support import got

fetch = load("common.fetch")
HOST = "data.example"
PUBLIC = "93.184.216.34"
DENIED = "SourceNotAllowedError"
PASSING = "SourceUnreachableError"
TOO_LARGE = "SourceTooLargeError"
MOST = 1000

# What is sent at once, or what sends it.
Answer = bytes | Callable[[socket.socket], None]


@dataclass
class Raw:
    """A loopback server that answers every request with the same bytes, whatever they are."""

    port: int
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def serving(answer: Answer) -> Iterator[Raw]:
    """Serve until the test is done."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        raw = Raw(listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                # A client hangs up on what it refuses.
                with connection, contextlib.suppress(OSError):
                    raw.requests.append(connection.recv(65536))
                    if callable(answer):
                        answer(connection)
                    else:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield raw
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def web(raw: Raw, **changed: Any) -> Any:
    """A fetcher whose one allowed host is that server, without TLS, and that never sleeps."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.create_connection(("127.0.0.1", raw.port), self.timeout)

    options = {
        "hosts": frozenset({HOST}),
        "max_bytes": MOST,
        "attempts": 2,
        "resolve": lambda host: [PUBLIC],
        "connect": lambda host, address, timeout: Plain(host, timeout=timeout),
        "sleep": lambda seconds: None,
        "seconds": 20.0,
        "read_seconds": 5.0,
    }
    return fetch.Web(**{**options, **changed})


def ok(headers: bytes, body: bytes = b"hello") -> bytes:
    """An answer of 200 with these header lines."""
    return b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + body


def to(where: bytes, status: bytes = b"302 Found") -> bytes:
    """A redirect."""
    return b"HTTP/1.1 " + status + b"\r\nLocation: " + where + b"\r\nContent-Length: 0\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: "
PACKED = gzip.compress(b"hello", mtime=0)
CASES: dict[str, tuple[Answer, str | bytes]] = {
    # The status line.
    "nothing": (b"", PASSING),
    "no status line": (b"\r\n\r\n", PASSING),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", PASSING),
    "a later protocol": (b"HTTP/3.0 200 OK\r\n\r\nhello", PASSING),
    "a version without number": (b"HTTP/x 200 OK\r\n\r\n", PASSING),
    "no number for a status": (b"HTTP/1.1 OK 200\r\n\r\n", PASSING),
    "a status below any": (b"HTTP/1.1 7 OK\r\n\r\n", PASSING),
    "a status beyond any": (b"HTTP/1.1 2000 OK\r\n\r\n", PASSING),
    "a status of no meaning": (b"HTTP/1.1 799 OK\r\n\r\n", DENIED),
    "a status line without end": (b"HTTP/1.1 200 " + b"O" * 70_000, PASSING),
    "bytes": (bytes(range(256)), PASSING),
    "early hints alone": (b"HTTP/1.1 103 Early Hints\r\n\r\n", DENIED),
    "to go on, and no more": (b"HTTP/1.1 100 Continue\r\n\r\n", PASSING),
    "to go on, and the file": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(LENGTH + b"5\r\n"), b"hello"),
    # Headers.
    "headers cut": (b"HTTP/1.1 200 OK\r\nContent-Le", PASSING),
    "a header without colon": (ok(b"nonsense\r\n" + LENGTH + b"5\r\n"), PASSING),
    "a header without name": (ok(b": x\r\n" + LENGTH + b"5\r\n"), PASSING),
    "a header of a megabyte": (ok(b"X: " + b"x" * (1 << 20) + b"\r\n"), PASSING),
    "a thousand headers": (ok(b"X: y\r\n" * 1000), PASSING),
    "headers of all bytes": (ok(b"X: \xff\x80\x00\x1b[31m\r\n" + LENGTH + b"5\r\n"), b"hello"),
    "a folded tag": (ok(b'ETag: "a\r\n b"\r\n' + LENGTH + b"5\r\n"), b"hello"),
    # Lengths.
    "no length": (ok(b""), b"hello"),
    "a length too short": (ok(LENGTH + b"4\r\n"), b"hell"),
    "a length too long": (ok(LENGTH + b"9\r\n"), PASSING),
    "a length of nothing": (ok(LENGTH + b"0\r\n", b""), b""),
    "a negative length": (ok(LENGTH + b"-5\r\n"), PASSING),
    "a length in hexadecimal": (ok(LENGTH + b"0x5\r\n"), PASSING),
    "a length with a sign": (ok(LENGTH + b"+5\r\n"), PASSING),
    "a length of a fraction": (ok(LENGTH + b"5.0\r\n"), PASSING),
    "a length in other digits": (ok(LENGTH + "\u0665".encode() + b"\r\n"), PASSING),
    "a length of 2 ** 63": (ok(LENGTH + str(2**63).encode() + b"\r\n"), TOO_LARGE),
    "a length of 5,000 digits": (ok(LENGTH + b"9" * 5000 + b"\r\n"), TOO_LARGE),
    "two lengths": (ok(LENGTH + b"5\r\n" + LENGTH + b"4\r\n"), PASSING),
    "two lengths on one line": (ok(LENGTH + b"5, 4\r\n"), PASSING),
    "one length twice on one line": (ok(LENGTH + b"5, 5\r\n"), b"hello"),
    "one length twice on one line, and more": (ok(LENGTH + b"4, 4\r\n"), PASSING),
    "one length twice": (ok(LENGTH + b"5\r\n" + LENGTH + b"5\r\n"), b"hello"),
    "a body too large": (ok(b"", b"x" * (MOST + 1)), TOO_LARGE),
    "a body just large enough": (ok(b"", b"x" * MOST), b"x" * MOST),
    # Chunks.
    "chunks": (ok(CHUNKED, b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n"), b"hello"),
    "chunks and a length": (ok(CHUNKED + LENGTH + b"3\r\n", b"5\r\nhello\r\n0\r\n\r\n"), b"hello"),
    "chunks cut": (ok(CHUNKED, b"5\r\nhel"), PASSING),
    "chunks without a last one": (ok(CHUNKED, b"5\r\nhello\r\n"), PASSING),
    "a chunk without length": (ok(CHUNKED, b"\r\nhello\r\n0\r\n\r\n"), PASSING),
    "a chunk of no number": (ok(CHUNKED, b"five\r\nhello\r\n0\r\n\r\n"), PASSING),
    "a negative chunk": (ok(CHUNKED, b"-5\r\nhello\r\n0\r\n\r\n"), PASSING),
    "a chunk of 2 ** 4000": (ok(CHUNKED, b"f" * 1000 + b"\r\nhello"), PASSING),
    "a chunk length without end": (ok(CHUNKED, b"1" * 70_000), PASSING),
    "a trailer of a megabyte": (ok(CHUNKED, b"1\r\nh\r\n0\r\nX: " + b"x" * (1 << 20)), PASSING),
    "chunks too large": (ok(CHUNKED, b"%x\r\n" % (MOST + 1) + b"x" * (MOST + 1)), TOO_LARGE),
    # Packings.
    "a packing for the way": (ok(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), DENIED),
    "chunks by another word": (
        ok(b"Transfer-Encoding: chunked\xa0\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
        DENIED,
    ),
    "another packing": (ok(b"Content-Encoding: br\r\n"), DENIED),
    "gzip": (ok(b"Content-Encoding: gzip\r\n", PACKED), PACKED),
    "gzip cut": (ok(b"Content-Encoding: gzip\r\n" + LENGTH + b"99\r\n", PACKED[:9]), PASSING),
    # Redirects.
    "a redirect nowhere": (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", DENIED),
    "a redirect to nothing": (to(b""), DENIED),
    "a redirect to itself": (to(b"/a"), DENIED),
    "a redirect to another scheme": (to(b"gopher://data.example/a"), DENIED),
    "a redirect to plain http": (to(b"http://data.example/a"), DENIED),
    "a redirect to a script": (to(b"javascript:alert(1)"), DENIED),
    "a redirect to half an address": (to(b"https://[::1"), DENIED),
    "a redirect to a strange port": (to(b"https://data.example:99999/"), DENIED),
    "a redirect to a port of words": (to(b"https://data.example:http/"), DENIED),
    "a redirect to bytes": (to(b"https://d\xff\xfeta.example/"), DENIED),
    "a redirect to an endless label": (to(b"https://" + b"\xc3\xa9" * 70 + b".example/"), DENIED),
    "a redirect to an empty label": (to(b"https://\xc3\xa9..example/"), DENIED),
    "a redirect with control characters": (to(b"https://\x1b[31m.example/"), DENIED),
    "a redirect inside": (to(b"https://169.254.169.254/latest/"), DENIED),
    "a redirect to a file": (to(b"file:///etc/passwd", b"301 Moved"), DENIED),
    # What the server says of itself.
    "not found": (b"HTTP/1.1 404 Not Found\r\n\r\n", "SourceNotFoundError"),
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\n\r\n", "SourceDeniedError"),
    "busy": (b"HTTP/1.1 503 Busy\r\n\r\n", PASSING),
    "a part that was not asked for": (b"HTTP/1.1 206 Part\r\n" + LENGTH + b"2\r\n\r\nhe", DENIED),
    "a range that was not asked for": (b"HTTP/1.1 416 Range\r\n\r\n", DENIED),
}


@pytest.mark.parametrize("case", CASES)
def test_every_answer_is_the_file_or_an_error_with_a_name(case: str) -> None:
    """What may pass is tried again, what cannot is not; nothing else is ever raised."""
    answer, expected = CASES[case]
    with serving(answer) as raw:
        if isinstance(expected, bytes):
            assert got(web(raw).fetch(f"https://{HOST}/a"))[0] == expected
            assert len(raw.requests) == 1
            return
        with pytest.raises(getattr(fetch, expected)) as caught:
            web(raw).fetch(f"https://{HOST}/a")
        redirects = 6 if case == "a redirect to itself" else 1
        assert len(raw.requests) == (2 if expected == PASSING else redirects)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("case", CASES)
def test_every_answer_to_the_question_for_the_size_is_one_or_an_error(case: str) -> None:
    """The plan asks before anything is fetched, and takes any of these errors."""
    with serving(CASES[case][0]) as raw:
        try:
            size = web(raw).size(f"https://{HOST}/a")
        except fetch.SpineError as error:
            assert type(error).__name__ in (PASSING, DENIED)  # noqa: PT017 (either is right)
        else:
            assert size is None or size >= 0


def drip(first: bytes) -> Answer:
    """Send some bytes, then one every 50 ms for ten seconds."""

    def send(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(200):
            time.sleep(0.05)
            connection.sendall(b"1")

    return send


DRIPS = {
    "the status line": b"HTTP/1.1 200 ",
    "a header": b"HTTP/1.1 200 OK\r\nX: ",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /",
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: ",
    "a body": ok(LENGTH + b"900\r\n"),
    "a body without length": ok(b""),
    "a chunk": ok(CHUNKED, b"fff\r\n"),
    "a chunk's length": ok(CHUNKED, b"0"),
    "a trailer": ok(CHUNKED, b"0\r\nX: "),
}


@pytest.mark.parametrize("where", DRIPS)
def test_a_server_that_drips_is_held_to_the_time_for_everything(where: str) -> None:
    """However little arrives in time for each wait, all of them together end with the deadline."""
    with serving(drip(DRIPS[where])) as raw:
        slow = web(raw, seconds=0.4, read_seconds=0.3, attempts=4)
        began = time.monotonic()
        with pytest.raises(fetch.SourceUnreachableError, match=r"bytes arrived within 0\.4 s"):
            slow.fetch(f"https://{HOST}/a")
        assert time.monotonic() - began < 3
        began = time.monotonic()
        if where.startswith(("the", "a header", "a redirect", "a length")):
            with pytest.raises(fetch.SourceUnreachableError):
                slow.size(f"https://{HOST}/a")
        assert time.monotonic() - began < 3


def test_redirects_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hop takes its time from the same deadline."""

    def later(connection: socket.socket) -> None:
        time.sleep(0.25)
        connection.sendall(to(b"/a"))

    with serving(later) as raw:
        began = time.monotonic()
        with pytest.raises(fetch.SourceUnreachableError, match=r"within 0\.4 s"):
            web(raw, seconds=0.4, attempts=4).fetch(f"https://{HOST}/a")
        assert time.monotonic() - began < 3


def test_a_silent_resolver_is_held_to_it_too() -> None:
    """The system's resolver has no time-out; it is not waited for any longer."""
    released = threading.Event()

    def never(host: str) -> list[str]:
        released.wait(20)
        return []

    with serving(b"") as raw:
        began = time.monotonic()
        with pytest.raises(fetch.SourceUnreachableError, match=r"within 0\.2 s"):
            web(raw, resolve=never, seconds=0.2).fetch(f"https://{HOST}/a")
        assert time.monotonic() - began < 3
    released.set()


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://elsewhere.example/b", "only data.example may be opened"),
        (f"http://{HOST}/b", "plain https"),
        (f"https://user:hunter2@{HOST}/b", "plain https"),
        ("https://169.254.169.254/latest/meta-data/", "only data.example may be opened"),
        ("file:///etc/passwd", "plain https"),
    ],
)
def test_a_redirect_elsewhere_is_refused_when_the_size_is_asked_for(
    location: str, says: str
) -> None:
    """Each hop of the question for the size is checked as those of the download are."""
    with serving(to(location.encode())) as raw:
        with pytest.raises(fetch.SourceNotAllowedError, match=says) as caught:
            web(raw).size(f"https://{HOST}/a")
        assert len(raw.requests) == 1
        assert "hunter2" not in str(caught.value)


def test_the_size_is_asked_for_where_a_redirect_leads() -> None:
    """And a host that resolves inside is not asked."""

    def answer(connection: socket.socket) -> None:
        first = len(raw.requests) == 1
        connection.sendall(to(b"b") if first else ok(LENGTH + b"7\r\n"))

    with serving(answer) as raw:
        assert web(raw).size(f"https://{HOST}/a") == 7
        assert [request.split(b" HTTP")[0] for request in raw.requests] == [b"HEAD /a", b"HEAD /b"]
        with pytest.raises(fetch.SourceNotAllowedError, match="not on the public internet"):
            web(raw, resolve=lambda host: ["10.0.0.1"]).size(f"https://{HOST}/a")


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (f"https://{HOST}/données.csv", "/donn%C3%A9es.csv"),
        (f"https://{HOST}/donn%C3%A9es.csv", "/donn%C3%A9es.csv"),
        (f"https://{HOST}/a b/c.csv?q=ü x", "/a%20b/c.csv?q=%C3%BC%20x"),
        (f"https://{HOST}/100%.csv", "/100%25.csv"),
        (f"https://{HOST}/数据/表.csv", "/%E6%95%B0%E6%8D%AE/%E8%A1%A8.csv"),
        (f"https://{HOST}/a\u00a0b.csv#part", "/a%C2%A0b.csv"),
    ],
)
def test_an_address_in_any_script_is_fetched(address: str, line: str) -> None:
    """Characters beyond ASCII are percent-encoded as UTF-8, what is encoded stays."""
    with serving(ok(LENGTH + b"5\r\n")) as raw:
        assert got(web(raw).fetch(address))[0] == b"hello"
        assert raw.requests[0].split(b" HTTP")[0].decode() == f"GET {line}"
        assert web(raw).size(address) == 5


def test_a_host_in_any_script_is_asked_by_its_ascii_name() -> None:
    """For DNS, TLS and the Host header alike; the setting may name it either way."""
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return [PUBLIC]

    with serving(ok(LENGTH + b"5\r\n")) as raw:
        for hosts in ({"données.example"}, {"xn--donnes-eva.example"}):
            there = web(raw, hosts=frozenset(hosts), resolve=resolve)
            assert got(there.fetch("https://DONNÉES.example/é.csv"))[:2] == (b"hello", "é.csv")
    assert set(asked) == {"xn--donnes-eva.example"}
    assert b"Host: xn--donnes-eva.example\r\n" in raw.requests[0]


@pytest.mark.parametrize("where", ["/données.csv".encode(), "/données.csv".encode("latin-1")])
def test_a_redirect_in_any_script_is_followed(where: bytes) -> None:
    """The bytes of a Location header are percent-encoded as they came."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(to(where) if len(raw.requests) == 1 else ok(LENGTH + b"5\r\n"))

    with serving(answer) as raw:
        assert got(web(raw).fetch(f"https://{HOST}/a.csv"))[:2] == (b"hello", "a.csv")
        expected = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in where)
        assert raw.requests[1].startswith(f"GET {expected} HTTP".encode())


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/a?X-Amz-Signature=hunter2",
        "https://me:hunter2@data.example/a",
        f"https://{HOST}:8443/a?key=hunter2",
        "https://elsewhere.example/a#hunter2",
        "https://[hunter2/a?code=hunter2",
    ],
)
def test_no_secret_of_a_redirect_is_shown(location: str) -> None:
    """Servers redirect to signed addresses; messages stay in the history and the logs."""
    with (
        serving(to(location.encode())) as raw,
        pytest.raises(fetch.SourceNotAllowedError) as caught,
    ):
        web(raw).fetch(f"https://{HOST}/a?token=hunter2")
    assert "hunter2" not in str(caught.value)
