"""Sweep: clean up after every execution that ended without doing so, and kept endpoints in time.

Two rules call it: every 15 minutes, for the whole deployment; and when an execution ends other than
by success, for that execution alone.

Whether a run is over, its execution says. Where that cannot be looked up (a state machine that was
replaced, a permission that was taken away, a tag that somebody changed), time says it: an endpoint
that is kept goes at its time, anything else when no run can have been at work for so long.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ..common import aws, kinds, log, names
from ..common.errors import SpineError
from . import inventory
from .backoff import Backoff
from .inventory import Run
from .pacing import Context, OutOfTimeError, paced, seconds_left
from .removal import EndpointBusyError, Removal
from .resources import is_missing, tags
from .usage import Usage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

_KEEP_UNTIL = "%Y-%m-%dT%H:%M:%SZ"
# A sweep that comes back in 15 minutes need not wait long; one that an execution's end asked for
# does, up to this long before its own time-out.
_SWEEP_SECONDS = 60.0
_MARGIN_SECONDS = 90.0
# PENDING_REDRIVE is the one other status of an execution that may go on.
_GOING_ON = {"RUNNING", "PENDING_REDRIVE"}
# Step Functions does not say how it ended: that its model is no result cannot be known.
_FORGOTTEN = "GONE"
# Beyond the time-out of the state machine: for its end, and for clocks.
_AFTER_THE_LONGEST = timedelta(hours=1)
# What `endpoint.ttl_minutes` can ask for at most; a test holds the two together.
_LONGEST_KEPT = timedelta(weeks=1)
# There may be any number of models, and those of good runs stay. The sweeper looks at each when the
# execution that made it cannot run any more, for so long: two dozen sweeps see it.
_MODELS_SEEN_FOR = timedelta(hours=6)


class SweepError(SpineError):
    """Some of what the sweep found could not be looked at or removed; the rest was."""


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
    left = partial(seconds_left, context, margin=_MARGIN_SECONDS)
    done = sweep(
        paced(aws.client("sagemaker"), left),
        paced(aws.client("stepfunctions"), left),
        prefix,
        scope=scope,
        longest_run=timedelta(seconds=int(os.environ["LONGEST_RUN_SECONDS"])),
        now=lambda: datetime.now(UTC),
        backoff=Backoff(left() if scope else min(left(), _SWEEP_SECONDS)),
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
    longest_run: timedelta,
    now: Callable[[], datetime],
    backoff: Backoff,
) -> dict[str, Any]:
    """Remove what ended runs left, and return what was done, what was left and what failed.

    The model of a run goes if the run is known to have ended otherwise than by success: a model
    costs nothing, and after success it is the run's result.

    Args:
        sagemaker: The SageMaker client.
        step_functions: The Step Functions client.
        prefix: The deployment's name prefix.
        scope: What the one run is called that is looked at; every run without.
        longest_run: How long an execution may run before Step Functions ends it.
        now: The time.
        backoff: How long to wait for what cannot be deleted yet.
    """
    surely_over = now() - longest_run - _AFTER_THE_LONGEST
    window = {
        "CreationTimeAfter": surely_over - _MODELS_SEEN_FOR,
        "CreationTimeBefore": surely_over,
    }
    found = inventory.take(
        sagemaker, prefix, kinds.KINDS, scope=scope, results_made=None if scope else window
    )
    failures = found.failures
    left = []
    removals = []
    usage = Usage(sagemaker)
    # The oldest first: `Usage`.
    for run in sorted(found.runs.values(), key=lambda run: run.oldest):
        try:
            status, unknown = _looked_up(step_functions, run.execution)
            if run.has_only_results and status == "SUCCEEDED":
                continue
            if unknown and not run.has_only_results:
                failures.append(f"{run.base}: {unknown}")
            may_go_on = status in _GOING_ON or (status is None and run.newest > surely_over)
            reason = _reason_to_leave(
                sagemaker, run, status, may_go_on=may_go_on, now=now(), failures=failures
            )
        except (BotoCoreError, ClientError, OutOfTimeError) as error:
            failures.append(f"{run.base}: {error}")
            continue
        over = _still_over(step_functions, run.execution) if status else lambda: True
        if reason:
            left.append({"run": run.base, "reason": reason})
            if not may_go_on:
                # An endpoint is kept, never a job: one whose creation lost its answer runs on.
                removals.append(
                    Removal(sagemaker, run.base, models=False, serving=False, over=over)
                )
        else:
            models = status not in (None, "SUCCEEDED", _FORGOTTEN)
            removals.append(Removal(sagemaker, run.base, models=models, over=over, usage=usage))
    pending = _carry_out(removals, backoff, failures)
    left += [
        {"run": removal.base, "reason": f"{name}: {why}"}
        for removal in removals
        for name, why in removal.in_use.items()
    ]
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


def _looked_up(step_functions: "SFNClient", execution: str) -> tuple[str | None, str]:
    """Return the execution's status, or None and why it cannot be looked up.

    A lookup may be refused for good: of an execution of another state machine, by an ARN that
    somebody changed in the tag. Nothing that bills may depend on it.
    """
    try:
        return _status(step_functions, execution), ""
    except (BotoCoreError, ClientError) as error:
        return None, f"its execution cannot be looked up, so its age decides: {error}"


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
            return _FORGOTTEN
        raise
    status: str = answer["status"]
    return status


def _still_over(step_functions: "SFNClient", execution: str) -> Callable[[], bool]:
    """Return what tells that an execution was not redriven since it was found to have ended."""
    return lambda: _status(step_functions, execution) not in _GOING_ON


def _reason_to_leave(
    sagemaker: "SageMakerClient",
    run: Run,
    status: str | None,
    *,
    may_go_on: bool,
    now: datetime,
    failures: list[str],
) -> str | None:
    """Say why a run's resources stay, or return None.

    A tag `spine:keep-until` that holds no time was changed by hand: that is one of the failures,
    and the endpoint stays for the longest time that a run can ask for.
    """
    if status in _GOING_ON:
        return "its execution is running"
    if run.has_only_results:
        known = status not in (None, _FORGOTTEN)
        return None if known else "nothing says that its model is not the result of a good run"
    # Read only now: the state machine writes the tag just before its execution ends.
    keep_until = _keep_until(sagemaker, run.base)
    if keep_until is not None:
        try:
            until = datetime.strptime(keep_until, _KEEP_UNTIL).replace(tzinfo=UTC)
        except ValueError as error:
            failures.append(f"{run.base}: the tag spine:keep-until: {error}")
            until = run.newest + _LONGEST_KEPT
        return f"kept until {keep_until}" if now < until else None
    return "nothing says that its execution is over" if may_go_on else None


def _keep_until(sagemaker: "SageMakerClient", base: str) -> str | None:
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=base)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return tags(sagemaker, endpoint["EndpointArn"]).get("spine:keep-until")


def _carry_out(removals: list[Removal], backoff: Backoff, failures: list[str]) -> list[str]:
    """Advance all removals side by side, and return what is still there when the time is used up.

    The reason stands with each: a state that passes, or SageMaker's own sentence.
    """
    unfinished = removals
    while True:
        try:
            unfinished = [removal for removal in unfinished if not _advance(removal, failures)]
        except OutOfTimeError:
            return [
                waiting
                for removal in unfinished
                for waiting in removal.waiting() or [f"{removal.base} was not reached in time"]
            ]
        if not unfinished or not backoff.wait():
            return [waiting for removal in unfinished for waiting in removal.waiting()]


def _advance(removal: Removal, failures: list[str]) -> bool:
    try:
        return removal.advance()
    except (BotoCoreError, ClientError) as error:
        failures.append(f"{removal.base}: {error}")
        return True
