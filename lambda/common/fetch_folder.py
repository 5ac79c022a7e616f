"""Getting a folder of S3: the objects below a prefix, as one archive.

The archive is a zip whose members are stored as they are, in the order of their names: what reads
archives reads folders, on every engine.
"""

import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from . import aws, fetch, s3
from .addresses import shown
from .downloads import IN_MEMORY

# More than a table is cut into; a request is paid for each.
MOST_FILES = 10_000
_CHUNK = 1 << 20
# Objects that are asked for before the one ahead of them has arrived: S3 answers after some 30 ms.
_AHEAD = 8


class Listed(NamedTuple):
    """An object of a folder.

    Attributes:
        path: Its key below the folder.
        size: Its bytes.
        etag: What changes with its content.
        version_id: The version that was read; None before, and where the bucket keeps none.
    """

    path: str
    size: int
    etag: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class FetchedFolder:
    """A folder that was fetched whole.

    Attributes:
        file: A zip of its objects; closing it frees them.
        name: The last part of its address.
        objects: What was read.
    """

    file: IO[bytes]
    name: str
    objects: tuple[Listed, ...]


def listed(uri: str) -> list[Listed]:
    """List the objects below a folder that have a byte, by their names.

    Raises:
        SourceNotFoundError: There is none, or no such bucket.
        SourceTooLargeError: There are more than are read as one.
        SourceUnreachableError: S3 failed or did not answer.
        SourceDeniedError: The role may not list the bucket, or the function has no credentials.
        SourceNotAllowedError: The address is none that S3 can be asked for.
    """
    folder = s3.parse_uri(uri)
    found: list[Listed] = []
    try:
        pages = (
            aws.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=folder.bucket, Prefix=folder.key)
        )
        for page in pages:
            found += [
                Listed(each["Key"].removeprefix(folder.key), each["Size"], each.get("ETag", ""))
                for each in page.get("Contents", [])
                if each["Size"] and not each["Key"].endswith("/")
            ]
            if len(found) > MOST_FILES:
                raise fetch.SourceTooLargeError(
                    f"{shown(uri)} holds more than {MOST_FILES:,} files. Join them to fewer and "
                    "larger ones."
                )
    except ClientError as error:
        raise fetch.from_client_error(uri, None, error) from error
    except BotoCoreError as error:
        raise fetch.from_botocore_error(uri, error) from error
    if not found:
        raise fetch.SourceNotFoundError(
            f"{shown(uri)} holds no file with a byte in it. Correct source.uri."
        )
    return sorted(found)


def from_s3(
    uri: str, *, wanted: Callable[[Sequence[str]], list[str]], max_bytes: int
) -> FetchedFolder:
    """Read the objects below a folder.

    Args:
        uri: Its address, which ends with a slash.
        wanted: Chooses among the paths below it those to read, and their order.
        max_bytes: Most bytes of them.

    Raises:
        SpineError: One of the classes of `listed`, or of `fetch.from_s3` for one of the objects.
    """
    by_path = {each.path: each for each in listed(uri)}
    chosen = [by_path[path] for path in wanted(list(by_path))]
    if not chosen:
        raise fetch.SourceNotFoundError(
            f"{shown(uri)} holds no file that is asked for. Correct source.uri or source.member."
        )
    if sum(each.size for each in chosen) > max_bytes:
        raise fetch.too_large(uri, max_bytes)
    folder = s3.parse_uri(uri)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (handed on)
    read = []
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for each, answer in _answers(folder, chosen):
                if answer["ContentLength"] != each.size:
                    raise fetch.SourceUnreachableError(
                        f"{shown(folder.join(each.path).uri)} changed while the folder was read. "
                        "Run again."
                    )
                # Without a date of its own, the same objects make the same archive.
                with archive.open(zipfile.ZipInfo(each.path), "w", force_zip64=True) as member:
                    while chunk := answer["Body"].read(_CHUNK):
                        member.write(chunk)
                read.append(each._replace(version_id=answer.get("VersionId")))
    except ClientError as error:
        raise fetch.from_client_error(uri, None, error) from error
    except BotoCoreError as error:
        raise fetch.from_botocore_error(uri, error) from error
    file.seek(0)
    return FetchedFolder(file, folder.key.rstrip("/").rpartition("/")[2] or "source", tuple(read))


def _answers(
    folder: s3.Location, objects: Sequence[Listed]
) -> Iterator[tuple[Listed, dict[str, Any]]]:
    """Yield each object with S3's answer, of which the next ones are asked for beforehand."""
    client = aws.client("s3")

    def ask(each: Listed) -> dict[str, Any]:
        return dict(client.get_object(Bucket=folder.bucket, Key=f"{folder.key}{each.path}"))

    waiting: deque[tuple[Listed, Future[dict[str, Any]]]] = deque()
    with ThreadPoolExecutor(_AHEAD) as pool:
        try:
            for each in objects:
                waiting.append((each, pool.submit(ask, each)))
                if len(waiting) >= _AHEAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
