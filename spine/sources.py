"""Where a run's training file comes from: a file here, or an address."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spine.errors import UsageError
from spine.shipped import load_data_prep

_PIECE = 1 << 20
# What the plan accepts in an S3 address without doubt; anything else in a file's name becomes "-".
_AWKWARD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Local:
    """A file on this machine, or a folder of files of one table, to be uploaded."""

    path: Path


@dataclass(frozen=True, slots=True)
class Remote:
    """An address that the run itself reads from."""

    uri: str


def parse(text: str) -> Local | Remote:
    """Understand what was given as --source.

    Raises:
        UsageError: It is neither an existing file or folder nor an https:// or s3:// address.
    """
    scheme = text.partition("://")[0] if "://" in text else ""
    if scheme in {"https", "s3"}:
        if not urlsplit(text).netloc:
            raise UsageError(f"--source: {text} names no {'bucket' if scheme == 's3' else 'host'}.")
        return Remote(text)
    if scheme:
        raise UsageError(
            f"--source: {text} starts with {scheme}://.",
            remedy="Give a file on this machine, an https:// address, or s3://bucket/key.",
        )
    path = Path(text).expanduser()
    if path.is_dir():
        if not files_of(path):
            raise UsageError(
                f"--source: {text} holds no file with data.",
                remedy="Names that begin with . or _, and files without a byte, are passed over.",
            )
        return Local(path)
    if not path.exists():
        raise UsageError(
            f"--source: there is no file {text}.",
            remedy=f"The path is read from {Path.cwd()}. An address starts with https:// or s3://.",
        )
    if path.stat().st_size == 0:
        raise UsageError(f"--source: {text} is empty.", remedy="Give a CSV, ARFF or ZIP with data.")
    return Local(path)


def files_of(folder: Path) -> list[str]:
    """Return the paths of a folder's files of data, in the order in which they are read.

    Raises:
        UsageError: There are more than a run takes, or one cannot be looked at.
    """
    naming = load_data_prep("source.naming")
    found: list[str] = []
    try:
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_size:
                found.append(path.relative_to(folder).as_posix())
                if len(found) > naming.MOST_PARTS:
                    raise UsageError(
                        f"--source: {folder} holds more than {naming.MOST_PARTS:,} files.",
                        remedy="Give the folder of one table.",
                    )
    except OSError as error:
        raise UsageError(
            f"--source: {error.filename or folder} cannot be read ({error.strerror}).",
            remedy="Give a folder whose files you may read.",
        ) from error
    chosen: list[str] = naming.chosen(found, "*")
    return chosen


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of a folder's files of data."""
    if path.is_dir():
        return sum((path / each).stat().st_size for each in files_of(path))
    return path.stat().st_size


def upload_key(path: Path, sha256: str) -> str:
    """Where an uploaded file lies in the bucket: by content, so the same file is stored once.

    Not below `incoming/`, where every new file starts a run by itself.
    """
    name = _AWKWARD.sub("-", path.name).strip("-") or "data"
    return f"uploads/{sha256[:12]}/{name}"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def upload(s3: Any, path: Path, *, bucket: str, on_bytes: Callable[[int], None]) -> str:
    """Put a file or a folder into the bucket unless the same content lies there already.

    Args:
        s3: A boto3 S3 client.
        path: The file, or the folder.
        bucket: The app's bucket.
        on_bytes: Told the number of bytes sent since the last call, from several threads.

    Returns:
        Its `s3://` address, which ends with a slash for a folder.
    """
    if path.is_dir():
        sums = {name: sha256_of(path / name) for name in files_of(path)}
        listing = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
        folder = upload_key(path.resolve(), hashlib.sha256(listing.encode()).hexdigest())
        for name in sums:
            _put(s3, path / name, bucket=bucket, key=f"{folder}/{name}", on_bytes=on_bytes)
        return f"s3://{bucket}/{folder}/"
    key = upload_key(path, sha256_of(path))
    _put(s3, path, bucket=bucket, key=key, on_bytes=on_bytes)
    return f"s3://{bucket}/{key}"


def _put(s3: Any, path: Path, *, bucket: str, key: str, on_bytes: Callable[[int], None]) -> None:
    present = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    if not any(found["Key"] == key and found["Size"] == path.stat().st_size for found in present):
        s3.upload_file(str(path), bucket, key, Callback=on_bytes)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one JSON object over another, objects inside them likewise, all else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def given_uri(execution_input: Mapping[str, Any]) -> str | None:
    """The source's address in an execution input, None when it leaves the choice to Spine."""
    source = execution_input.get("source")
    uri = source.get("uri") if isinstance(source, Mapping) else None
    return uri if isinstance(uri, str) else None
