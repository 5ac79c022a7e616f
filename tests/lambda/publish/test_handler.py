"""The custom resource that keeps a job's code where runs find it."""

from typing import Any

import pytest

from spine.shipped import load
from tests.support import client_error, use_clients

publish = load("publish.handler")

OLD, NEW = "code/1111/prepare_job.zip", "code/2222/prepare_job.zip"


class FakeS3:
    """Objects with their tags, and copying as S3 does it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, str]] = {("assets", "a.zip"): {"of": "cdk"}}

    def copy_object(self, **request: Any) -> None:
        """Copy an object; onto itself only what changes."""
        source = (request["CopySource"]["Bucket"], request["CopySource"]["Key"])
        made = (request["Bucket"], request["Key"])
        if source not in self.objects:
            raise client_error("NoSuchKey", "The specified key does not exist.", "CopyObject", 404)
        assert request["TaggingDirective"] == "REPLACE"
        if source == made and request.get("MetadataDirective") != "REPLACE":
            raise client_error("InvalidRequest", "to itself", "CopyObject")
        tags = dict(pair.split("=") for pair in request.get("Tagging", "").split("&") if pair)
        self.objects[made] = tags


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    """Give the handler an S3 with an uploaded asset."""
    fake = FakeS3()
    use_clients(monkeypatch, s3=fake)
    return fake


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What CloudFormation is answered: name, status and reason."""
    found: list[tuple[str, str, str]] = []
    monkeypatch.setattr(
        load("common.cloudformation"), "respond", lambda _, *answer: found.append(answer)
    )
    return found


def ask(kind: str, key: str, **more: str) -> None:
    """Send a request of CloudFormation's."""
    properties = {"Bucket": "b", "Key": key, "SourceBucket": "assets", "SourceKey": "a.zip"}
    publish.handler({"RequestType": kind, "ResourceProperties": properties, **more}, None)


def test_every_version_stays_and_the_superseded_one_is_tagged(
    s3: FakeS3, answers: list[tuple[str, str, str]]
) -> None:
    """A new version has a name of its own, so that CloudFormation asks to remove the former."""
    ask("Create", OLD)
    ask("Update", NEW, PhysicalResourceId=OLD)
    assert s3.objects["b", OLD] == {}
    ask("Delete", OLD, PhysicalResourceId=OLD)
    assert (s3.objects["b", OLD], s3.objects["b", NEW]) == ({"superseded": "true"}, {})
    assert answers == [(OLD, "SUCCESS", ""), (NEW, "SUCCESS", ""), (OLD, "SUCCESS", "")]


def test_a_version_that_comes_back_is_superseded_no_more(
    s3: FakeS3, answers: list[tuple[str, str, str]]
) -> None:
    """As when a deployment is rolled back."""
    ask("Create", OLD)
    ask("Delete", OLD, PhysicalResourceId=OLD)
    ask("Update", OLD, PhysicalResourceId=NEW)
    assert s3.objects["b", OLD] == {}
    assert {status for _, status, _ in answers} == {"SUCCESS"}


def test_what_was_never_there_is_removed(s3: FakeS3, answers: list[tuple[str, str, str]]) -> None:
    """CloudFormation asks for it after a creation that failed."""
    del s3.objects["assets", "a.zip"]
    ask("Create", NEW)
    ask("Delete", NEW, PhysicalResourceId=NEW)
    (_, failed, reason), (_, removed, _) = answers
    assert (failed, removed) == ("FAILED", "SUCCESS")
    assert "NoSuchKey" in reason


def test_what_cannot_be_kept_fails_the_deployment(
    s3: FakeS3, answers: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and with an answer: CloudFormation would wait for one."""

    def refuse(**_: Any) -> None:
        raise client_error("AccessDenied", "kms:Decrypt " * 500, "CopyObject", 403)

    monkeypatch.setattr(s3, "copy_object", refuse)
    ask("Update", NEW, PhysicalResourceId=OLD)
    ask("Delete", OLD, PhysicalResourceId=OLD)
    assert [(key, status) for key, status, _ in answers] == [(NEW, "FAILED"), (OLD, "FAILED")]
    assert all("AccessDenied" in reason and len(reason) <= 1500 for _, _, reason in answers)
