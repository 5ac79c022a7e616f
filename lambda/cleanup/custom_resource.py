"""A CloudFormation custom resource that works when it is deleted, and answers whatever happens."""

import json
from collections.abc import Callable
from typing import Any

from ..common import cloudformation, log
from ..common.errors import SpineError

# What a last call with all its tries, and an answer to CloudFormation, may need at worst.
MARGIN_SECONDS = 120.0
# CloudFormation takes answers of 4,096 bytes.
_LONGEST_REASON = 1500


class GoesOnError(SpineError):
    """Another invocation of the function goes on with the request, and will answer it."""


def answer(event: dict[str, Any], *, physical_id: str, on_delete: Callable[[], str]) -> None:
    """Answer a request of CloudFormation for a custom resource that works when it is deleted.

    CloudFormation waits for an answer for up to an hour, so one is sent whatever happens.

    Args:
        event: The request.
        physical_id: What the resource is called when it is created.
        on_delete: What is done first on Delete, and returns what there is to say; whatever it
            raises is the reason of a failure, but for GoesOnError, after which nothing is answered.
    """
    status, reason = "SUCCESS", ""
    kind = physical_id.rpartition("-")[2]
    try:
        if event["RequestType"] == "Delete":
            reason = on_delete()
    except GoesOnError as error:
        log.event(kind, request=event.get("RequestType"), status="GOES_ON", reason=str(error))
        return
    except Exception as error:  # noqa: BLE001 (any failure has to be answered, or the stack hangs)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"
    reason = _cut(reason)
    log.event(kind, request=event.get("RequestType"), status=status, reason=reason)
    cloudformation.respond(event, event.get("PhysicalResourceId", physical_id), status, reason)


def _cut(reason: str) -> str:
    """As much of it as fits: what is not ASCII takes up to twelve bytes in JSON."""
    while len(json.dumps(reason)) > _LONGEST_REASON:
        reason = reason[: len(reason) * 3 // 4]
    return reason
