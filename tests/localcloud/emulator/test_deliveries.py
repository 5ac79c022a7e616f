"""What EventBridge does with an event that its target does not take: the order, the counts."""

import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from ministack.services import stepfunctions

import localcloud
from localcloud import Cloud, Conditions
from localcloud.emulator import asynchronous, deliveries
from tests.localcloud.emulator.events import FAILING, Queue, Rule
from tests.localcloud.stepfunctions.machines import ROLE, bundle


@pytest.mark.parametrize("kind", ["lambda", "states"])
def test_an_event_whose_target_is_gone_goes_to_the_dead_letters_at_once(
    running_cloud: Cloud, given_up: Queue, kind: str
) -> None:
    """The queue gets the event, and why, from which rule, for which target."""
    arn = {
        "lambda": "arn:aws:lambda:us-east-1:000000000000:function:gone",
        "states": "arn:aws:states:us-east-1:000000000000:stateMachine:gone",
    }[kind]
    rule = Rule(
        running_cloud, {"Arn": arn, "RoleArn": ROLE, "DeadLetterConfig": {"Arn": given_up.arn}}
    )
    rule.send({"kept": True})
    message = given_up.next(5.0)
    assert json.loads(message["Body"])["detail"] == {"kept": True}
    found = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert found.pop("ERROR_MESSAGE")
    assert found == {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": arn,
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
    }
    assert given_up.is_empty()


MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


class Attempts:
    """A state machine that refuses each start with the next of these codes, then takes it.

    Args:
        codes: Of its refusals, in order.
    """

    def __init__(self, *codes: str) -> None:
        self._codes = iter(codes)
        self.calls = 0

    def __call__(self, data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """Answer StartExecution."""
        assert data == {"stateMachineArn": MACHINE, "input": "{}"}
        self.calls += 1
        code = next(self._codes, None)
        if code is None:
            return 200, {}, b"{}"
        return 400, {}, json.dumps({"__type": code, "message": "no"}).encode()


BUSY = ("ThrottlingException",) * 1000


class Delivery:
    """EventBridge with a target, its waiting and its dead letters written down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.waits: list[float] = []
        self.buried: list[dict[str, str]] = []
        monkeypatch.setattr(asynchronous, "wait", self.waits.append)
        monkeypatch.setattr(asynchronous, "send", self._bury)

    def _bury(self, arn: str, body: str, attributes: dict[str, str]) -> None:
        assert (arn, body) == ("arn:queue", "{}")
        self.buried.append(dict(attributes))

    def deliver(self, attempts: Attempts, **policy: int) -> None:
        """Deliver one event, however long it takes."""
        self._patch.setattr(stepfunctions, "_start_execution", attempts)
        target = {"DeadLetterConfig": {"Arn": "arn:queue"}, "RetryPolicy": policy}
        before = threading.enumerate()
        deliveries._remembering(
            lambda *_: deliveries._to_machine(MACHINE, "{}"), target, {}, {"Arn": "arn:rule"}
        )
        for thread in set(threading.enumerate()) - set(before):
            thread.join(10)


@pytest.fixture
def delivery(monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """EventBridge with a target."""
    return Delivery(monkeypatch)


def test_what_may_pass_is_tried_again_until_it_is_taken(delivery: Delivery) -> None:
    """Each time after a longer pause, and nothing is a dead letter."""
    attempts = Attempts("ThrottlingException", "ServiceUnavailable", "ThrottlingException")
    delivery.deliver(attempts)
    assert attempts.calls == 4
    assert delivery.waits == [1, 2, 4]
    assert delivery.buried == []


def test_a_target_that_stays_busy_is_tried_185_times_more(delivery: Delivery) -> None:
    """A day has room for them; then the event is a dead letter that says so."""
    attempts = Attempts(*BUSY)
    delivery.deliver(attempts)
    assert attempts.calls == 186
    assert max(delivery.waits) == 480
    (letter,) = delivery.buried
    assert letter["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert letter["RETRY_ATTEMPTS"] == "185"
    assert letter["ERROR_CODE"] == "ERROR_FROM_TARGET"
    assert letter["RULE_ARN"] == "arn:rule"


@pytest.mark.parametrize(
    ("policy", "calls", "condition"),
    [
        ({"MaximumRetryAttempts": 0}, 1, "MaximumRetryAttempts"),
        ({"MaximumRetryAttempts": 3}, 4, "MaximumRetryAttempts"),
        # 1 + 2 + 4 + 8 + 16 are 31 seconds, and 32 more would be 63.
        ({"MaximumEventAgeInSeconds": 60}, 6, "MaximumEventAgeInSeconds"),
    ],
)
def test_the_targets_retry_policy_bounds_the_retries(
    delivery: Delivery, policy: dict[str, int], calls: int, condition: str
) -> None:
    """In number and in time, whichever comes first."""
    attempts = Attempts(*BUSY)
    delivery.deliver(attempts, **policy)
    assert attempts.calls == calls
    assert [each["EXHAUSTED_RETRY_CONDITION"] for each in delivery.buried] == [condition]


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        ("StateMachineDoesNotExist", "NO_RESOURCE"),
        ("InvalidExecutionInput", "INVALID_JSON"),
        ("ExecutionAlreadyExists", "RESOURCE_ALREADY_EXISTS"),
    ],
)
def test_what_cannot_succeed_is_not_tried_again(delivery: Delivery, code: str, letter: str) -> None:
    """One attempt, and a dead letter without an exhausted condition."""
    attempts = Attempts(code)
    delivery.deliver(attempts)
    assert attempts.calls == 1
    assert [(each["ERROR_CODE"], each["RETRY_ATTEMPTS"]) for each in delivery.buried] == [
        (letter, "0")
    ]
    assert delivery.buried[0]["EXHAUSTED_RETRY_CONDITION"] == ""


@pytest.mark.process
def test_policies_decide_who_may_call_and_who_may_send(tmp_path: Path) -> None:
    """A rule needs the function's leave, and the function's role the destination's queue."""
    cloud = localcloud.start(tmp_path / "home", conditions=Conditions(enforce_iam=True))
    try:
        calls, letters, failed = (Queue(cloud, name) for name in ("calls", "letters", "failed"))
        role = _role(cloud, calls.arn)
        functions = cloud.client("lambda")
        arn = functions.create_function(
            FunctionName="failing",
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": bundle(FAILING)},
            Environment={"Variables": {"CALLS": calls.url}},
        )["FunctionArn"]
        functions.put_function_event_invoke_config(
            FunctionName=arn,
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": failed.arn}},
        )
        rule = Rule(cloud, {"Arn": arn, "DeadLetterConfig": {"Arn": letters.arn}})
        cloud.client("sqs").set_queue_attributes(
            QueueUrl=letters.url,
            Attributes={"Policy": _policy("events.amazonaws.com", letters.arn, rule.arn)},
        )
        rule.send({"of": "nobody"})
        attributes = letters.next(10.0)["MessageAttributes"]
        assert attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
        assert calls.is_empty(0.1)
        functions.add_permission(
            FunctionName=arn,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule.arn,
        )
        rule.send({"of": "the rule"})
        calls.next(10.0)
        assert failed.is_empty(2.0)  # the role may not send it
        _allow(cloud, "sqs:SendMessage", failed.arn)
        rule.send({"of": "the rule"})
        record = json.loads(failed.next(10.0)["Body"])
        assert record["requestPayload"]["detail"] == {"of": "the rule"}
        assert letters.is_empty(0.1)
    finally:
        localcloud.stop(tmp_path / "home")


def _policy(service: str, on: str, source: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": on,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(cloud: Cloud, queue: str) -> str:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = cloud.client("iam").create_role(
        RoleName="failing",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    _allow(cloud, "sqs:SendMessage", queue)
    return str(made["Role"]["Arn"])


def _allow(cloud: Cloud, action: str, on: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": on}
    cloud.client("iam").put_role_policy(
        RoleName="failing",
        PolicyName=f"p{uuid.uuid4().hex}",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
