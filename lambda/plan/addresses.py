"""Where a source may lie: on an allowed https host, or in a bucket of S3. Pure."""

import re
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from ..common.addresses import ascii_host, encoded, has_control_characters, has_secret, shown
from .rules import Rules, fault

# Folders of Spine's own bucket that a person or a program may put sources in.
SOURCE_FOLDERS = ("incoming/", "uploads/")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def check_address(uri: str, rules: Rules) -> None:
    """Refuse an address that is not on the lists, or that hides where it leads.

    Raises:
        PydanticCustomError: With the reason; the address is shown without any credentials.
    """
    if has_control_characters(uri):
        raise _refused(uri, "not an address: it has control characters")
    if uri.startswith("s3://"):
        _check_object(uri, rules)
    elif uri.startswith("https://"):
        _check_web(uri, rules)
    else:
        raise _refused(uri, "neither an https:// nor an s3:// address")


def _refused(uri: str, words: str, remedy: str = "") -> PydanticCustomError:
    return fault(
        words,
        remedy or "Give an https:// or s3:// address, or leave source out for the UCI data set.",
        value=shown(uri),
        field="uri",
    )


def _check_web(uri: str, rules: Rules) -> None:
    try:
        parts = urlsplit(encoded(uri))
    except ValueError:
        # A host whose characters turn into others when they are normalized, or a broken IPv6 one.
        words = "an address whose host cannot be read"
        raise _refused(uri, words, "Write the host in plain letters.") from None
    hosts = ", ".join(sorted(rules.hosts)) or "none"
    if "\\" in uri:
        raise _refused(uri, "an address with backslashes", "Write them as slashes, or as %5C.")
    if "@" in parts.netloc:
        raise _refused(uri, "an address with credentials", "Remove them.")
    if ":" in parts.netloc:
        raise _refused(uri, "an address with a port", "Remove it; https uses 443.")
    if parts.netloc.lower() not in map(ascii_host, rules.hosts):
        raise _refused(
            uri,
            "not on a host that this deployment may read from",
            f"Allowed: {hosts}. Or upload the file to s3://{rules.bucket}/{SOURCE_FOLDERS[0]} and"
            " give that address.",
        )
    if "#" in uri:
        raise _refused(uri, "an address with a fragment", 'Remove "#" and what follows.')
    if has_secret(uri):
        raise _refused(
            uri,
            "an address with a secret in its query, which the execution history would keep",
            f"Upload the file to s3://{rules.bucket}/{SOURCE_FOLDERS[0]} and give that address.",
        )
    if parts.path.endswith("/") or not parts.path:
        raise _refused(uri, "the address of a folder", "Give the address of one file.")


def _check_object(uri: str, rules: Rules) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise _refused(uri, "without a bucket's name", "Give it as s3://bucket/key.")
    if bucket != rules.bucket and bucket not in rules.buckets:
        allowed = ", ".join([f"{rules.bucket} (this deployment's own)", *sorted(rules.buckets)])
        raise _refused(
            uri, "not in a bucket that this deployment may read from", f"Allowed: {allowed}."
        )
    if not key or (bucket == rules.bucket and key in SOURCE_FOLDERS):
        raise _refused(
            uri,
            "a whole bucket, or the folder of all sources",
            "Give the address of a file, or of a folder that holds one table.",
        )
    # S3 itself takes such keys literally, but a client or proxy on the way may not.
    if any(part in ("", ".", "..") for part in key.removesuffix("/").split("/")):
        raise _refused(
            uri, 'a key with ".", ".." or nothing between two slashes', "Rename the object."
        )
    if bucket == rules.bucket and not key.startswith(SOURCE_FOLDERS):
        raise _refused(
            uri,
            "in a folder that sources are not read from",
            f"Put the file under {' or '.join(SOURCE_FOLDERS)} in this bucket.",
        )
