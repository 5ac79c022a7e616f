"""Teardown: a CloudFormation custom resource that removes what runs left before the stack goes."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ..common import aws, cloudformation, kinds, log
from ..common.errors import SpineError
from . import inventory
from .backoff import Backoff
from .removal import Removal
from .sweep import Context

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# What an answer to CloudFormation may need, at worst.
_MARGIN_SECONDS = 60.0
# CloudFormation takes answers of 4,096 bytes.
_LONGEST_REASON = 1500


class LeftoverError(SpineError):
    """Something of the deployment's runs is still there."""


def handler(event: dict[str, Any], context: Context) -> None:
    """Answer a CloudFormation request; on Delete, remove everything first."""
    prefix = os.environ["NAME_PREFIX"]

    def on_delete(backoff: Backoff) -> None:
        tear_down(aws.client("sagemaker"), prefix, backoff=backoff)

    answer(event, context, physical_id=f"{prefix}-teardown", on_delete=on_delete)


def answer(
    event: dict[str, Any],
    context: Context,
    *,
    physical_id: str,
    on_delete: Callable[[Backoff], None],
) -> None:
    """Answer a request of CloudFormation for a custom resource that works when it is deleted.

    CloudFormation waits for an answer for up to an hour, so one is sent whatever happens.

    Args:
        event: The request.
        context: Lambda's.
        physical_id: What the resource is called when it is created.
        on_delete: What is done first on Delete; whatever it raises is the reason of a failure.
    """
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            seconds = context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
            on_delete(Backoff(seconds))
    except Exception as error:  # noqa: BLE001 (any failure has to be answered, or the stack hangs)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
    kind = physical_id.rpartition("-")[2]
    log.event(kind, request=event.get("RequestType"), status=status, reason=reason)
    cloudformation.respond(event, event.get("PhysicalResourceId", physical_id), status, reason)


def tear_down(sagemaker: "SageMakerClient", prefix: str, *, backoff: Backoff) -> None:
    """Remove everything the deployment's runs left, and wait until it is gone.

    Looks again after each round: an execution that still runs may have made something meanwhile.

    Raises:
        LeftoverError: Something is left when the wait is used up, or could not be looked at; the
            message lists it.
    """
    while True:
        found = inventory.take(
            sagemaker, prefix, kinds.KINDS, job_statuses=("InProgress", "Stopping")
        )
        if not found.runs and not found.failures:
            return
        failures = found.failures + _remove(sagemaker, list(found.runs))
        if not backoff.wait():
            remains = [item.name for run in found.runs.values() for item in run.resources]
            raise LeftoverError(
                "Not everything is gone yet; delete the stack again, or remove by hand:"
                f" {', '.join([*failures, *remains])}"
            )


def _remove(sagemaker: "SageMakerClient", bases: list[str]) -> list[str]:
    failures = []
    for base in bases:
        try:
            Removal(sagemaker, base, models=True).advance()
        except (BotoCoreError, ClientError) as error:
            failures.append(f"{base} ({error})")
    return failures
