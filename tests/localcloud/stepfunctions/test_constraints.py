"""Requests that break the service's model are refused as AWS words it."""

import json
from typing import Any

import pytest

from localcloud.stepfunctions import constraints

_MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


def _route(weight: int) -> dict[str, Any]:
    return {"stateMachineVersionArn": "v", "weight": weight}


def told(action: str, request: dict[str, Any]) -> str:
    """The message of a refusal."""
    status, _, body = constraints.refusal(action, request)
    found = json.loads(body)
    assert status == 400
    assert found["__type"].endswith("ValidationException")
    return str(found["message"])


@pytest.mark.parametrize(
    ("action", "request_", "message"),
    [
        (
            "ListExecutions",
            {"stateMachineArn": _MACHINE, "maxResults": 1001},
            (
                "Value '1001' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 1000"
            ),
        ),
        (
            "ListExecutions",
            {"nextToken": "x" * 3097},
            (
                f"Value '{'x' * 3097}' at 'nextToken' failed to satisfy constraint: "
                "Member must have length less than or equal to 3096"
            ),
        ),
        (
            "CreateStateMachineAlias",
            {"name": "123", "routingConfiguration": [_route(1)]},
            (
                "Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular "
                "expression pattern: ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$"
            ),
        ),
        (
            "CreateStateMachineAlias",
            {"name": "a", "routingConfiguration": [_route(101)]},
            (
                "Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy "
                "constraint: Member must have value less than or equal to 100"
            ),
        ),
        (
            "DescribeExecution",
            {"executionArn": ""},
            (
                "Value at 'executionArn' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            "DescribeExecution",
            {},
            "Value null at 'executionArn' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_a_member_out_of_bounds_is_named(
    action: str, request_: dict[str, Any], message: str
) -> None:
    """With its place, its value and what it must be."""
    assert told(action, request_) == f"1 validation error detected: {message}"


def test_an_unknown_status_is_refused() -> None:
    """The values that there are, are listed."""
    found = told("ListExecutions", {"statusFilter": "succeeded"})
    assert "Value 'succeeded' at 'statusFilter'" in found
    assert "Member must satisfy enum value set: [" in found


def test_several_problems_are_counted() -> None:
    """And all of them told."""
    found = told("ListExecutions", {"maxResults": 1001, "statusFilter": "no"})
    assert found.startswith("2 validation errors detected: ")


def test_what_is_secret_is_not_repeated() -> None:
    """An input that is too long."""
    request = {"taskToken": "t", "output": "x" * 262_145}
    assert "Value at 'output'" in told("SendTaskSuccess", request)


def test_a_request_within_its_bounds_passes() -> None:
    """So does an action that the model does not know, for others to refuse."""
    assert constraints.refusal("ListExecutions", {"maxResults": 1000}) is None
    assert constraints.refusal("NoSuchAction", {}) is None
