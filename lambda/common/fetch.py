"""Getting the source of a run: from allowed https hosts, or from S3.

Small sources stay in memory; larger ones go to the function's own disk, a chunk at a time.

An https address is checked before each connection, redirects included: scheme, host, and every
address the host resolves to. The connection goes to the address that was checked, so a second
resolution cannot lead elsewhere. Proxies of the environment are not used, for the same reason.
"""

import http.client
import posixpath
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from . import aws, s3
from .addresses import ascii_host, encoded, is_public, location, shown
from .connections import Deadline, PinnedConnection, TimedSocket, resolve, resolved_within
from .downloads import IN_MEMORY, Download, PassingError, declared, unknown_packing
from .errors import SpineError

# Half of the 10 GiB of disk that a function can have: the files it writes take the other half.
MAX_BYTES = 4 << 30
ATTEMPTS = 4
_CHUNK = 1 << 20
_HEADERS = {"User-Agent": "spine", "Accept": "*/*"}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How https sources are fetched.

    Attributes:
        hosts: Lower-case names of the hosts that may be opened.
        max_bytes: Largest body.
        attempts: Tries of the download; waits of 1, 2, 4 ... seconds lie between them. A try goes
            on where the one before it stopped, when the server says that the file is the same.
        seconds: Time for everything together: names, connections, TLS, headers, bodies, tries.
        read_seconds: Time of it for one connection, or one read, to give its first byte.
        redirects: Most redirects followed in one try.
        resolve: Host to addresses.
        allowed: Whether an address may be connected to.
        connect: Host, address and time-out to a connection.
        clock: Seconds that never go back.
        sleep: Waits so many seconds.
    """

    hosts: frozenset[str]
    max_bytes: int = MAX_BYTES
    attempts: int = ATTEMPTS
    seconds: float = 600.0
    read_seconds: float = 20.0
    redirects: int = 5
    resolve: Callable[[str], Iterable[str]] = resolve
    allowed: Callable[[str], bool] = is_public
    connect: Callable[[str, str, float], http.client.HTTPConnection] = PinnedConnection
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def fetch(self, uri: str) -> Fetched:
        """Download a file.

        Raises:
            SourceUnreachableError: No try gave the whole file.
            SourceNotFoundError: The server answered 404 or 410.
            SourceDeniedError: The server answered 401 or 403.
            SourceNotAllowedError: The address, or one it leads to, is not allowed, or the server
                does not prove its name, or answers what no further try mends.
            SourceTooLargeError: The file has more than `max_bytes` bytes.
        """
        deadline = self._deadline()
        download = Download()
        reason = "no time was left to try"
        try:
            for attempt in range(self.attempts):
                if attempt:
                    self.sleep(min(2.0 ** (attempt - 1), max(0.0, deadline.end - self.clock())))
                if deadline.is_over:
                    break
                try:
                    self._download(uri, deadline, download)
                except PassingError as error:
                    reason = str(error)
                else:
                    download.file.seek(0)
                    return Fetched(download.file, _name(urlsplit(uri).path))
        except SpineError:
            download.file.close()
            raise
        download.file.close()
        raise SourceUnreachableError(f"{shown(uri)} could not be fetched ({reason}). {_BY_HAND}")

    def size(self, uri: str) -> int | None:
        """Ask for a file's size in bytes, once; None where the server does not say it.

        Raises:
            SourceNotAllowedError: The address, or one it leads to, is not allowed.
            SourceUnreachableError: The server does not answer, or not in HTTP.
        """
        try:
            with self._answer(uri, "HEAD", {}, self._deadline()) as answer:
                return declared(answer) if answer.status == 200 else None
        except PassingError as error:
            raise SourceUnreachableError(f"{shown(uri)} does not answer ({error}).") from error

    def _deadline(self) -> Deadline:
        return Deadline(end=self.clock() + self.seconds, each=self.read_seconds, clock=self.clock)

    def _download(self, uri: str, deadline: Deadline, download: Download) -> None:
        """Try once."""
        asked = download.resumption()
        try:
            with self._answer(uri, "GET", asked, deadline) as answer:
                if answer.status == 416 and asked:
                    # The file has become shorter than what arrived of it.
                    download.restart()
                _check_status(uri, answer.status, resumed=bool(asked))
                self._read(uri, answer, download)
        except PassingError as error:
            if deadline.is_over:
                size = download.file.tell()
                raise PassingError(
                    f"only {size:,} bytes arrived within {self.seconds:g} s"
                ) from error
            raise

    @contextmanager
    def _answer(
        self, uri: str, method: str, headers: dict[str, str], deadline: Deadline
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer at the end of all redirects, each of whose addresses is checked.

        Raises:
            PassingError: The server, or the body of the `with`, fails as servers do.
        """
        address = uri
        for _ in range(self.redirects + 1):
            target = self._check(address)
            with _passing(uri):
                connection = self._open(target, deadline)
                try:
                    query = f"?{target.query}" if target.query else ""
                    path = (target.path or "/") + query
                    connection.request(method, path, headers={**_HEADERS, **headers})
                    answer = connection.getresponse()
                    redirect = answer.headers["Location"]
                    if answer.status not in _REDIRECTS or not redirect:
                        _check_framing(uri, answer)
                        yield answer
                        return
                finally:
                    connection.close()
            address = _redirected(uri, address, redirect)
        raise SourceNotAllowedError(
            f"{shown(uri)} redirects more than {self.redirects} times. Set source.uri to where it "
            "ends."
        )

    def _check(self, address: str) -> SplitResult:
        """Return the parts of an address that may be opened, as servers take them."""
        try:
            target = urlsplit(encoded(address))
            port = target.port
        except ValueError:
            # The library's words hold what it could not read, passwords too.
            raise SourceNotAllowedError(
                f"{shown(address)} is not an address. Set source.uri to an https address, its host "
                "in plain letters."
            ) from None
        if target.scheme != "https" or target.username is not None or port not in (None, 443):
            raise SourceNotAllowedError(
                f"{shown(address)} is not a plain https address. Use https, without a user name or "
                "a port."
            )
        if str(target.hostname) not in map(ascii_host, self.hosts):
            raise SourceNotAllowedError(
                f"{shown(address)} is on the host {target.hostname}, and only "
                f"{', '.join(sorted(self.hosts)) or 'none'} may be opened. {_BY_HAND} "
                "Or add the host to the source_hosts setting and deploy."
            )
        return target

    def _open(self, target: SplitResult, deadline: Deadline) -> http.client.HTTPConnection:
        host = str(target.hostname)
        addresses = resolved_within(deadline.left(), self.resolve, host)
        for address in addresses:
            if not self.allowed(address):
                raise SourceNotAllowedError(
                    f"{host} resolves to {address}, which is not on the public internet. {_BY_HAND}"
                )
        failure = OSError(f"{host} has no address")
        for address in addresses:
            connection = self.connect(host, address, deadline.left())
            try:
                connection.connect()
            except ssl.SSLCertVerificationError:
                raise
            except OSError as error:
                failure = error
            else:
                # http.client asks no more of it than a timed one has.
                connection.sock = cast("socket.socket", TimedSocket(connection.sock, deadline))
                return connection
        raise failure

    def _read(self, uri: str, answer: http.client.HTTPResponse, download: Download) -> None:
        expected = download.begin(answer)
        self._check_size(uri, expected or 0)
        while chunk := answer.read1(_CHUNK):
            if answer.chunked and isinstance(answer.chunk_left, int) and answer.chunk_left < 0:
                raise PassingError("a chunk of the body has a negative length")
            download.file.write(chunk)
            self._check_size(uri, download.file.tell())
        size = download.file.tell()
        if expected is not None and size < expected:
            raise PassingError(f"only {size:,} of {expected:,} bytes arrived")
        if expected is not None and size > expected:
            # http.client reads no length of a list such as "5, 5", and takes what comes.
            download.restart()
            raise PassingError(f"{size:,} bytes arrived where {expected:,} were said")

    def _check_size(self, uri: str, size: int) -> None:
        if size > self.max_bytes:
            raise too_large(uri, self.max_bytes)


@contextmanager
def _passing(uri: str) -> Iterator[None]:
    """Name what a server can do wrong: everything that it sends is read inside.

    Raises:
        SourceNotAllowedError: It does not prove its name.
        PassingError: It does anything else that is not HTTP, or nothing.
    """
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise SourceNotAllowedError(
            f"{shown(uri)} does not prove its name ({error.verify_message}). {_BY_HAND}"
        ) from error
    except OSError as error:
        raise PassingError(f"{type(error).__name__}: {error}") from error
    except (http.client.HTTPException, ValueError) as error:
        # Their words are the server's own, or hold the whole address.
        kind = type(error).__name__
        raise PassingError(f"the server does not answer in HTTP: {kind}") from error


def _check_framing(uri: str, answer: http.client.HTTPResponse) -> None:
    """Refuse an answer of which nobody can tell where the file begins and ends.

    Raises:
        PassingError: Its headers contradict each other, or are none.
        SourceNotAllowedError: The file is packed in a way that was not asked for.
    """
    if answer.headers.defects:
        raise PassingError("the server does not answer in HTTP: malformed headers")
    packing = unknown_packing(answer)
    if packing is not None:
        raise SourceNotAllowedError(
            f"{shown(uri)} cannot be fetched (the server packs it as {packing[:20]!a}, which was "
            f"not asked for). {_BY_HAND}"
        )
    declared(answer)


def _redirected(uri: str, address: str, header: str) -> str:
    """Return where a redirect leads."""
    try:
        return urljoin(encoded(address), location(header))
    except ValueError:
        raise SourceNotAllowedError(
            f"{shown(uri)} redirects to what is no address. {_BY_HAND}"
        ) from None


def _check_status(uri: str, status: int, *, resumed: bool) -> None:
    if status == 206 and resumed:
        return
    if status in _PASSING or (status == 416 and resumed):
        raise PassingError(f"the server answered {status}")
    if status in (404, 410):
        raise SourceNotFoundError(
            f"{shown(uri)} does not exist (the server answered {status}). Correct source.uri."
        )
    if status in (401, 403):
        raise SourceDeniedError(
            f"{shown(uri)} may not be read (the server answered {status}). {_BY_HAND}"
        )
    if status != 200:
        raise SourceNotAllowedError(
            f"{shown(uri)} cannot be fetched (the server answered {status}). {_BY_HAND}"
        )


def too_large(uri: str, limit: int) -> SourceTooLargeError:
    """Return the refusal of more bytes than an engine takes."""
    return SourceTooLargeError(
        f"{shown(uri)} has more than {limit:,} bytes, the most this engine takes. Compress it (zip "
        'or gzip), sample its rows, or set preparation.engine to "processing" or "spark".'
    )


def _name(path: str) -> str:
    return unquote(posixpath.basename(path)) or "source"


def from_s3(uri: str, *, version_id: str | None = None, max_bytes: int = MAX_BYTES) -> Fetched:
    """Read an S3 object, of the version given or the newest.

    Raises:
        SourceUnreachableError: S3 failed or did not answer, or the body stopped short.
        SourceNotFoundError: The bucket, key or version does not exist.
        SourceDeniedError: The function's role may not read it, or the function has no credentials.
        SourceNotAllowedError: The address is none that S3 can be asked for.
        SourceTooLargeError: It has more than `max_bytes` bytes.
        SourceArchivedError: It must be restored first.
    """
    place = s3.parse_uri(uri)
    try:
        stream = s3.Stream(place, version_id=version_id)
        if stream.size > max_bytes:
            raise too_large(uri, max_bytes)
        file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (handed on)
        for chunk in stream.pieces(_CHUNK):
            file.write(chunk)
    except s3.ObjectUnreachableError as error:
        raise SourceUnreachableError(str(error)) from error
    except ClientError as error:
        raise from_client_error(uri, version_id, error) from error
    except BotoCoreError as error:
        raise from_botocore_error(uri, error) from error
    file.seek(0)
    return Fetched(file, _name(place.key), stream.version_id)


def size_in_s3(uri: str, *, version_id: str | None = None) -> int:
    """Return the size of an S3 object in bytes, of the version given or the newest.

    Raises:
        SourceUnreachableError: S3 failed or did not answer.
        SourceNotFoundError: The bucket, key or version does not exist.
        SourceDeniedError: The function's role may not read it, or the function has no credentials.
        SourceNotAllowedError: The address is none that S3 can be asked for.
    """
    place = s3.parse_uri(uri)
    request: dict[str, Any] = {"Bucket": place.bucket, "Key": place.key}
    if version_id is not None:
        request["VersionId"] = version_id
    try:
        return int(aws.client("s3").head_object(**request)["ContentLength"])
    except ClientError as error:
        raise from_client_error(uri, version_id, error) from error
    except BotoCoreError as error:
        raise from_botocore_error(uri, error) from error


def from_botocore_error(uri: str, error: BotoCoreError) -> SpineError:
    """Name what went wrong before S3 answered, or while; the library's words may hold addresses."""
    kind = type(error).__name__
    if isinstance(error, s3.DROPPED):
        return SourceUnreachableError(f"{shown(uri)} could not be read ({kind}). Run again.")
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return SourceDeniedError(
            f"{shown(uri)} may not be read: the function has no credentials ({kind}). Correct its "
            "role, then run again."
        )
    return SourceNotAllowedError(
        f"{shown(uri)} cannot be asked for ({kind}). Correct source.uri or source.version_id."
    )


def from_client_error(uri: str, version_id: str | None, error: ClientError) -> Exception:
    """Name what S3 answers, where it is known; what is not is returned as it is."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    what = shown(uri) + (f" version {version_id}" if version_id is not None else "")
    if code in ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404", "MethodNotAllowed") or (
        # What S3 answers when a version id is not even well formed; a HEAD has no body to say it.
        code in ("InvalidArgument", "400") and version_id is not None
    ):
        return SourceNotFoundError(
            f"{what} does not exist ({code}). Correct source.uri or source.version_id."
        )
    if code in ("AccessDenied", "403"):
        # S3 also answers so for a missing key when the bucket may not be listed.
        return SourceDeniedError(
            f"{what} may not be read, or does not exist ({code}). Put it under uploads/ in "
            "the run's bucket, or add its bucket to the source_buckets setting and deploy."
        )
    if code == "InvalidObjectState":
        return SourceArchivedError(
            f"{what} is in an archive storage class. Restore the object, then run again."
        )
    if status >= 500 or code in ("SlowDown", "RequestTimeout"):
        return SourceUnreachableError(f"{shown(uri)} could not be read ({code}). Run again.")
    return error
