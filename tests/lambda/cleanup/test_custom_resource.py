"""CloudFormation is answered whatever happens, and only on Delete is anything done."""

import json
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker, FakeStepFunctions
from tests.leftovers import Remaining, request

custom_resource = load("cleanup.custom_resource")
teardown = load("cleanup.teardown")
Answers = tuple[str, list[dict[str, Any]]]
NAME = "spine-dev-teardown"


class Work:
    """What is done on Delete: counted, and then said or raised.

    Args:
        outcome: What there is to say, or what fails.
    """

    def __init__(self, outcome: str | Exception = "") -> None:
        self._outcome = outcome
        self.calls = 0

    def __call__(self) -> str:
        """Do it."""
        self.calls += 1
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


@pytest.mark.parametrize(("kind", "calls"), [("Create", 0), ("Update", 0), ("Delete", 1)])
def test_only_a_deletion_does_anything(answers: Answers, kind: str, calls: int) -> None:
    """Each request is answered once, and the resource keeps the name that it has."""
    url, received = answers
    work = Work("one stays")
    custom_resource.answer(request(kind, url), physical_id=NAME, on_delete=work)
    named = request(kind, url, PhysicalResourceId="of before")
    custom_resource.answer(named, physical_id=NAME, on_delete=work)
    assert work.calls == 2 * calls
    assert [(each["Status"], each["PhysicalResourceId"]) for each in received] == [
        ("SUCCESS", NAME),
        ("SUCCESS", "of before"),
    ]
    assert {each["Reason"] for each in received} == {"one stays" if calls else ""}


def test_any_failure_is_answered(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    answers: Answers,
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


@pytest.mark.parametrize("sign", ["x", "é", "\U0001f600", "\n", '"'])
def test_a_reason_fits_into_an_answer_whatever_it_is_written_in(
    answers: Answers, sign: str
) -> None:
    """CloudFormation takes 4,096 bytes; a short reason arrives whole."""
    url, received = answers
    for length in (10, 10_000):
        work = Work(ValueError(sign * length))
        custom_resource.answer(request("Delete", url), physical_id=NAME, on_delete=work)
    short, long = received
    assert short["Reason"] == f"ValueError: {sign * 10}"
    assert f"ValueError: {sign * 10_000}".startswith(long["Reason"])
    assert len(long["Reason"]) > 80
    assert len(json.dumps(long)) < 4096


def test_what_goes_on_elsewhere_is_answered_there(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer now would tell CloudFormation that the work has ended; the log says why none is."""
    url, received = answers
    work = Work(custom_resource.GoesOnError("two models are left"))
    custom_resource.answer(request("Delete", url), physical_id=NAME, on_delete=work)
    assert work.calls == 1
    assert received == []
    assert json.loads(capsys.readouterr().out) == {
        "event": "teardown",
        "request": "Delete",
        "status": "GOES_ON",
        "reason": "two models are left",
    }


def test_the_log_says_what_was_answered(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the last word of the resource's name, since several share the log's words."""
    url, _ = answers
    work = Work(ValueError("no"))
    custom_resource.answer(request("Delete", url), physical_id=NAME, on_delete=work)
    assert json.loads(capsys.readouterr().out) == {
        "event": "teardown",
        "request": "Delete",
        "status": "FAILED",
        "reason": "ValueError: no",
    }


def test_a_reason_is_cut_no_more_than_it_must_be(answers: Answers) -> None:
    """What just fits is whole; what does not leaves at most a quarter of the room unused."""
    url, received = answers
    room = custom_resource._LONGEST_REASON - len('""')
    for length in (room, room + 1):
        custom_resource.answer(
            request("Delete", url), physical_id=NAME, on_delete=Work("x" * length)
        )
    whole, cut = (len(each["Reason"]) for each in received)
    assert whole == room
    assert room * 3 // 4 <= cut <= room
