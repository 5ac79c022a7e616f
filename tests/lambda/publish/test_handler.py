"""The custom resource that keeps a job's code where runs find it."""

import itertools
from typing import Any

import pytest

from spine.shipped import load
from tests.support import client_error, use_clients

publish = load("publish.handler")

A, B = "code/1111/prepare_job.zip", "code/2222/prepare_job.zip"
LIVE: dict[str, str] = {}
SUPERSEDED = {"superseded": "true"}


class FakeS3:
    """Objects with their tags and metadata, and copying as S3 does it."""

    def __init__(self) -> None:
        self.tags: dict[tuple[str, str], dict[str, str]] = {("assets", "a.zip"): {"of": "cdk"}}
        self.metadata: dict[tuple[str, str], dict[str, str]] = {}

    def copy_object(self, **request: Any) -> None:
        """Copy an object; onto itself only what changes."""
        source = (request["CopySource"]["Bucket"], request["CopySource"]["Key"])
        made = (request["Bucket"], request["Key"])
        if source not in self.tags:
            raise client_error("NoSuchKey", "The specified key does not exist.", "CopyObject", 404)
        assert request["TaggingDirective"] == "REPLACE"
        if source == made and request.get("MetadataDirective") != "REPLACE":
            raise client_error("InvalidRequest", "to itself", "CopyObject")
        tags = dict(pair.split("=") for pair in request.get("Tagging", "").split("&") if pair)
        self.tags[made] = tags
        self.metadata[made] = request.get("Metadata", {})

    def head_object(self, **request: Any) -> dict[str, Any]:
        """Look at an object."""
        found = (request["Bucket"], request["Key"])
        if found not in self.tags:
            raise client_error("404", "Not Found", "HeadObject", 404)
        return {"Metadata": self.metadata.get(found, {})}


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


class CloudFormation:
    """Asks as CloudFormation does, and removes what was called otherwise, in its clean-up.

    Attributes:
        name: What the resource is called.
        key: What its properties ask for.
        former: Names and keys that are to be removed.
    """

    def __init__(self, answers: list[tuple[str, str, str]]) -> None:
        self.name, self.key = "", ""
        self.former: list[tuple[str, str]] = []
        self._answers = answers
        self._numbers = itertools.count(1)

    def update(self, key: str) -> str:
        """Create or update it; return the answer's status."""
        asked = {"PhysicalResourceId": self.name} if self.name else {}
        status = self.ask("Update" if self.name else "Create", key, **asked)
        name = self._answers[-1][0]
        if status == "SUCCESS":
            if self.name and name != self.name:
                self.former.append((self.name, self.key))
            self.name, self.key = name, key
        return status

    def clean_up(self) -> None:
        """Remove what took another name since."""
        while self.former:
            self.remove(*self.former.pop())

    def remove(self, name: str, key: str) -> None:
        """Remove one; its properties are those that it had."""
        assert self.ask("Delete", key, PhysicalResourceId=name) == "SUCCESS"

    def ask(self, kind: str, key: str, **more: str) -> str:
        """Send a request."""
        properties = {"Bucket": "b", "Key": key, "SourceBucket": "assets", "SourceKey": "a.zip"}
        request = {"RequestType": kind, "RequestId": f"request-{next(self._numbers)}", **more}
        publish.handler({**request, "ResourceProperties": properties}, None)
        return self._answers[-1][1]


@pytest.fixture
def formation(answers: list[tuple[str, str, str]]) -> CloudFormation:
    """A stack without the resource."""
    return CloudFormation(answers)


def test_every_version_stays_and_the_superseded_one_is_tagged(
    s3: FakeS3, formation: CloudFormation
) -> None:
    """A new version has a name of its own, so that CloudFormation asks to remove the former."""
    formation.update(A)
    formation.update(B)
    assert s3.tags["b", A] == LIVE
    formation.clean_up()
    assert (s3.tags["b", A], s3.tags["b", B]) == (SUPERSEDED, LIVE)
    assert formation.name.partition(publish.BETWEEN)[0] == B


def test_an_update_that_is_rolled_back_leaves_the_former_version_in_use(
    s3: FakeS3, formation: CloudFormation
) -> None:
    """Create A, update to B; something else fails; update to A, delete B."""
    formation.update(A)
    formation.update(B)
    # No clean-up: what was to be removed after success is in use again.
    formation.former.clear()
    formation.update(A)
    formation.clean_up()
    assert (s3.tags["b", A], s3.tags["b", B]) == (LIVE, SUPERSEDED)


def test_a_version_that_comes_back_is_superseded_no_more(
    s3: FakeS3, formation: CloudFormation
) -> None:
    """Create A, update to B, delete A, update to A, delete B."""
    for key in (A, B, A):
        formation.update(key)
        formation.clean_up()
    assert (s3.tags["b", A], s3.tags["b", B]) == (LIVE, SUPERSEDED)


def test_a_removal_that_comes_late_or_again_does_not_touch_what_is_in_use(
    s3: FakeS3, formation: CloudFormation
) -> None:
    """Of the first publication of A, when A has been published anew since."""
    formation.update(A)
    first = formation.name
    formation.update(B)
    formation.update(A)
    formation.remove(first, A)
    assert s3.tags["b", A] == LIVE
    formation.remove(formation.name, A)
    assert s3.tags["b", A] == SUPERSEDED, "the stack is deleted"


def test_a_removal_that_is_repeated_does_not_renew_the_age(
    s3: FakeS3, formation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda may deliver an event twice; the age of what is superseded counts from the first."""
    formation.update(A)
    formation.remove(formation.name, A)
    monkeypatch.setattr(s3, "copy_object", None)
    formation.remove(formation.name, A)


def test_the_same_version_keeps_its_name(s3: FakeS3, formation: CloudFormation) -> None:
    """When only the upload lies elsewhere, nothing is to be removed."""
    formation.update(A)
    name = formation.name
    formation.update(A)
    assert (formation.name, formation.former) == (name, [])
    formation.remove(name, A)
    assert s3.tags["b", A] == SUPERSEDED


def test_what_an_earlier_deployment_published_is_known_by_its_key(
    s3: FakeS3, formation: CloudFormation
) -> None:
    """It has no mark, and its resource is called after the key alone."""
    s3.tags["b", A] = LIVE
    formation.name, formation.key = A, A
    formation.update(B)
    formation.clean_up()
    assert (s3.tags["b", A], s3.tags["b", B]) == (SUPERSEDED, LIVE)
    formation.update(A)
    formation.remove(A, A)
    assert s3.tags["b", A] == LIVE


def test_what_was_never_there_is_removed(s3: FakeS3, formation: CloudFormation) -> None:
    """CloudFormation asks for it after a creation that failed, by the name that was answered."""
    del s3.tags["assets", "a.zip"]
    assert formation.update(B) == "FAILED"
    name, _, reason = formation._answers[-1]
    assert "NoSuchKey" in reason
    formation.remove(name, B)
    formation.remove(f"{B}@gone", B)
    assert s3.tags == {}


def test_an_update_that_fails_here_changes_nothing(s3: FakeS3, formation: CloudFormation) -> None:
    """The resource is called as before, so that nothing in use is removed by the rollback."""
    formation.update(A)
    name = formation.name
    upload = s3.tags.pop(("assets", "a.zip"))
    assert formation.update(B) == "FAILED"
    assert formation._answers[-1][0] == name
    s3.tags["assets", "a.zip"] = upload
    formation.update(A)
    formation.clean_up()
    assert (formation.name, s3.tags["b", A]) == (name, LIVE)


def test_what_cannot_be_kept_fails_the_deployment(
    s3: FakeS3, formation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and with an answer: CloudFormation would wait for one."""
    formation.update(A)

    def refuse(**_: Any) -> None:
        raise client_error("AccessDenied", "kms:Decrypt " * 500, "CopyObject", 403)

    monkeypatch.setattr(s3, "copy_object", refuse)
    assert formation.update(B) == "FAILED"
    assert formation.ask("Delete", A, PhysicalResourceId=formation.name) == "FAILED"
    for _, _, reason in formation._answers[1:]:
        assert "AccessDenied" in reason
        assert len(reason) <= 1500
