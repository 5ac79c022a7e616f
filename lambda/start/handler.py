"""Start one execution for each object that arrives, however often its event is delivered."""

import hashlib
import json
import os
from typing import Any

from botocore.exceptions import ClientError

from ..common import aws, log


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Start the state machine for an S3 "Object Created" event from EventBridge.

    Returns:
        `{"started": bool, "execution": ARN or name, "reason": ...}`; not started when this very
        object already was, or when it is the empty object that stands for a folder.
    """
    detail = event["detail"]
    bucket = detail["bucket"]["name"]
    item = detail["object"]
    if item["key"].endswith("/") and not item.get("size"):
        return {"started": False, "execution": None, "reason": "a folder"}
    name = execution_name(bucket, item)
    source = {"uri": f"s3://{bucket}/{item['key']}", "version_id": item.get("version-id")}
    execution_input = _merged(json.loads(os.environ["INPUT"]), {"source": source})
    try:
        answer = aws.client("stepfunctions").start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"],
            name=name,
            input=json.dumps(execution_input),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        log.event("object already started", execution=name)
        return {"started": False, "execution": name, "reason": "already started"}
    log.event("execution started", execution=answer["executionArn"])
    return {"started": True, "execution": answer["executionArn"], "reason": None}


def execution_name(bucket: str, item: dict[str, Any]) -> str:
    """Return the one name of this version of this object, 37 characters.

    EventBridge delivers at least once and in any order. Without versioning, the sequencer tells
    one upload of the same content from the next.
    """
    version = item.get("version-id") or [item.get("etag"), item.get("sequencer")]
    identity = json.dumps([bucket, item["key"], version])
    return f"file-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one JSON object over another, object by object."""
    merged = dict(base)
    for name, value in over.items():
        under = merged.get(name)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[name] = _merged(under, value)
        else:
            merged[name] = value
    return merged
