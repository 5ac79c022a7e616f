"""Requests with an ARN that is none, and with one that nothing has."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import PASS, Bench, jsonata
from tests.localcloud.stepfunctions.test_requests import refusal

STATES = "arn:aws:states:us-east-1:000000000000"
EXECUTION = f"{STATES}:execution:gone:x"
MACHINE = f"{STATES}:stateMachine:gone"
Call = Callable[..., Any]

OF_EXECUTIONS = (
    "describe_execution",
    "stop_execution",
    "get_execution_history",
    "redrive_execution",
    "describe_state_machine_for_execution",
    "list_map_runs",
)


@pytest.mark.parametrize("operation", OF_EXECUTIONS)
@pytest.mark.parametrize(
    "arn",
    [
        "x",
        "spine-dev-run",
        EXECUTION.replace("arn:", "urn:"),
        f"{STATES}:execution:only-a-machine",
        f"{STATES}:execution:too:many:parts",
        MACHINE,
        "arn:aws:sagemaker:us-east-1:000000000000:execution:a:b",
        "arn:aws:states:us-east-1:12:execution:a:b",
    ],
)
def test_a_malformed_arn_of_an_execution_is_invalid(bench: Bench, operation: str, arn: str) -> None:
    """It does not pass for an execution that is gone."""
    with pytest.raises(ClientError) as refused:
        getattr(bench.states, operation)(executionArn=arn)
    assert refusal(refused) == "InvalidArn"


@pytest.mark.parametrize("operation", OF_EXECUTIONS)
def test_an_execution_that_is_not_there_does_not_exist(bench: Bench, operation: str) -> None:
    """Its ARN is well-formed."""
    with pytest.raises(ClientError) as refused:
        getattr(bench.states, operation)(executionArn=EXECUTION)
    assert refusal(refused) == "ExecutionDoesNotExist"


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("describe_state_machine", {}),
        ("start_execution", {}),
        ("update_state_machine", {"roleArn": "arn:aws:iam::000000000000:role/r"}),
        ("list_executions", {}),
        ("delete_state_machine", {}),
    ],
)
def test_machines_are_told_apart_as_executions_are(
    bench: Bench, operation: str, more: dict[str, str]
) -> None:
    """Malformed is not gone; deleting what is gone succeeds, as on AWS."""
    call: Call = getattr(bench.states, operation)
    for arn in ("x", EXECUTION, f"{STATES}:stateMachine:a:1:2"):
        with pytest.raises(ClientError) as malformed:
            call(stateMachineArn=arn, **more)
        assert refusal(malformed) == "InvalidArn"
    if operation == "delete_state_machine":
        call(stateMachineArn=MACHINE)
        return
    with pytest.raises(ClientError) as gone:
        call(stateMachineArn=MACHINE, **more)
    assert refusal(gone) == "StateMachineDoesNotExist"


def test_an_arn_that_is_too_long_is_no_arn_of_a_kind(bench: Bench) -> None:
    """The service's model bounds it at 256 characters."""
    with pytest.raises(ClientError) as refused:
        bench.states.describe_execution(executionArn=f"{EXECUTION}{'x' * 256}")
    assert refusal(refused) == "ValidationException"


def test_versions_and_executions_that_are_there_are_found(bench: Bench) -> None:
    """No ARN that this cloud gives out is refused."""
    machine = bench.machine(jsonata("A", A=PASS))
    version = bench.states.publish_state_machine_version(stateMachineArn=machine)
    started = bench.states.start_execution(stateMachineArn=version["stateMachineVersionArn"])
    arn = started["executionArn"]
    assert bench.states.describe_execution(executionArn=arn)["executionArn"] == arn
    assert bench.states.describe_state_machine(stateMachineArn=machine)["name"]
