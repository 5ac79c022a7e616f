"""Reading a source from S3: its version, its limit, and what can go wrong."""

import io
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from spine.shipped import load
from tests.support import FakeS3, client_error, got, use_clients

fetch = load("common.fetch")
# In the library's words only.
SECRET = "https://me:hunter2@b.example/k"


def test_an_object_is_read_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest version is read and named, or the one asked for."""
    stored = FakeS3()
    stored.put_object(Bucket="b", Key="uploads/a b.csv", Body=b"old")
    stored.put_object(Bucket="b", Key="uploads/a b.csv", Body=b"new")
    use_clients(monkeypatch, s3=stored)
    uri = "s3://b/uploads/a b.csv"
    assert got(fetch.from_s3(uri)) == (b"new", "a b.csv", "2")
    assert got(fetch.from_s3(uri, version_id="1")) == (b"old", "a b.csv", "1")


def test_a_missing_object_or_version_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the address and the version."""
    stored = FakeS3()
    stored.put_object(Bucket="b", Key="a.csv", Body=b"x")
    use_clients(monkeypatch, s3=stored)
    with pytest.raises(fetch.SourceNotFoundError, match=r"s3://b/z\.csv does not exist"):
        fetch.from_s3("s3://b/z.csv")
    with pytest.raises(fetch.SourceNotFoundError, match="version 9 does not exist"):
        fetch.from_s3("s3://b/a.csv", version_id="9")


def test_a_large_object_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is known before the body is read."""
    stored = FakeS3()
    stored.put_object(Bucket="b", Key="a.csv", Body=b"x" * 101)
    use_clients(monkeypatch, s3=stored)
    with pytest.raises(fetch.SourceTooLargeError, match="100 bytes"):
        fetch.from_s3("s3://b/a.csv", max_bytes=100)


@dataclass
class Failing:
    """An S3 whose objects cannot be read."""

    answer: Callable[[], dict[str, Any]]

    def get_object(self, **_: object) -> dict[str, Any]:
        """Fail."""
        return self.answer()

    head_object = get_object


def failing(error: Exception) -> Callable[[], dict[str, Any]]:
    """Return a function that raises."""

    def fail() -> dict[str, Any]:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (client_error("AccessDenied", "no", "GetObject", 403), "SourceDeniedError"),
        (client_error("NoSuchBucket", "no", "GetObject", 404), "SourceNotFoundError"),
        (client_error("InvalidArgument", "bad id", "GetObject"), "SourceNotFoundError"),
        (client_error("InvalidObjectState", "cold", "GetObject", 403), "SourceArchivedError"),
        (client_error("InternalError", "oops", "GetObject", 500), "SourceUnreachableError"),
        (client_error("SlowDown", "wait", "GetObject", 503), "SourceUnreachableError"),
        (ReadTimeoutError(endpoint_url=SECRET), "SourceUnreachableError"),
        (ConnectTimeoutError(endpoint_url=SECRET), "SourceUnreachableError"),
        (ConnectionClosedError(endpoint_url=SECRET), "SourceUnreachableError"),
        (EndpointConnectionError(endpoint_url=SECRET), "SourceUnreachableError"),
        (ProxyConnectionError(proxy_url=SECRET), "SourceUnreachableError"),
        (SSLError(endpoint_url=SECRET, error=OSError(SECRET)), "SourceUnreachableError"),
        (NoCredentialsError(), "SourceDeniedError"),
        (PartialCredentialsError(provider="env", cred_var="x"), "SourceDeniedError"),
        (CredentialRetrievalError(provider="x", error_msg=SECRET), "SourceDeniedError"),
        (ParamValidationError(report=SECRET), "SourceNotAllowedError"),
        (NoRegionError(), "SourceNotAllowedError"),
    ],
)
def test_failures_of_s3_have_names(
    monkeypatch: pytest.MonkeyPatch, error: Exception, name: str
) -> None:
    """What only S3's code or the library tells apart becomes an error that Retry and Catch list."""
    use_clients(monkeypatch, s3=Failing(failing(error)))
    for ask in (fetch.from_s3, fetch.size_in_s3):
        with pytest.raises(getattr(fetch, name), match="s3://b/k") as caught:
            ask("s3://b/k", version_id="v")
        assert SECRET not in str(caught.value)


def test_a_version_that_is_none_is_not_found_without_a_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer to HEAD says its status only."""
    refused = client_error("400", "Bad Request", "HeadObject")
    use_clients(monkeypatch, s3=Failing(failing(refused)))
    with pytest.raises(fetch.SourceNotFoundError, match="version v does not exist"):
        fetch.size_in_s3("s3://b/k", version_id="v")


@pytest.mark.parametrize(
    "error",
    [
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        urllib3.exceptions.SSLError(SECRET),
        urllib3.exceptions.ProtocolError(SECRET),
        ssl.SSLError(SECRET),
        ConnectionResetError(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_body_that_stops_short_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A connection lost in the middle, time after time, can be mended by a later try."""

    class Short(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise error

    answer = {"ContentLength": 2, "ETag": "1", "Body": Short()}
    use_clients(monkeypatch, s3=Failing(lambda: answer))
    with pytest.raises(fetch.SourceUnreachableError, match="s3://b/k") as caught:
        fetch.from_s3("s3://b/k")
    assert SECRET not in str(caught.value)


def test_a_disk_that_is_full_is_no_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails on this side keeps its name."""
    stored = FakeS3()
    stored.put_object(Bucket="b", Key="k", Body=b"x" * 10)
    use_clients(monkeypatch, s3=stored)

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch.tempfile, "SpooledTemporaryFile", lambda _: Full())
    with pytest.raises(OSError, match="No space left"):
        fetch.from_s3("s3://b/k")


def test_an_unknown_failure_is_not_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not understood keeps the name AWS gave it."""
    unknown = client_error("Novelty", "?", "GetObject")
    use_clients(monkeypatch, s3=Failing(failing(unknown)))
    with pytest.raises(type(unknown), match="Novelty"):
        fetch.from_s3("s3://b/k")
