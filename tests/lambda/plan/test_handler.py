"""The plan's function: what it takes from its environment, and the one question it asks."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from spine.shipped import load
from tests.planning import at, plan, refused
from tests.support import FakeS3, client_error

fetch = load("common.fetch")


def preparation(**source: Any) -> Any:
    """What is planned for a source."""
    return plan({"source": source})["preparation"]


def test_the_size_of_an_object_is_asked_for_by_its_version(store: FakeS3) -> None:
    """Not of the newest, if the input names another."""
    for body in (b"1" * 10, b"2" * 20):
        store.put_object(Bucket="partner-bucket", Key="a.csv", Body=body)
    uri = "s3://partner-bucket/a.csv"
    assert preparation(uri=uri)["source_bytes"] == 20
    assert preparation(uri=uri, version_id="1")["source_bytes"] == 10


def test_a_size_that_cannot_be_had_does_not_stop_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that reads the source waits longer, and says what is wrong; the plan says why."""

    def fail(_self: object, _uri: str) -> int:
        raise fetch.SourceUnreachableError("https://data.example.org could not be reached")

    monkeypatch.setattr(fetch.Web, "size", fail)
    found = preparation(uri="https://data.example.org/a.csv")
    assert found["source_bytes"] is None
    assert "SourceUnreachableError" in found["reason"]


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (EndpointConnectionError(endpoint_url="x"), "SourceUnreachableError"),
        (NoCredentialsError(), "SourceDeniedError"),
        (client_error("301", "Moved Permanently", "HeadObject", 301), "ClientError"),
    ],
)
def test_an_s3_that_does_not_tell_a_size_does_not_stop_a_plan(
    monkeypatch: pytest.MonkeyPatch, store: FakeS3, failure: Exception, name: str
) -> None:
    """Whether it is not reached, or answers what has no name of Spine's."""

    def fail(**_: object) -> None:
        raise failure

    monkeypatch.setattr(store, "head_object", fail)
    found = preparation(uri="s3://partner-bucket/a.csv")
    assert found["source_bytes"] is None
    assert name in found["reason"]


def test_a_server_that_does_not_say_it_is_named_as_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many do that make a file while it is fetched."""
    monkeypatch.setattr(fetch.Web, "size", lambda _self, _uri: None)
    found = preparation(uri="https://data.example.org/a.csv")
    assert found["source_bytes"] is None
    assert "the server does not say it" in found["reason"]


def test_a_defect_is_not_taken_for_a_size_that_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what the network or the source may answer is."""

    def broken(_self: object, _uri: str) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(fetch.Web, "size", broken)
    with pytest.raises(ZeroDivisionError):
        preparation(uri="https://data.example.org/a.csv")


def test_an_object_that_is_not_there_is_for_the_step_that_reads_it() -> None:
    """S3's refusal is one of the source's errors."""
    found = preparation(uri="s3://partner-bucket/absent.csv")
    assert found["source_bytes"] is None
    assert found["engine"] == "lambda"


def test_what_the_deployment_allows_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blanks around the parts and capitals of a host say nothing; an empty list allows nothing."""
    given = at("source.uri", "https://data.example.org/a.csv")
    monkeypatch.setenv("SOURCE_HOSTS", " DATA.example.ORG ,")
    assert plan(given)["source"]["uri"] == "https://data.example.org/a.csv"
    monkeypatch.setenv("SOURCE_HOSTS", "")
    assert "source.uri" in refused(given)
    monkeypatch.setenv("SOURCE_BUCKETS", "")
    assert "source.uri" in refused(at("source.uri", "s3://partner-bucket/a.csv"))


@pytest.mark.parametrize(("registry", "instances"), [("173754725891", 2), ("none", 1)])
def test_spark_is_planned_only_where_its_image_is(
    monkeypatch: pytest.MonkeyPatch, registry: str, instances: int
) -> None:
    """A region without it has no account for it."""
    monkeypatch.setenv("SPARK_REGISTRY", registry)
    given = {"preparation": {"engine": "spark", "instance_count": 2}}
    if registry == "none":
        assert "preparation.engine" in refused(given)
    else:
        assert plan(given)["preparation"]["instance_count"] == instances


def test_a_plan_is_logged_without_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    """An address may carry a secret: the log says which run, and how it is prepared."""
    plan(at("source.uri", "https://data.example.org/a.csv"))
    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert logged["engine"] == "lambda"
    assert logged["source_bytes"] == 9_000
    assert "data.example.org" not in line
