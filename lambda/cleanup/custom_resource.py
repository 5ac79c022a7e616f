"""A CloudFormation custom resource that works when it is deleted, and answers whatever happens."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..common import log
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
    _answer(event, physical_id, status, reason)


def _cut(reason: str) -> str:
    """As much of it as fits: what is not ASCII takes up to twelve bytes in JSON."""
    while len(json.dumps(reason)) > _LONGEST_REASON:
        reason = reason[: len(reason) * 3 // 4]
    return reason


def _answer(event: dict[str, Any], physical_id: str, status: str, reason: str) -> None:
    url = event["ResponseURL"]
    parts = urlsplit(url)
    # The address is CloudFormation's own and signed; plain http stays on this machine.
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SpineError("CloudFormation's ResponseURL is not an https address.")
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": event.get("PhysicalResourceId", physical_id),
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
    ).encode()
    # The signature covers an empty content type; urllib would send one of its own.
    request = urllib.request.Request(  # noqa: S310 (checked above)
        url, data=body, method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (checked above)
        answer.read()
