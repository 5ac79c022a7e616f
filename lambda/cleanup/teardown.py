"""Teardown: a CloudFormation custom resource that removes what runs left before the stack goes.

There may be tens of thousands of models and configurations. So everything is listed kind by kind,
not run by run, and costs two calls: whose it is, and its end. What does not fit into one invocation
of the function is left to the next, which the function calls itself: what is gone by then is not
listed any more, so that nothing needs to be handed over but until when there is time.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ..common import aws, kinds, log
from ..common.errors import SpineError
from ..common.kinds import Kind
from . import attached, custom_resource
from .backoff import Backoff
from .inventory import owner
from .pacing import Context, OutOfTimeError, is_throttled, paced, seconds_left
from .resources import Resource, is_missing, is_refused, listed
from .usage import Usage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# CloudFormation waits for an hour. Lambda may begin an invocation late.
_IN_ALL = timedelta(minutes=50)
# Calls in flight at once: SageMaker answers one in some 60 ms.
_AT_ONCE = 4
# Times in a row that SageMaker may refuse all that is left before it is given up.
_FUTILE_ROUNDS = 3
_NAMED = 20
_UNTIL = "SpineUntil"


class LeftoverError(SpineError):
    """Something of the deployment's runs is still there."""


def handler(event: dict[str, Any], context: Context) -> None:
    """Answer a CloudFormation request; on Delete, remove everything first."""
    prefix = os.environ["NAME_PREFIX"]
    custom_resource.answer(
        event,
        physical_id=f"{prefix}-teardown",
        on_delete=lambda: _tear_down(event, context, prefix),
    )


def _tear_down(event: dict[str, Any], context: Context, prefix: str) -> str:
    """Remove what there is time for; whether it is this invocation that ends it, its result tells.

    Raises:
        GoesOnError: There is more to do, and another invocation was asked for.
        LeftoverError: Something is left and there is no time for it, or it cannot be removed; the
            message lists it.
    """
    until = datetime.fromisoformat(event.get(_UNTIL) or (_now() + _IN_ALL).isoformat())

    def left() -> float:
        here = seconds_left(context, margin=custom_resource.MARGIN_SECONDS)
        return min(here, (until - _now()).total_seconds())

    teardown = Teardown(paced(aws.client("sagemaker"), left), prefix)
    done = teardown.work(Backoff(left()))
    remains = teardown.remains()
    log.event("torn down", done=done, ended=teardown.ended, in_use=teardown.in_use)
    if done:
        return "; ".join(f"{name} stays: {why}" for name, why in teardown.in_use.items())
    if teardown.is_futile or _now() >= until:
        raise LeftoverError(
            f"Not everything is gone yet; delete the stack again, or remove by hand: {remains}"
        )
    aws.client("lambda").invoke(
        FunctionName=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        InvocationType="Event",
        Payload=json.dumps({**event, _UNTIL: until.isoformat()}).encode(),
    )
    raise custom_resource.GoesOnError(remains)


def _now() -> datetime:
    return datetime.now(UTC)


class Teardown:
    """The removal of all that a deployment's runs left.

    What bills goes first: jobs are stopped and endpoints deleted side by side. When none is left,
    the other kinds follow in the order of the table.

    Args:
        sagemaker: A SageMaker client that raises OutOfTimeError when it is time to stop.
        prefix: The deployment's name prefix.

    Attributes:
        ended: How many were stopped or deleted.
        in_use: What stays because somebody else uses it, and who does.
        is_futile: Whether SageMaker refuses all that is left, time after time.
    """

    def __init__(self, sagemaker: "SageMakerClient", prefix: str) -> None:
        self.ended = 0
        self.in_use: dict[str, str] = {}
        self.is_futile = False
        self._sagemaker = sagemaker
        self._prefix = prefix
        self._is_own: dict[str, bool] = {}
        self._remains: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._may_pass = False

    def work(self, backoff: Backoff) -> bool:
        """Remove what there is, as long as there is time, and tell whether nothing is left.

        Looks again after each round: an execution that still runs may have made something.
        """
        futile = 0
        try:
            while not self._is_clear():
                futile = 0 if self._may_pass else futile + 1
                self.is_futile = futile >= _FUTILE_ROUNDS
                if self.is_futile or (self._remains and not backoff.wait()):
                    return False
        except OutOfTimeError:
            # Of what this round has not come to, the one before it knows.
            self._remains = self._before | self._remains
            return False
        return True

    def remains(self) -> str:
        """What was still there when it was last looked at, and why."""
        named = [f"{name} ({why})" for name, why in list(self._remains.items())[:_NAMED]]
        if len(self._remains) > _NAMED:
            named.append(f"and {len(self._remains) - _NAMED} more")
        return ", ".join(named) or "there was no time to look at everything"

    def _is_clear(self) -> bool:
        """Go through everything once; true if there was nothing any more."""
        before = self.ended
        self._before = self._remains
        self._remains, self.in_use, self._may_pass = {}, {}, False
        usage = Usage(self._sagemaker)
        for group in _groups():
            for kind in group:
                self._each(kind, usage)
            if self._remains:
                return False
        self._may_pass = self.ended > before
        return not self._may_pass

    def _each(self, kind: Kind, usage: Usage) -> None:
        def end(resource: Resource) -> None:
            try:
                self._end(resource, usage)
            except (BotoCoreError, ClientError) as error:
                self._remains[resource.name] = str(error)
                self._may_pass = self._may_pass or is_throttled(error)

        try:
            # All of it first: a page may go with what was on it. The oldest first: `Usage`.
            found = sorted(self._listed(kind), key=lambda each: each.created)
        except (BotoCoreError, ClientError) as error:
            self._remains[f"each {kind.key}"] = str(error)
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            # Taking the results raises what a call raised.
            list(pool.map(end, found))

    def _listed(self, kind: Kind) -> Iterator[Resource]:
        statuses = ("InProgress", "Stopping") if kind.is_job else (None,)
        for status in statuses:
            yield from listed(self._sagemaker, kind, f"{self._prefix}-", status=status)

    def _end(self, resource: Resource, usage: Usage) -> None:
        kind, name = resource.kind, resource.name
        if resource.arn not in self._is_own:
            self._is_own[resource.arn] = owner(self._sagemaker, self._prefix, resource) is not None
        if not self._is_own[resource.arn]:
            return
        if resource.status in (kind.in_progress or {"Stopping"}):
            self._wait_for(name, str(resource.status))
            return
        if user := usage.of(kind, name, resource.created):
            self.in_use[f"{kind.resource_type} {name}"] = user
            return
        try:
            getattr(self._sagemaker, kind.method(kind.ending))(**{kind.name_member: name})
        except ClientError as error:
            if is_missing(error):
                return
            if not is_refused(error):
                raise
            self._refused(resource, error.response["Error"]["Message"])
            return
        self.ended += 1
        self._may_pass = True
        if kind.is_job or kind.in_progress:
            self._wait_for(name, "Stopping" if kind.is_job else "Deleting")

    def _wait_for(self, name: str, status: str) -> None:
        self._remains[name] = f"is {status}"
        self._may_pass = True

    def _refused(self, resource: Resource, reason: str) -> None:
        self._remains[resource.name] = reason
        standing = attached.take_off(self._sagemaker, resource.kind, resource.name)
        self._remains.update(standing)
        self._may_pass = self._may_pass or bool(standing)


def _groups() -> Iterator[list[Kind]]:
    """The kinds in the order in which they go; those of a group may go side by side."""
    yield [kind for kind in kinds.KINDS if kind.billed]
    for kind in kinds.KINDS:
        if not kind.billed:
            yield [kind]
