"""S3 addresses, and reading and writing whole objects."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import IO, TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as AwsConnectionError
from urllib3.exceptions import HTTPError

from . import aws
from .errors import SpineError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_SCHEME = "s3://"
_PIECE = 1 << 20
# boto3 itself goes over to parts of this size.
_ONE_PART = 8 << 20
# Of one object: the first and those that go on where the one before it stopped.
_TRIES = 4
# How a connection ends before its body does. boto3 repeats no call whose answer has begun, and
# hands on what urllib3 and the sockets below it raise, but for two errors that it names.
DROPPED = (AwsConnectionError, HTTPClientError, IncompleteReadError, HTTPError, OSError)


class S3AddressError(SpineError):
    """A text is not the address of an S3 object or folder."""


class ObjectUnreachableError(SpineError):
    """An object did not come whole, try after try; trying again later may help."""


class Location(NamedTuple):
    """A bucket and a key; the key is "" for the bucket itself and ends in "/" for a folder."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The address as `s3://bucket/key`."""
        return f"{_SCHEME}{self.bucket}/{self.key}"

    def join(self, name: str) -> "Location":
        """Return the location of `name` inside this folder."""
        folder = self.key if self.key.endswith("/") or not self.key else f"{self.key}/"
        return Location(self.bucket, folder + name)


def parse_uri(uri: str) -> Location:
    """Split `s3://bucket/key`; the key may be empty.

    Raises:
        S3AddressError: The text does not start with `s3://` or names no bucket.
    """
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not bucket:
        raise S3AddressError(f"{uri!r} is not an S3 address. Give it as s3://bucket/key.")
    return Location(bucket, key)


class Stream:
    """An object that is being read; where a connection is lost, the next one goes on.

    Args:
        location: Where it is.
        version_id: Of which version; the newest without.

    Attributes:
        size: In bytes.
        version_id: Of what is read, when its bucket keeps versions.

    Raises:
        ClientError: S3 refuses it, for instance because there is none.
        BotoCoreError: S3 does not answer, or cannot be asked.
    """

    def __init__(self, location: Location, *, version_id: str | None = None) -> None:
        self._location = location
        self._request: GetObjectRequestTypeDef = {"Bucket": location.bucket, "Key": location.key}
        if version_id is not None:
            self._request["VersionId"] = version_id
        self._answer = aws.client("s3").get_object(**self._request)
        self.size = self._answer["ContentLength"]
        self.version_id = self._answer.get("VersionId")

    def pieces(self, longest: int = _PIECE) -> Generator[bytes]:
        """Yield the bytes from the beginning, so many at a time at most, once.

        Raises:
            ObjectUnreachableError: No try gave the rest, or the object changed meanwhile.
        """
        done, reason = 0, ""
        for attempt in range(_TRIES):
            try:
                with closing(self._rest(done) if attempt else self._answer["Body"]) as body:
                    while piece := body.read(longest):
                        done += len(piece)
                        yield piece
            except DROPPED as error:
                # Of the libraries' words some hold whole addresses.
                reason = type(error).__name__
            else:
                return
            if done == self.size:
                return
        raise ObjectUnreachableError(
            f"Only {done:,} of {self.size:,} bytes of {self._location.uri} arrived ({reason}). "
            "Run again."
        )

    def _rest(self, begin: int) -> "StreamingBody":
        rest: GetObjectRequestTypeDef = {
            **self._request,
            "Range": f"bytes={begin}-",
            "IfMatch": self._answer["ETag"],
        }
        try:
            return aws.client("s3").get_object(**rest)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            raise ObjectUnreachableError(
                f"{self._location.uri} was written anew while it was read. Run again."
            ) from error


def read(location: Location, *, version_id: str | None = None) -> bytes:
    """Return an object's bytes, of one version when `version_id` is given."""
    return b"".join(Stream(location, version_id=version_id).pieces())


def lines(location: Location) -> Iterator[bytes]:
    """Return an object's lines without their ends, a piece of it in memory at a time.

    It is asked for before the first line is: that there is none is known at once.
    """
    return _lines(Stream(location).pieces(_PIECE))


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    for piece in pieces:
        first, *more = piece.split(b"\n")
        begun.append(first)
        if more:
            yield b"".join(begun)
            *whole, last = more
            yield from whole
            begun = [last]
    if last_line := b"".join(begun):
        yield last_line


def size_below(folder: Location) -> int:
    """Return how many bytes the objects of a folder have."""
    pages = (
        aws.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=folder.bucket, Prefix=folder.key)
    )
    return sum(found["Size"] for page in pages for found in page.get("Contents", []))


def write(location: Location, content: bytes, *, content_type: str) -> None:
    """Write an object whole, replacing the current version."""
    aws.client("s3").put_object(
        Bucket=location.bucket, Key=location.key, Body=content, ContentType=content_type
    )


def write_file(location: Location, file: IO[bytes], *, content_type: str) -> None:
    """Write an object from a file, in parts when it is large, so that it is never all in memory."""
    size = file.seek(0, 2)
    file.seek(0)
    if size <= _ONE_PART:
        write(location, file.read(), content_type=content_type)
        return
    aws.client("s3").upload_fileobj(
        file, location.bucket, location.key, ExtraArgs={"ContentType": content_type}
    )
