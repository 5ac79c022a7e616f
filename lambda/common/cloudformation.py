"""Answering CloudFormation's requests for a custom resource."""

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from .errors import SpineError


def respond(event: dict[str, Any], physical_id: str, status: str, reason: str) -> None:
    """Send the answer to a request.

    Args:
        event: The request.
        physical_id: What the resource is called from now on; CloudFormation asks for the removal of
            one that was called otherwise.
        status: SUCCESS or FAILED.
        reason: Of a failure.

    Raises:
        SpineError: The address is no one of CloudFormation's.
    """
    url = event["ResponseURL"]
    parts = urlsplit(url)
    # The address is CloudFormation's own and signed; plain http stays on this machine.
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SpineError("CloudFormation's ResponseURL is not an https address.")
    body = json.dumps(
        {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": physical_id,
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
