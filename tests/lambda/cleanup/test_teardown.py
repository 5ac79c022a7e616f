"""Removing the stack removes what its runs left first."""

import itertools
import os
import threading
from datetime import timedelta
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeLambda, FakeSageMaker, FakeStepFunctions
from tests.leftovers import LIVE, START, Remaining, arn, leave, request
from tests.support import client_error

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


class Life:
    """A stack's deletion: the function is called again as often as it asks, in virtual time.

    Attributes:
        ends: When each invocation ended.
        latency: Seconds that a call of SageMaker takes.
    """

    def __init__(
        self, sagemaker: FakeSageMaker, lambda_: FakeLambda, patch: pytest.MonkeyPatch
    ) -> None:
        self.sagemaker, self.lambda_ = sagemaker, lambda_
        self.ends: list[float] = []
        self.latency = 0.0
        self._lock = threading.Lock()
        self._looked = 0.0
        sagemaker.fault = self.pass_time
        patch.setattr(teardown, "_now", lambda: START + timedelta(seconds=sagemaker.now))

    def pass_time(self, operation: str, _name: str) -> None:
        """A call takes its time; states are looked at again when something is listed."""
        with self._lock:
            self.sagemaker.now += self.latency
            if operation.startswith("List") and self.sagemaker.now > self._looked + 20:
                self._looked = self.sagemaker.now
                self.sagemaker.sleep(0)

    def live(self, url: str) -> None:
        """Delete the stack."""
        events = [request("Delete", url)]
        while events:
            teardown.handler(events.pop(), self._time())
            self.ends.append(self.sagemaker.now)
            events = [event for _, event in self.lambda_.events]
            self.lambda_.events.clear()

    def _time(self) -> Remaining:
        begun = self.sagemaker.now
        return Remaining(900, lambda: self.sagemaker.now - begun)


@pytest.fixture
def life(
    sagemaker: FakeSageMaker,
    clients: FakeStepFunctions,
    lambda_: FakeLambda,
    monkeypatch: pytest.MonkeyPatch,
) -> Life:
    """Nothing is there yet."""
    return Life(sagemaker, lambda_, monkeypatch)


def test_what_cannot_be_removed_in_time_is_listed(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """The stack's deletion fails with the names, instead of leaving them to the bill."""
    url, received = answers
    stuck = leave(sagemaker, "stuck", endpoint="Creating", until=5000)
    life.live(url)
    (answer,) = received
    assert sagemaker.now < 3600, "CloudFormation waits for an hour"
    assert answer["Status"] == "FAILED"
    assert "LeftoverError: Not everything is gone yet" in answer["Reason"]
    assert f"{stuck} (is Creating)" in answer["Reason"]


def test_the_removal_goes_on_in_further_invocations(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """Each ends before its own time-out; CloudFormation is answered once, at the end."""
    url, received = answers
    leave(sagemaker, "slow", endpoint="Creating", until=2000)
    life.live(url)
    assert [each["Status"] for each in received] == ["SUCCESS"]
    assert sagemaker.left() == set()
    assert len(life.ends) == 3
    for begun, end in itertools.pairwise([0.0, *life.ends]):
        assert end - begun < 900 - 60
    assert sagemaker.now < 2000 + 60


def test_an_invocation_that_cannot_call_the_next_answers_itself(
    sagemaker: FakeSageMaker,
    life: Life,
    lambda_: FakeLambda,
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """Nobody else would."""
    url, received = answers
    leave(sagemaker, "slow", endpoint="Creating", until=2000)
    lambda_.fault = client_error("TooManyRequestsException", "Rate Exceeded.", "Invoke")
    life.live(url)
    assert [each["Status"] for each in received] == ["FAILED"]
    assert "Rate Exceeded." in received[0]["Reason"]


def test_what_sagemaker_always_refuses_is_given_up_soon_in_its_own_words(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """Everything else is removed first; waiting for an hour would change nothing."""
    url, received = answers
    cursed = leave(sagemaker, "cursed")
    other = leave(sagemaker, "other")

    def refuse(operation: str, name: str) -> None:
        if (operation, name) == ("DeleteEndpoint", cursed):
            raise client_error("ValidationException", "It is under a spell.", operation)

    sagemaker.fault = refuse
    life.live(url)
    assert received[0]["Status"] == "FAILED"
    assert f"{cursed} (It is under a spell.)" in received[0]["Reason"]
    assert other not in sagemaker.names("endpoint")
    assert sagemaker.now < 120


def test_what_stands_on_an_endpoint_is_taken_off(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """Inference components and automatic scaling."""
    url, received = answers
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "mine", status="InService", on=run)
    sagemaker.scaled = {(f"endpoint/{run}/variant/a", "sagemaker:variant:DesiredInstanceCount")}
    life.live(url)
    assert received[0]["Status"] == "SUCCESS"
    assert sagemaker.left() == set()


def test_what_somebody_else_serves_with_stays_and_the_stack_goes(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """An endpoint that was taken over, with its configuration and model; the answer says so."""
    url, received = answers
    run = leave(sagemaker, "one")
    sagemaker.things["endpoint"][run].tags = {"owner": "me"}
    life.live(url)
    assert received[0]["Status"] == "SUCCESS"
    assert f"endpoint-config {run} stays: it is used by the endpoint {run}" in received[0]["Reason"]
    assert sagemaker.left() == {run}


def test_a_job_that_is_stopping_is_waited_for(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """It bills until it has stopped, and its role goes with the stack."""
    url, _ = answers
    run = leave(sagemaker, "one", job="Stopping")
    sagemaker.things["transform-job"][f"{run}-0-1"].until = 100
    life.live(url)
    assert sagemaker.things["transform-job"][f"{run}-0-1"].status == "Stopped"


def test_throttling_slows_the_removal_down(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """Every call that SageMaker refuses is followed by a pause, and asked again."""
    url, received = answers
    for number in range(10):
        leave(sagemaker, f"run-{number}")
    refused: list[float] = []

    def throttle(operation: str, _name: str) -> None:
        if operation == "DeleteModel" and len(refused) < 20:
            refused.append(sagemaker.now)
            raise client_error("ThrottlingException", "Rate exceeded", operation)

    sagemaker.fault = throttle
    life.live(url)
    assert received[0]["Status"] == "SUCCESS"
    assert sagemaker.left() == set()
    assert refused[-1] - refused[0] > 60


def test_a_model_of_somebodys_inference_component_stays_and_the_stack_goes(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """On an endpoint of their own; the answer says so."""
    url, received = answers
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "theirs", status="InService", on="x", uses=(run,))
    life.live(url)
    assert received[0]["Status"] == "SUCCESS"
    why = f"model {run} stays: it is used by the inference-component theirs"
    assert received[0]["Reason"] == why
    assert sagemaker.names("model") == {run}


def test_who_uses_what_is_listed_once_for_all_though_the_newest_is_listed_first(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """As SageMaker lists by default; each older one would be another listing."""
    url, received = answers
    sagemaker.page = 100
    for number in range(40):
        sagemaker.now = 3600.0 * number
        leave(sagemaker, f"run-{number}")
    begun = sagemaker.now
    life.live(url)
    assert received[0]["Status"] == "SUCCESS"
    assert sagemaker.now - begun < 300
    rounds = sagemaker.counts["ListModels"]
    assert sagemaker.counts["ListInferenceComponents"] <= rounds


@pytest.mark.slow
def test_thousands_of_each_kind_are_removed_within_the_hour(
    sagemaker: FakeSageMaker, life: Life, answers: tuple[str, list[dict[str, Any]]]
) -> None:
    """By two calls for each, 60 ms long and four at once, in invocations that all end in time.

    `OF_EACH_KIND=10000 pytest -s <this file> -k thousands` takes 40 s and prints the figures.
    """
    url, received = answers
    count = int(os.environ.get("OF_EACH_KIND", "1000"))
    sagemaker.page, sagemaker.tag_page = 100, 50
    life.latency = 0.060 / 4
    for number in range(count):
        run = leave(sagemaker, f"run-{number}")
        tags = sagemaker.things["endpoint"][run].tags
        for kind in ("training-job", "processing-job"):
            job = f"{run}-0-7"
            sagemaker.add(kind, job, status="InProgress")
            sagemaker.things[kind][job].tags = tags
    life.live(url)
    assert [each["Status"] for each in received] == ["SUCCESS"], (life.ends, sagemaker.counts)
    assert sagemaker.left() == set()
    assert sagemaker.now < 50 * 60
    for begun, end in itertools.pairwise([0.0, *life.ends]):
        assert end - begun < 900 - 60
    calls = sum(sagemaker.counts.values())
    print(f"\n{calls} calls in {len(life.ends)} invocations, {sagemaker.now:.0f} s")
    assert calls < 2.2 * 6 * count
