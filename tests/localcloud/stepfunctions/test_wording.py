"""Errors of the API in AWS's words."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import PASS, ROLE, Bench

_OF = "arn:aws:states:us-east-1:000000000000"


@pytest.mark.parametrize(
    ("call", "given", "message"),
    [
        (
            "describe_state_machine",
            {"stateMachineArn": f"{_OF}:stateMachine:gone"},
            f"State Machine Does Not Exist: '{_OF}:stateMachine:gone'",
        ),
        (
            "start_execution",
            {"stateMachineArn": f"{_OF}:stateMachine:gone"},
            f"State Machine Does Not Exist: '{_OF}:stateMachine:gone'",
        ),
        (
            "get_execution_history",
            {"executionArn": f"{_OF}:execution:gone:x"},
            f"Execution Does Not Exist: '{_OF}:execution:gone:x'",
        ),
        (
            "describe_activity",
            {"activityArn": f"{_OF}:activity:gone"},
            f"Activity Does Not Exist: '{_OF}:activity:gone'",
        ),
    ],
)
def test_what_is_missing_is_named(
    bench: Bench, call: str, given: dict[str, Any], message: str
) -> None:
    """By its ARN."""
    with pytest.raises(ClientError) as refused:
        getattr(bench.states, call)(**given)
    assert refused.value.response["Error"]["Message"] == message


def test_what_is_taken_is_named(bench: Bench) -> None:
    """A machine's name, and an execution's with another input."""
    machine = bench.machine({"StartAt": "A", "States": {"A": PASS}})
    other = '{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}'
    with pytest.raises(ClientError) as refused:
        bench.states.create_state_machine(
            name=machine.rpartition(":")[2], definition=other, roleArn=ROLE
        )
    assert (
        refused.value.response["Error"]["Message"] == f"State Machine Already Exists: '{machine}'"
    )
    first = bench.states.start_execution(stateMachineArn=machine, name="n")["executionArn"]
    with pytest.raises(ClientError) as refused:
        bench.states.start_execution(stateMachineArn=machine, name="n", input='{"a": 1}')
    assert refused.value.response["Error"]["Message"] == f"Execution Already Exists: '{first}'"
