"""Getting the source of a run: from allowed https hosts, or from S3.

Small sources stay in memory; larger ones go to the function's own disk, a chunk at a time.

An https address is checked before each connection, redirects included: scheme, host, and every
address the host resolves to. The connection goes to the address that was checked, so a second
resolution cannot lead elsewhere. Proxies of the environment are not used, for the same reason.
"""

import http.client
import ipaddress
import posixpath
import re
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from . import aws, s3
from .errors import SpineError

# Half of the 10 GiB of disk that a function can have: the files it writes take the other half.
MAX_BYTES = 4 << 30
# What stays in memory.
IN_MEMORY = 32 << 20

_CHUNK = 1 << 20
_HEADERS = {"User-Agent": "spine", "Accept": "*/*"}
_DIGITS = re.compile("[0-9]+")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BY_HAND = (
    "Download it yourself, upload it under uploads/ in the run's bucket, and set source.uri to its "
    "s3:// address."
)


class SourceUnreachableError(SpineError):
    """The source did not answer, or not whole; trying again later may help."""


class SourceNotFoundError(SpineError):
    """There is no such file, object or version."""


class SourceDeniedError(SpineError):
    """The source asks for permissions that this function does not have."""


class SourceNotAllowedError(SpineError):
    """The address, or one it leads to, is not one this function may open."""


class SourceTooLargeError(SpineError):
    """The source has more bytes than a function takes."""


class SourceArchivedError(SpineError):
    """The object is in a storage class that must be restored before it can be read."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A source that was fetched whole.

    Attributes:
        file: Its bytes, as they came; closing it frees them.
        name: The last part of its address.
        version_id: The version of the S3 object that was read, when its bucket keeps versions.
    """

    file: IO[bytes]
    name: str
    version_id: str | None = None


class _PinnedConnection(http.client.HTTPSConnection):
    """A TLS connection to an address, for a host whose certificate it must show."""

    def __init__(self, host: str, address: str, timeout: float) -> None:
        context = ssl.create_default_context()
        super().__init__(host, timeout=timeout, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        """Open the connection to the address given, whatever the host's name now resolves to."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def resolve(host: str) -> list[str]:
    """Return the addresses of a host.

    Raises:
        OSError: It has none, or the resolver does not answer.
    """
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Tell whether an address is on the public internet.

    Addresses that carry an IPv4 address in an IPv6 one count as the former where the mapping is
    plain, and as not public where a tunnel would decide.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            return is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
        if parsed.sixtofour is not None or parsed.teredo is not None:
            return False
    return parsed.is_global and not parsed.is_multicast


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How https sources are fetched.

    Attributes:
        hosts: Lower-case names of the hosts that may be opened.
        max_bytes: Largest body.
        attempts: Tries of the download; waits of 1, 2, 4 ... seconds lie between them. A try goes
            on where the one before it stopped, when the server says that the file is the same.
        seconds: Time for all tries together; no new read begins after it.
        read_seconds: Time for one connection, or one read, to give its first byte.
        redirects: Most redirects followed in one try.
        resolve: Host to addresses.
        allowed: Whether an address may be connected to.
        connect: Host, address and time-out to a connection.
        clock: Seconds that never go back.
        sleep: Waits so many seconds.
    """

    hosts: frozenset[str]
    max_bytes: int = MAX_BYTES
    attempts: int = 4
    seconds: float = 600.0
    read_seconds: float = 20.0
    redirects: int = 5
    resolve: Callable[[str], Iterable[str]] = resolve
    allowed: Callable[[str], bool] = is_public
    connect: Callable[[str, str, float], http.client.HTTPConnection] = _PinnedConnection
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def fetch(self, uri: str) -> Fetched:
        """Download a file.

        Raises:
            SourceUnreachableError: No try gave the whole file.
            SourceNotFoundError: The server answered 404 or 410.
            SourceDeniedError: The server answered 401 or 403.
            SourceNotAllowedError: The address, or one it leads to, is not allowed, or the server
                does not prove its name.
            SourceTooLargeError: The file has more than `max_bytes` bytes.
        """
        end = self.clock() + self.seconds
        download = _Download()
        reason = "no time was left to try"
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(min(2.0 ** (attempt - 1), max(0.0, end - self.clock())))
            if self.clock() >= end:
                break
            try:
                self._follow(uri, end, download)
            except ssl.SSLCertVerificationError as error:
                raise SourceNotAllowedError(
                    f"{uri} does not prove its name ({error.verify_message}). {_BY_HAND}"
                ) from error
            except (OSError, http.client.HTTPException, _PassingError) as error:
                reason = f"{type(error).__name__}: {error}".removeprefix("_PassingError: ")
            else:
                download.file.seek(0)
                return Fetched(download.file, _name(urlsplit(uri).path))
        download.file.close()
        raise SourceUnreachableError(f"{uri} could not be fetched ({reason}). {_BY_HAND}")

    def size(self, uri: str) -> int | None:
        """Ask for a file's size in bytes, once; None where the server does not say it.

        Raises:
            SourceNotAllowedError: The address, or one it leads to, is not allowed.
            OSError: The host has no address, or does not answer.
            http.client.HTTPException: It does not answer in HTTP.
        """
        address = uri
        for _ in range(self.redirects + 1):
            target = self._check(address)
            connection = self._open(target)
            try:
                query = f"?{target.query}" if target.query else ""
                connection.request("HEAD", (target.path or "/") + query, headers=_HEADERS)
                answer = connection.getresponse()
                if answer.status in _REDIRECTS and answer.headers["Location"]:
                    address = urljoin(address, answer.headers["Location"])
                    continue
                declared = answer.headers["Content-Length"] if answer.status == 200 else None
                return int(declared) if declared and _DIGITS.fullmatch(declared) else None
            finally:
                connection.close()
        return None

    def _follow(self, uri: str, end: float, download: "_Download") -> None:
        """Download once, following redirects."""
        address = uri
        for _ in range(self.redirects + 1):
            target = self._check(address)
            connection = self._open(target)
            try:
                path = target.path or "/"
                query = f"?{target.query}" if target.query else ""
                headers = {**_HEADERS, **download.resumption()}
                connection.request("GET", path + query, headers=headers)
                answer = connection.getresponse()
                location = answer.headers["Location"]
                if answer.status in _REDIRECTS and location:
                    address = urljoin(address, location)
                    continue
                _check_status(uri, answer.status, resumed=bool(download.resumption()))
                self._read(uri, answer, end, download)
                return
            finally:
                connection.close()
        raise SourceNotAllowedError(
            f"{uri} redirects more than {self.redirects} times. Set source.uri to where it ends."
        )

    def _check(self, address: str) -> SplitResult:
        """Return the parts of an address that may be opened."""
        try:
            target = urlsplit(address)
            port = target.port
        except ValueError as error:
            raise SourceNotAllowedError(
                f"{address} is not an address ({error}). Set source.uri to an https address."
            ) from error
        if target.scheme != "https" or target.username is not None or port not in (None, 443):
            raise SourceNotAllowedError(
                f"{address} is not a plain https address. Use https, without a user name or a port."
            )
        if target.hostname not in self.hosts:
            raise SourceNotAllowedError(
                f"{address} is on the host {target.hostname}, and only "
                f"{', '.join(sorted(self.hosts)) or 'none'} may be opened. {_BY_HAND} "
                "Or add the host to the source_hosts setting and deploy."
            )
        return target

    def _open(self, target: SplitResult) -> http.client.HTTPConnection:
        host = str(target.hostname)
        addresses = list(self.resolve(host))
        for address in addresses:
            if not self.allowed(address):
                raise SourceNotAllowedError(
                    f"{host} resolves to {address}, which is not on the public internet. {_BY_HAND}"
                )
        failure = OSError(f"{host} has no address")
        for address in addresses:
            connection = self.connect(host, address, self.read_seconds)
            try:
                connection.connect()
            except ssl.SSLCertVerificationError:
                raise
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure

    def _read(
        self, uri: str, answer: http.client.HTTPResponse, end: float, download: "_Download"
    ) -> None:
        expected = download.begin(answer)
        self._check_size(uri, expected or 0)
        while chunk := answer.read(_CHUNK):
            download.file.write(chunk)
            size = download.file.tell()
            self._check_size(uri, size)
            if self.clock() >= end:
                raise _PassingError(f"only {size:,} bytes arrived within {self.seconds:g} s")
        size = download.file.tell()
        if expected is not None and size < expected:
            raise _PassingError(f"only {size:,} of {expected:,} bytes arrived")

    def _check_size(self, uri: str, size: int) -> None:
        if size > self.max_bytes:
            raise _too_large(uri, self.max_bytes)


class _PassingError(Exception):
    """A failure of one try."""


class _Download:
    """What has arrived of a file, and what proves that the rest belongs to it.

    A strong ETag changes with every byte of the file (RFC 9110, 8.8.1); without one, a try begins
    anew.
    """

    _RANGE = re.compile(r"bytes ([0-9]+)-[0-9]+/(?:[0-9]+|\*)")

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (handed on)
        self._tag: str | None = None

    def resumption(self) -> dict[str, str]:
        """Return the headers that ask for the rest, none when everything is wanted."""
        size = self.file.tell()
        if not size or self._tag is None:
            return {}
        return {"Range": f"bytes={size}-", "If-Range": self._tag}

    def begin(self, answer: http.client.HTTPResponse) -> int | None:
        """Go on, or begin anew, as the server answered; return the whole size where it says it.

        Raises:
            _PassingError: The server sends another part than was asked for.
        """
        if answer.status == 206:
            found = self._RANGE.fullmatch(answer.headers["Content-Range"] or "")
            if found is None or int(found[1]) != self.file.tell():
                self._restart()
                raise _PassingError("the server sent another part of the file than asked for")
        else:
            self._restart()
        tag = answer.headers["ETag"]
        self._tag = tag if tag and tag.startswith('"') else None
        declared = answer.headers["Content-Length"]
        if not (declared and declared.isascii() and declared.isdigit()):
            return None
        return self.file.tell() + int(declared)

    def _restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self._tag = None


def _check_status(uri: str, status: int, *, resumed: bool) -> None:
    if status == 206 and resumed:
        return
    if status in _PASSING:
        raise _PassingError(f"the server answered {status}")
    if status in (404, 410):
        raise SourceNotFoundError(
            f"{uri} does not exist (the server answered {status}). Correct source.uri."
        )
    if status in (401, 403):
        raise SourceDeniedError(f"{uri} may not be read (the server answered {status}). {_BY_HAND}")
    if status != 200:
        raise SourceNotAllowedError(
            f"{uri} cannot be fetched (the server answered {status}). {_BY_HAND}"
        )


def _too_large(uri: str, limit: int) -> SourceTooLargeError:
    return SourceTooLargeError(
        f"{uri} has more than {limit:,} bytes, the most this engine takes. Compress it (zip or "
        'gzip), sample its rows, or set preparation.engine to "processing" or "spark".'
    )


def _name(path: str) -> str:
    return unquote(posixpath.basename(path)) or "source"


def from_s3(uri: str, *, version_id: str | None = None, max_bytes: int = MAX_BYTES) -> Fetched:
    """Read an S3 object, of the version given or the newest.

    Raises:
        SourceUnreachableError: S3 failed, or the body stopped short.
        SourceNotFoundError: The bucket, key or version does not exist.
        SourceDeniedError: The function's role may not read it.
        SourceTooLargeError: It has more than `max_bytes` bytes.
        SourceArchivedError: It must be restored first.
    """
    place = s3.parse_uri(uri)
    request: dict[str, Any] = {"Bucket": place.bucket, "Key": place.key}
    if version_id is not None:
        request["VersionId"] = version_id
    try:
        answer = aws.client("s3").get_object(**request)
        if answer["ContentLength"] > max_bytes:
            raise _too_large(uri, max_bytes)
        file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (handed on)
        while chunk := answer["Body"].read(_CHUNK):
            file.write(chunk)
    except ClientError as error:
        raise _from_client_error(uri, version_id, error) from error
    except (HTTPClientError, IncompleteReadError) as error:
        raise SourceUnreachableError(f"{uri} could not be read ({error}). Run again.") from error
    file.seek(0)
    return Fetched(file, _name(place.key), answer.get("VersionId"))


def size_in_s3(uri: str, *, version_id: str | None = None) -> int:
    """Return the size of an S3 object in bytes, of the version given or the newest.

    Raises:
        SourceUnreachableError: S3 failed.
        SourceNotFoundError: The bucket, key or version does not exist.
        SourceDeniedError: The function's role may not read it.
    """
    place = s3.parse_uri(uri)
    request: dict[str, Any] = {"Bucket": place.bucket, "Key": place.key}
    if version_id is not None:
        request["VersionId"] = version_id
    try:
        return int(aws.client("s3").head_object(**request)["ContentLength"])
    except ClientError as error:
        raise _from_client_error(uri, version_id, error) from error
    except HTTPClientError as error:
        raise SourceUnreachableError(f"{uri} could not be read ({error}). Run again.") from error


def _from_client_error(uri: str, version_id: str | None, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    version = f" version {version_id}" if version_id is not None else ""
    if code in ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404", "MethodNotAllowed") or (
        # What S3 answers when a version id is not even well formed.
        code == "InvalidArgument" and version_id is not None
    ):
        return SourceNotFoundError(
            f"{uri}{version} does not exist ({code}). Correct source.uri or source.version_id."
        )
    if code in ("AccessDenied", "403"):
        # S3 also answers so for a missing key when the bucket may not be listed.
        return SourceDeniedError(
            f"{uri}{version} may not be read, or does not exist ({code}). Put it under uploads/ in "
            "the run's bucket, or add its bucket to the source_buckets setting and deploy."
        )
    if code == "InvalidObjectState":
        return SourceArchivedError(
            f"{uri}{version} is in an archive storage class. Restore the object, then run again."
        )
    if status >= 500 or code in ("SlowDown", "RequestTimeout"):
        return SourceUnreachableError(f"{uri} could not be read ({code}). Run again.")
    return error
