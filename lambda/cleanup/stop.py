"""Stop: a CloudFormation custom resource that ends running executions before their machine goes.

Step Functions would let them go on to their next state, which a training job may keep them from for
hours, and what they made meanwhile would outlive the stack.
"""

import os
from typing import Any, Protocol, cast

from botocore.exceptions import ClientError

from ..common import aws
from ..common.errors import SpineError
from .removal import Patience
from .sweep import Context
from .teardown import answer

_CAUSE = "The deployment is being removed."


class StillRunningError(SpineError):
    """Executions go on though they were stopped."""


class StepFunctions(Protocol):
    """The calls of boto3's Step Functions client that stopping needs."""

    def list_executions(self, **request: Any) -> Any: ...  # noqa: D102
    def stop_execution(self, **request: Any) -> Any: ...  # noqa: D102


def handler(event: dict[str, Any], context: Context) -> None:
    """Answer a CloudFormation request; on Delete, stop what runs first."""
    machine = event["ResourceProperties"]["StateMachineArn"]

    def on_delete(patience: Patience) -> None:
        stop_all(cast("StepFunctions", aws.client("stepfunctions")), machine, patience=patience)

    answer(event, context, physical_id=f"{os.environ['NAME_PREFIX']}-stop", on_delete=on_delete)


def stop_all(step_functions: StepFunctions, machine: str, *, patience: Patience) -> None:
    """Stop the executions of a state machine until none runs.

    Looks again after each round: the list lags behind, and somebody may start one more.

    Raises:
        StillRunningError: Patience ran out; the message names them.
    """
    while running := _running(step_functions, machine):
        for arn in running:
            _stop(step_functions, arn)
        if not patience.wait():
            raise StillRunningError(f"Stop by hand, then delete the stack again: {running}")


def _running(step_functions: StepFunctions, machine: str) -> list[str]:
    found: list[str] = []
    request = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
    while True:
        try:
            page = step_functions.list_executions(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "StateMachineDoesNotExist":
                return found
            raise
        found += [each["executionArn"] for each in page["executions"]]
        if not page.get("nextToken"):
            return found
        request["nextToken"] = page["nextToken"]


def _stop(step_functions: StepFunctions, arn: str) -> None:
    try:
        step_functions.stop_execution(executionArn=arn, error="Removed", cause=_CAUSE)
    except ClientError as error:
        # Ended since it was listed: gone, or "not running".
        if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "ValidationException"):
            raise
