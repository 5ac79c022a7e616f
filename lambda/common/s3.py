"""S3 addresses, and reading and writing whole objects."""

from collections.abc import Iterator
from typing import IO, NamedTuple, Protocol

from . import aws
from .errors import SpineError

_SCHEME = "s3://"
_PIECE = 1 << 20
# boto3 itself goes over to parts of this size.
_ONE_PART = 8 << 20


class S3AddressError(SpineError):
    """A text is not the address of an S3 object or folder."""


class Readable(Protocol):
    """What boto3 returns as the body of an object."""

    def read(self, amt: int | None = None) -> bytes:
        """Return at most `amt` bytes, or everything that is left."""


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


def read(location: Location, *, version_id: str | None = None) -> bytes:
    """Return an object's bytes, of one version when `version_id` is given."""
    client = aws.client("s3")
    if version_id is None:
        answer = client.get_object(Bucket=location.bucket, Key=location.key)
    else:
        answer = client.get_object(Bucket=location.bucket, Key=location.key, VersionId=version_id)
    body: Readable = answer["Body"]
    return body.read()


def lines(location: Location) -> Iterator[bytes]:
    """Return an object's lines without their ends, a piece of it in memory at a time.

    It is asked for before the first line is: that there is none is known at once.
    """
    answer = aws.client("s3").get_object(Bucket=location.bucket, Key=location.key)
    return _lines(answer["Body"])


def _lines(body: Readable) -> Iterator[bytes]:
    begun: list[bytes] = []
    while piece := body.read(_PIECE):
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
