"""Stop: a CloudFormation custom resource that ends running executions before their machine goes.

Step Functions would let them go on to their next state, which a training job may keep them from for
hours, and what they made meanwhile would outlive the stack.
"""

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..common import aws
from ..common.errors import SpineError
from .backoff import Backoff
from .custom_resource import MARGIN_SECONDS, answer
from .pacing import Context, OutOfTimeError, paced, seconds_left

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ListExecutionsInputTypeDef

_CAUSE = "The deployment is being removed."


class StillRunningError(SpineError):
    """Executions go on though they were stopped."""


def handler(event: dict[str, Any], context: Context) -> None:
    """Answer a CloudFormation request; on Delete, stop what runs first."""
    left = partial(seconds_left, context, margin=MARGIN_SECONDS)

    def on_delete() -> str:
        machine = event["ResourceProperties"]["StateMachineArn"]
        stop_all(paced(aws.client("stepfunctions"), left), machine, backoff=Backoff(left()))
        return ""

    answer(event, physical_id=f"{os.environ['NAME_PREFIX']}-stop", on_delete=on_delete)


def stop_all(step_functions: "SFNClient", machine: str, *, backoff: Backoff) -> None:
    """Stop the executions of a state machine until none runs.

    Looks again after each round: the list lags behind, and somebody may start one more.

    Raises:
        StillRunningError: The wait is used up; the message names them.
    """
    running: list[str] = []
    try:
        while running := _running(step_functions, machine):
            for arn in running:
                _stop(step_functions, arn)
            if not backoff.wait():
                break
    except OutOfTimeError:
        running = running or ["Not all could be listed in time."]
    if running:
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
