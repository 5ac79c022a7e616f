"""Sweep: clean up after every execution that ended without doing so, and kept endpoints in time.

Two rules call it: every 15 minutes, for the whole deployment; and when an execution ends other than
by success, for that execution alone.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from ..common import aws, kinds, log, names
from ..common.errors import SpineError
from . import inventory
from .backoff import Backoff
from .removal import EndpointBusyError, Removal
from .resources import is_missing, tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

_KEEP_UNTIL = "%Y-%m-%dT%H:%M:%SZ"
# A sweep that comes back in 15 minutes need not wait long; one that an execution's end asked for
# does, up to this long before its own time-out.
_SWEEP_SECONDS = 60.0
_MARGIN_SECONDS = 30.0
# PENDING_REDRIVE is the one other status of an execution that may go on.
_GOING_ON = {"RUNNING", "PENDING_REDRIVE"}


class SweepError(SpineError):
    """Some of what the sweep found could not be looked at or removed; the rest was."""


class Context(Protocol):
    """What Lambda tells a function about its call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda ends the function."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Sweep for a schedule's event, or for an execution's status change.

    Returns:
        `{"removed": [...], "left": [{"run", "reason"}], "pending": [...], "foreign": [...]}`.

    Raises:
        EndpointBusyError: The ended execution's endpoint cannot be deleted yet; Lambda repeats the
            event, and the next sweep comes anyway.
        SweepError: Something failed; everything else was done first.
    """
    prefix = os.environ["NAME_PREFIX"]
    execution = event.get("detail", {}).get("executionArn")
    scope = names.base_name(prefix, names.run_id_of(execution)) if execution else None
    remaining = context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
    done = sweep(
        aws.client("sagemaker"),
        aws.client("stepfunctions"),
        prefix,
        scope=scope,
        now=lambda: datetime.now(UTC),
        backoff=Backoff(remaining if scope else min(remaining, _SWEEP_SECONDS)),
    )
    log.event("swept", scope=scope or prefix, **done)
    if done["failures"]:
        raise SweepError(f"{len(done['failures'])} failed: {'; '.join(done['failures'])}")
    if scope and done["pending"]:
        raise EndpointBusyError(f"Cannot finish yet: {', '.join(done['pending'])}.")
    return done


def sweep(
    sagemaker: "SageMakerClient",
    step_functions: "SFNClient",
    prefix: str,
    *,
    scope: str | None,
    now: Callable[[], datetime],
    backoff: Backoff,
) -> dict[str, Any]:
    """Remove what ended runs left, and return what was done, what was left and what failed.

    The model of a run goes unless the run succeeded: a model costs nothing, and after success it is
    the run's result.
    """
    # One ended execution is worth the look at its model; all models every 15 minutes are not.
    looked_for = [kind for kind in kinds.KINDS if scope or not kind.is_result]
    found = inventory.take(sagemaker, prefix, looked_for, scope=scope)
    failures = found.failures
    left = []
    removals = []
    for run in found.runs.values():
        try:
            status = _status(step_functions, run.execution)
            reason = _reason_to_leave(sagemaker, run.base, status, now())
        except (BotoCoreError, ClientError, ValueError) as error:
            failures.append(f"{run.base}: {error}")
            continue
        over = _still_over(step_functions, run.execution)
        if reason:
            left.append({"run": run.base, "reason": reason})
            if status not in _GOING_ON:
                # An endpoint is kept, never a job: one whose creation lost its answer runs on.
                removals.append(
                    Removal(sagemaker, run.base, models=False, serving=False, over=over)
                )
        else:
            models = status != "SUCCEEDED"
            removals.append(Removal(sagemaker, run.base, models=models, over=over))
    pending = _carry_out(removals, backoff, failures)
    return {
        "removed": [
            {"run": removal.base, **removal.report()}
            for removal in removals
            if removal.did_something
        ],
        "left": left,
        "pending": pending,
        "foreign": found.foreign,
        "failures": failures,
    }


def _status(step_functions: "SFNClient", execution: str) -> str:
    """Return the execution's status now: an event may be late, and the execution redriven since."""
    try:
        # Its input and output are none of the sweeper's, and may be encrypted with another's key.
        answer = step_functions.describe_execution(
            executionArn=execution, includedData="METADATA_ONLY"
        )
    except ClientError as error:
        # Step Functions forgets executions after 90 days, and all when the state machine goes.
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return "GONE"
        raise
    status: str = answer["status"]
    return status


def _still_over(step_functions: "SFNClient", execution: str) -> Callable[[], bool]:
    """Return what tells that an execution was not redriven since it was found to have ended."""
    return lambda: _status(step_functions, execution) not in _GOING_ON


def _reason_to_leave(
    sagemaker: "SageMakerClient", base: str, status: str, now: datetime
) -> str | None:
    """Say why a run's resources stay, or return None.

    Raises:
        ValueError: The tag `spine:keep-until` holds no time; somebody changed it by hand.
    """
    if status in _GOING_ON:
        return "its execution is running"
    # Read only now: the state machine writes the tag just before its execution ends.
    keep_until = _keep_until(sagemaker, base)
    if keep_until is None:
        return None
    until = datetime.strptime(keep_until, _KEEP_UNTIL).replace(tzinfo=UTC)
    return f"kept until {keep_until}" if now < until else None


def _keep_until(sagemaker: "SageMakerClient", base: str) -> str | None:
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=base)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return tags(sagemaker, endpoint["EndpointArn"]).get("spine:keep-until")


def _carry_out(removals: list[Removal], backoff: Backoff, failures: list[str]) -> list[str]:
    """Advance all removals side by side, and return what is still busy when the wait is used up."""
    unfinished = removals
    while True:
        unfinished = [removal for removal in unfinished if not _advance(removal, failures)]
        if not unfinished or not backoff.wait():
            return [
                f"{name} is {status}"
                for removal in unfinished
                for name, status in removal.busy.items()
            ]


def _advance(removal: Removal, failures: list[str]) -> bool:
    try:
        return removal.advance()
    except (BotoCoreError, ClientError) as error:
        failures.append(f"{removal.base}: {error}")
        return True
