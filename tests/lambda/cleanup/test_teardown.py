"""Removing the stack removes what its runs left first."""

import json
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker, FakeStepFunctions
from tests.leftovers import LIVE, Remaining, arn, leave, request

teardown = load("cleanup.teardown")


def test_deleting_the_stack_removes_every_run_first(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Running, kept and half-made ones alike, not another stage's; the signed URL is not logged."""
    url, received = answers
    leave(sagemaker, "running")
    leave(sagemaker, "kept", keep_until="2099-01-01T00:00:00Z")
    leave(sagemaker, "new", endpoint="Creating", until=400)
    other = leave(sagemaker, "one", prefix="spine-dev-2")
    clients.statuses = {arn("running"): LIVE}
    teardown.handler(request("Delete", url, PhysicalResourceId="p"), Remaining(900))
    assert received == [
        {
            "type": "",
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": "p",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Teardown",
        }
    ]
    assert sagemaker.left() == {other, f"{other}-0-1"}
    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_making_or_changing_the_stack_removes_nothing(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
    kind: str,
) -> None:
    """The same identity each time, so an update never looks like a replacement."""
    url, received = answers
    run = leave(sagemaker, "one")
    teardown.handler(request(kind, url), Remaining(900))
    assert received[0]["Status"] == "SUCCESS"
    assert received[0]["PhysicalResourceId"] == "spine-dev-teardown"
    assert run in sagemaker.left()


def test_what_cannot_be_removed_in_time_is_listed(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """The stack's deletion fails with the names, instead of leaving them to the bill."""
    url, received = answers
    stuck = leave(sagemaker, "stuck", endpoint="Creating", until=5000)
    teardown.handler(request("Delete", url), Remaining(900))
    assert sagemaker.now < 900
    assert received[0]["Status"] == "FAILED"
    assert "LeftoverError: Not everything is gone yet" in received[0]["Reason"]
    assert stuck in received[0]["Reason"]


def test_any_failure_is_answered(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """Without an answer CloudFormation would wait for an hour."""
    url, received = answers

    def crash(_operation: str, _name: str) -> None:
        raise RuntimeError("boom " * 1000)

    sagemaker.fault = crash
    teardown.handler(request("Delete", url), Remaining(900))
    assert received[0]["Status"] == "FAILED"
    assert received[0]["Reason"].startswith("RuntimeError: boom")
    assert len(json.dumps(received[0])) < 4096


def test_an_answer_goes_nowhere_but_to_https(clients: FakeStepFunctions) -> None:
    """Plain http is for a local cloud only."""
    with pytest.raises(Exception, match="not an https address"):
        teardown.handler(request("Create", "http://example.org/x"), Remaining(900))
    with pytest.raises(Exception, match="not an https address"):
        teardown.handler(request("Create", "file:///etc/passwd"), Remaining(900))
