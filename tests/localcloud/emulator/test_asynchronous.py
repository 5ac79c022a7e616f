"""What Lambda does with an event whose function fails: the calls, the waits, and where it ends."""

import json
import threading
from typing import Any

import pytest
from ministack.services import lambda_svc

from localcloud import Cloud
from localcloud.emulator import asynchronous
from tests.localcloud.emulator.events import Queue, Rule


def test_a_function_that_fails_for_an_event_is_called_three_times(
    running_cloud: Cloud, function: str, calls: Queue, given_up: Queue
) -> None:
    """After the third failure, its destination for failures is told all of it, once."""
    running_cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=function,
        DestinationConfig={"OnFailure": {"Destination": given_up.arn}},
    )
    rule = Rule(running_cloud, {"Arn": function})
    rule.send({"of": "three"})
    events = [json.loads(calls.next()["Body"]) for _ in range(3)]
    assert events[0]["detail"] == {"of": "three"}
    assert events == [events[0]] * 3  # the same event, id and all
    record = json.loads(given_up.next()["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"] == f"{function}:$LATEST"
    assert record["requestPayload"] == events[0]
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "RuntimeError"
    assert calls.is_empty()
    assert given_up.is_empty(0.1)


def test_an_event_that_the_function_deals_with_is_not_repeated(
    running_cloud: Cloud, function: str, calls: Queue
) -> None:
    """One call, when nothing goes wrong."""
    Rule(running_cloud, {"Arn": function}).send({"fails": 0})
    calls.next()
    assert calls.is_empty(2.0)


@pytest.mark.parametrize(
    ("settings", "expected", "condition"),
    [
        ({"MaximumRetryAttempts": 0}, 1, "RetriesExhausted"),
        ({"MaximumRetryAttempts": 1}, 2, "RetriesExhausted"),
        # A minute is what AWS waits before the first retry, two before the second.
        ({"MaximumEventAgeInSeconds": 60}, 1, "EventAgeExceeded"),
        ({"MaximumEventAgeInSeconds": 120}, 2, "EventAgeExceeded"),
    ],
)
def test_the_functions_settings_bound_the_retries(
    running_cloud: Cloud,
    function: str,
    calls: Queue,
    given_up: Queue,
    settings: dict[str, int],
    expected: int,
    condition: str,
) -> None:
    """Retries and age are counted as on AWS, although the waiting is shortened."""
    running_cloud.client("lambda").put_function_event_invoke_config(
        FunctionName=function,
        Qualifier="$LATEST",
        DestinationConfig={"OnFailure": {"Destination": given_up.arn}},
        **settings,
    )
    Rule(running_cloud, {"Arn": function}).send({})
    record = json.loads(given_up.next()["Body"])
    assert record["requestContext"]["condition"] == condition
    assert record["requestContext"]["approximateInvokeCount"] == expected
    for _ in range(expected):
        calls.next(2.0)
    assert calls.is_empty()


def test_a_functions_dead_letter_queue_gets_the_event_itself(
    running_cloud: Cloud, function: str, given_up: Queue
) -> None:
    """The older of the two ways: the event, and the failure as attributes."""
    functions = running_cloud.client("lambda")
    functions.update_function_configuration(
        FunctionName=function, DeadLetterConfig={"TargetArn": given_up.arn}
    )
    functions.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0)
    functions.invoke(FunctionName=function, InvocationType="Event", Payload='{"detail": {}}')
    message = given_up.next()
    assert json.loads(message["Body"]) == {"detail": {}}
    attributes = message["MessageAttributes"]
    assert attributes["ErrorMessage"]["StringValue"] == "not today"
    assert attributes["ErrorCode"]["StringValue"] == "200"
    assert attributes["RequestID"]["StringValue"]


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
FAILED = {"error": True, "body": {"errorMessage": "not today", "requestId": "request"}}
THROTTLED = {"throttle": True, "error": True, "body": {}}
DONE: dict[str, Any] = {"body": {}}


class Invocations:
    """A function that answers so, the last answer for good; its waits and letters written down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[dict[str, Any]] = []
        self.calls = 0
        self.waits: list[float] = []
        self.letters: list[tuple[str, Any]] = []
        monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", self._execute)
        monkeypatch.setattr(asynchronous, "wait", self.waits.append)
        monkeypatch.setattr(asynchronous, "send", self._send)

    def _execute(self, func: dict[str, Any], event: Any) -> dict[str, Any]:
        assert (func["config"]["FunctionArn"], event) == (FUNCTION, {"an": "event"})
        self.calls += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _send(self, arn: str, body: str, _attributes: dict[str, str]) -> None:
        self.letters.append((arn, json.loads(body)))

    def invoke(self, *answers: dict[str, Any], **settings: Any) -> None:
        """Have it called for one event, however long it takes."""
        self.answers = list(answers)
        to = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:given-up"}}
        func = {
            "config": {"FunctionArn": FUNCTION, "FunctionName": "f"},
            "event_invoke_configs": {"": {"DestinationConfig": to, **settings}},
        }
        before = threading.enumerate()
        asynchronous.invoke(func, {"an": "event"})
        for thread in set(threading.enumerate()) - set(before):
            thread.join(10)

    def conditions(self) -> list[str]:
        """Why events were given up."""
        return [letter["requestContext"]["condition"] for _, letter in self.letters]


@pytest.fixture
def invocations(monkeypatch: pytest.MonkeyPatch) -> Invocations:
    """A function that was not called yet."""
    return Invocations(monkeypatch)


def test_a_failure_is_repeated_after_a_minute_and_after_two_more(invocations: Invocations) -> None:
    """In seconds of AWS; then the destination is told."""
    invocations.invoke(FAILED)
    assert invocations.calls == 3
    assert invocations.waits == [60, 120]
    assert invocations.conditions() == ["RetriesExhausted"]


def test_a_throttled_event_is_repeated_until_the_function_is_free(invocations: Invocations) -> None:
    """Each time after a longer pause, five minutes at most, and none of them counts as a retry."""
    invocations.invoke(*[THROTTLED] * 12, DONE, MaximumRetryAttempts=0)
    assert invocations.calls == 13
    assert invocations.waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert invocations.letters == []


def test_an_event_that_is_always_throttled_becomes_too_old(invocations: Invocations) -> None:
    """The function was never called for it: 1 + 2 + 4 + 8 + 16 are 31 seconds, and 32 more 63."""
    invocations.invoke(THROTTLED, MaximumEventAgeInSeconds=60)
    assert invocations.calls == 6
    assert invocations.conditions() == ["EventAgeExceeded"]
    ((_, letter),) = invocations.letters
    assert letter["requestContext"]["approximateInvokeCount"] == 0
    assert letter["requestPayload"] == {"an": "event"}


def test_throttles_and_failures_are_counted_apart(invocations: Invocations) -> None:
    """A throttle between two failures takes none of the retries."""
    invocations.invoke(FAILED, THROTTLED, FAILED, THROTTLED, FAILED)
    assert invocations.calls == 5
    assert invocations.waits == [60, 1, 120, 2]
    assert invocations.conditions() == ["RetriesExhausted"]


@pytest.mark.parametrize(("delay", "slept"), [(None, 2.0), (60.0, 120.0), (6.0, 12.0)])
def test_all_waits_are_shortened_like_the_first(
    monkeypatch: pytest.MonkeyPatch, delay: float | None, slept: float
) -> None:
    """Two minutes of AWS, by what becomes of one."""
    waits: list[float] = []
    monkeypatch.setattr(asynchronous, "_scale", 1.0)
    monkeypatch.setattr("time.sleep", waits.append)
    asynchronous.configure(retry_delay=delay)
    asynchronous.wait(120)
    assert waits == [pytest.approx(slept)]


@pytest.mark.parametrize("service", ["sqs", "events"])
def test_what_cannot_be_sent_anywhere_is_in_the_log(
    caplog: pytest.LogCaptureFixture, service: str
) -> None:
    """A queue that is gone, and what is no destination: as on AWS, the caller is not told."""
    arn = f"arn:aws:{service}:us-east-1:000000000000:gone"
    asynchronous.send(arn, "{}", {})
    assert arn in caplog.text
