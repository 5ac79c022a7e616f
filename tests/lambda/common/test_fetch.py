"""What may be fetched, from where, and what happens when it cannot."""

import datetime as dt
import http.client
import socket
import ssl
import threading
import traceback
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spine.shipped import load
from tests.fetching import HOST, PUBLIC, Site, Time, web
from tests.support import got

fetch = load("common.fetch")


def test_a_file_is_fetched_whole_and_named(site: Site) -> None:
    """The body comes back, named by the last part of the address, its query kept for the server."""
    site.says("/a/vertebral+column%20x.zip?v=1", body=b"content")
    fetched = web(site).fetch(f"https://{HOST}/a/vertebral+column%20x.zip?v=1")
    assert got(fetched) == (b"content", "vertebral+column x.zip", None)
    assert site.requests == [(HOST, "/a/vertebral+column%20x.zip?v=1")]


def test_redirects_within_the_allowed_hosts_are_followed(site: Site) -> None:
    """A relative and an absolute redirect lead to the file; its name stays the address's own."""
    site.says("/a.csv", 302, Location="/b")
    site.says("/b", 308, Location=f"https://{HOST}/c")
    site.says("/c", body=b"x")
    assert got(web(site).fetch(f"https://{HOST}/a.csv")) == (b"x", "a.csv", None)


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/b",
        f"http://{HOST}/b",
        f"https://{HOST}:8443/b",
        f"https://{HOST}@elsewhere.example/b",
        f"https://user@{HOST}/b",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "//elsewhere.example/b",
    ],
)
def test_a_redirect_elsewhere_is_refused(site: Site, location: str) -> None:
    """Each hop is checked as the first address is."""
    site.says("/a", 301, Location=location)
    with pytest.raises(fetch.SourceNotAllowedError):
        web(site).fetch(f"https://{HOST}/a")
    assert len(site.requests) == 1


def test_redirects_without_end_are_refused(site: Site) -> None:
    """A loop of redirects ends after five."""
    site.says("/a", 302, Location="/a")
    with pytest.raises(fetch.SourceNotAllowedError, match="redirects more than 5 times"):
        web(site).fetch(f"https://{HOST}/a")
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (f"http://{HOST}/a", "plain https"),
        (f"ftp://{HOST}/a", "plain https"),
        (f"https://user:secret@{HOST}/a", "plain https"),
        (f"https://{HOST}:444/a", "plain https"),
        (f"https://{HOST}:nonsense/a", "not an address"),
        ("https://[::1/a", "not an address"),
        ("https://elsewhere.example/a", "only data.example may be opened"),
        (f"https://{HOST}.elsewhere.example/a", "source_hosts"),
        ("https://127.0.0.1/a", "uploads/"),
        ("https:///a", "host None"),
    ],
)
def test_other_addresses_are_refused_before_connecting(uri: str, says: str) -> None:
    """Only plain https on an allowed host is opened; the message says what to do instead."""
    with pytest.raises(fetch.SourceNotAllowedError, match=says):
        web().fetch(uri)


@pytest.mark.parametrize(
    "uri",
    [
        f"https://me:hunter2@{HOST}/a",
        "https://me:hunter2@data\u2100.example/a",
        "https://me:hunter2@[::1/a",
        f"https://me:hunter2/x@{HOST}/a",
        f"https://me:x/hunter2@{HOST}/a",
        f"https:/me:hunter2@{HOST}/a",
        f"https:\\\\me:hunter2@{HOST}/a",
    ],
)
def test_no_password_of_an_address_is_shown_that_cannot_be_read(uri: str) -> None:
    """Nor in the words of the library that could not read it."""
    with pytest.raises(fetch.SourceNotAllowedError) as caught:
        web().fetch(uri)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104 (refused, not bound)
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0"),
        *("fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::1"),
    ],
)
def test_a_host_with_an_address_that_is_not_public_is_refused(address: str) -> None:
    """An allowed name that resolves inside, even among public addresses, is not connected to."""
    inside = web(resolve=lambda host: [PUBLIC, address])
    with pytest.raises(fetch.SourceNotAllowedError, match="not on the public internet"):
        inside.fetch(f"https://{HOST}/a")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    """IPv4, IPv6, and IPv4 through NAT64."""
    assert fetch.is_public(address)


def test_the_resolver_gives_addresses() -> None:
    """A numeric host resolves to itself, without a network."""
    assert fetch.resolve("127.0.0.1") == ["127.0.0.1"]


def test_a_download_goes_on_where_it_stopped(site: Site) -> None:
    """With a strong ETag the rest is asked for, on condition that the file is still the same."""
    site.says("/a", body=b"abc", Content_Length="8", ETag='"v1"')
    site.says("/a", 206, body=b"defgh", Content_Range="bytes 3-7/8", ETag='"v1"')
    assert web(site).fetch(f"https://{HOST}/a").file.read() == b"abcdefgh"
    assert "Range" not in site.headers[0]
    assert (site.headers[1]["Range"], site.headers[1]["If-Range"]) == ("bytes=3-", '"v1"')


def test_a_file_that_changed_meanwhile_is_fetched_anew(site: Site) -> None:
    """A server that answers with the whole file gives the whole file, nothing of the old one."""
    site.says("/a", body=b"old", Content_Length="8", ETag='"v1"')
    site.says("/a", body=b"renewed", ETag='"v2"')
    assert web(site).fetch(f"https://{HOST}/a").file.read() == b"renewed"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(site: Site, status: int) -> None:
    """A server that recovers within the tries gives the file, after growing waits."""
    time = Time()
    site.says("/a", status)
    site.says("/a", status)
    site.says("/a", body=b"x")
    assert web(site, time).fetch(f"https://{HOST}/a").file.read() == b"x"
    assert time.slept == [1, 2]


def test_a_short_body_is_tried_again(site: Site) -> None:
    """Fewer bytes than announced are not taken for the file."""
    site.says("/a", body=b"half", Content_Length="8")
    site.says("/a", body=b"complete", Content_Length="8")
    assert web(site).fetch(f"https://{HOST}/a").file.read() == b"complete"


def test_a_source_that_stays_away_is_unreachable(site: Site) -> None:
    """After four tries the error carries the last reason and the way around."""
    time = Time()
    site.says("/a", 503)
    with pytest.raises(fetch.SourceUnreachableError, match=r"answered 503.*s3://"):
        web(site, time).fetch(f"https://{HOST}/a")
    assert time.slept == [1, 2, 4]


def test_an_unknown_host_is_unreachable() -> None:
    """A resolver that fails counts as a passing failure."""

    def unknown(host: str) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(fetch.SourceUnreachableError, match="not known"):
        web(resolve=unknown).fetch(f"https://{HOST}/a")
    with pytest.raises(fetch.SourceUnreachableError, match="has no address"):
        web(resolve=lambda host: []).fetch(f"https://{HOST}/a")


def test_another_address_is_tried_when_the_first_refuses(site: Site) -> None:
    """Addresses of one host are tried in turn within one attempt."""

    class Refusing(http.client.HTTPConnection):
        def connect(self) -> None:
            raise ConnectionRefusedError("refused")

    plain = web(site).connect
    tried = []

    def connect(host: str, address: str, timeout: float) -> http.client.HTTPConnection:
        tried.append(address)
        connection: http.client.HTTPConnection = (
            plain(host, address, timeout) if address == PUBLIC else Refusing(host)
        )
        return connection

    site.says("/a", body=b"x")
    time = Time()
    two = web(site, time, connect=connect, resolve=lambda host: ["2606:2800::1", PUBLIC])
    assert two.fetch(f"https://{HOST}/a").file.read() == b"x"
    assert tried == ["2606:2800::1", PUBLIC]
    assert time.slept == []


def test_the_time_for_all_tries_is_bounded(site: Site) -> None:
    """No try begins, and no read goes on, after the time is up."""
    time = Time()
    site.says("/a", 503)
    with pytest.raises(fetch.SourceUnreachableError, match="503"):
        web(site, time, seconds=2.5, attempts=10).fetch(f"https://{HOST}/a")
    assert time.now == 2.5
    assert len(site.requests) == 2

    site.says("/slow", body=b"x" * 3_000_000)
    ticks = iter(range(100))
    slow = web(site, clock=lambda: float(next(ticks)), seconds=3, attempts=1)
    with pytest.raises(fetch.SourceUnreachableError, match="bytes arrived within 3 s"):
        slow.fetch(f"https://{HOST}/slow")


def test_a_silent_server_is_given_up() -> None:
    """A server that accepts and never answers costs one read time-out a try."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = Site(silent.getsockname()[1])
        waiting = web(place, read_seconds=0.05, attempts=2)
        with pytest.raises(fetch.SourceUnreachableError, match="timed out"):
            waiting.fetch(f"https://{HOST}/a")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, "SourceNotFoundError"),
        (410, "SourceNotFoundError"),
        (401, "SourceDeniedError"),
        (403, "SourceDeniedError"),
        (204, "SourceNotAllowedError"),
        (300, "SourceNotAllowedError"),
        (451, "SourceNotAllowedError"),
    ],
)
def test_lasting_refusals_are_not_tried_again(site: Site, status: int, error: str) -> None:
    """What another try cannot mend fails at once, under a name of its own."""
    site.says("/a", status)
    with pytest.raises(getattr(fetch, error), match=str(status)):
        web(site).fetch(f"https://{HOST}/a")
    assert len(site.requests) == 1


@pytest.mark.parametrize("announced", ["", "1001"])
def test_a_source_too_large_is_refused(site: Site, announced: str) -> None:
    """The limit holds for the announced size and, without one, for what arrives."""
    site.says("/a", body=b"x" * 1001, Content_Length=announced)
    with pytest.raises(fetch.SourceTooLargeError, match=r"more than 1,000 bytes.*Compress"):
        web(site, max_bytes=1000).fetch(f"https://{HOST}/a")
    assert len(site.requests) == 1


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a self-signed certificate for a name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file


@pytest.mark.parametrize(
    ("name", "trusted"), [(HOST, True), ("other.example", True), (HOST, False)]
)
def test_the_certificate_must_be_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool
) -> None:
    """TLS goes to the checked address and still demands a trusted certificate of the host."""
    certificate_file, key_file = certificate(tmp_path, name)
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate_file, key_file)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        try:
            with server_tls.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        except OSError:
            connection.close()  # the client hung up, as two of the cases expect

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()

        def connect(host: str, address: str, timeout: float) -> http.client.HTTPConnection:
            connection: http.client.HTTPConnection = load("common.connections").PinnedConnection(
                host, address, timeout
            )
            connection.port = port
            return connection

        local = web(
            connect=connect, resolve=lambda host: ["127.0.0.1"], allowed=lambda address: True
        )
        try:
            if trusted and name == HOST:
                assert local.fetch(f"https://{HOST}/a").file.read() == b"hi"
            else:
                with pytest.raises(fetch.SourceNotAllowedError, match=r"does not prove its name"):
                    local.fetch(f"https://{HOST}/a")
        finally:
            thread.join()
