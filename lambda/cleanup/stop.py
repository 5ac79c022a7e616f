"""Stop: a CloudFormation custom resource that ends running executions before their machine goes.

Step Functions would let them go on to their next state, which a training job may keep them from for
hours, and what they made meanwhile would outlive the stack.
"""

import os
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..common import aws
from ..common.errors import SpineError
from .backoff import Backoff
from .sweep import Context
from .teardown import answer

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ListExecutionsInputTypeDef

_CAUSE = "The deployment is being removed."


class StillRunningError(SpineError):
    """Executions go on though they were stopped."""


def handler(event: dict[str, Any], context: Context) -> None:
    """Answer a CloudFormation request; on Delete, stop what runs first."""
    machine = event["ResourceProperties"]["StateMachineArn"]

    def on_delete(backoff: Backoff) -> None:
        stop_all(aws.client("stepfunctions"), machine, backoff=backoff)

    answer(event, context, physical_id=f"{os.environ['NAME_PREFIX']}-stop", on_delete=on_delete)


def stop_all(step_functions: "SFNClient", machine: str, *, backoff: Backoff) -> None:
    """Stop the executions of a state machine until none runs.

    Looks again after each round: the list lags behind, and somebody may start one more.

    Raises:
        StillRunningError: The wait is used up; the message names them.
    """
    while running := _running(step_functions, machine):
        for arn in running:
            _stop(step_functions, arn)
        if not backoff.wait():
            raise StillRunningError(f"Stop by hand, then delete the stack again: {running}")


def _running(step_functions: "SFNClient", machine: str) -> list[str]:
    found: list[str] = []
    request: ListExecutionsInputTypeDef = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
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


def _stop(step_functions: "SFNClient", arn: str) -> None:
    try:
        step_functions.stop_execution(executionArn=arn, error="Removed", cause=_CAUSE)
    except ClientError as error:
        # Ended since it was listed: gone, or "not running".
        if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "ValidationException"):
            raise
