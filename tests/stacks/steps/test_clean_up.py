"""Cleaning up is repeated for whatever may pass, and may do what it takes and no more."""

import json
from typing import Any

import pytest

from gates import permissions
from gates.assembly import Assembly, as_list
from gates.machine import Machine

STATES = ("Clean up", "Clean up after failure")
ROLES = ("CleanUpRole", "SweepRole", "TearDownRole")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "error",
    ["Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout", "Lambda.Unknown"],
)
def test_a_function_that_was_killed_is_called_again(
    machine: Machine, state: str, error: str
) -> None:
    """Three times: cleaning up again is harmless, and an endpoint costs money by the hour."""
    (retry,) = (each for each in machine.states()[state]["Retry"] if error in each["ErrorEquals"])
    assert (retry["MaxAttempts"], retry["IntervalSeconds"]) == (3, 5)


@pytest.mark.parametrize("state", STATES)
def test_what_sagemaker_refuses_for_good_is_not_repeated(machine: Machine, state: str) -> None:
    """Whoever reads the failure can act at once, not 41 minutes later."""
    repeated = {
        error for retry in machine.states()[state]["Retry"] for error in retry["ErrorEquals"]
    }
    assert "EndpointBusyError" in repeated
    assert "DeletionRefusedError" not in repeated


def statements(assembly: Assembly, role: str, action: str) -> list[dict[str, Any]]:
    """What lets a role do something."""
    return [
        each for each in permissions.policies(assembly)[role] if action in as_list(each["Action"])
    ]


@pytest.mark.parametrize("role", ROLES)
def test_only_scalable_targets_of_sagemaker_may_be_deregistered(dev: Assembly, role: str) -> None:
    """IAM knows neither whose they are nor what they are called: kind and dimension bound it."""
    (found,) = statements(dev, role, "application-autoscaling:DeregisterScalableTarget")
    condition = found["Condition"]["StringEquals"]
    assert condition["application-autoscaling:service-namespace"] == "sagemaker"
    assert all(
        each.startswith("sagemaker:")
        for each in condition["application-autoscaling:scalable-dimension"]
    )


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_others_may_be_deleted_but_what_stands_on_a_runs_endpoint(
    dev: Assembly, role: str
) -> None:
    """Names bound every other deletion; what others made may be looked at only."""
    for each in permissions.policies(dev)[role]:
        for action in as_list(each["Action"]):
            if action.startswith(("sagemaker:Delete", "sagemaker:Stop")):
                named = "inference-component/*" if "Inference" in action else "/spine-dev-*"
                assert json.dumps(each["Resource"]).rstrip('"]').endswith(named), action
