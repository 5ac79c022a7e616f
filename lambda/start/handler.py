"""Start one execution for each object that arrives, however often its event is delivered.

Two things make a repeated event harmless. The execution's name is derived from the object's
version, and Step Functions runs one name once; but it forgets names 90 days after an execution's
end. A record of the object's version remembers for longer, and tells which execution it started.
"""

import hashlib
import json
import os
import time
from typing import Any

from botocore.exceptions import ClientError

from ..common import aws, log

# Beyond the 90 days of Step Functions, and whatever an archive of events may be replayed for.
_REMEMBERED_SECONDS = 400 * 24 * 3600


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Start the state machine for an S3 "Object Created" event from EventBridge.

    The record is claimed before the start and completed after it, so a start that fails is made
    up for by the next delivery: only a record that names its execution ends the matter.

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
    uri = f"s3://{bucket}/{item['key']}"
    if not _claimed(name, uri):
        log.event("object already started", execution=name)
        return {"started": False, "execution": name, "reason": "already started"}
    source = {"uri": uri, "version_id": item.get("version-id")}
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
        # Started by a delivery that could not say so in the record any more.
        _complete(name, name)
        log.event("object already started", execution=name)
        return {"started": False, "execution": name, "reason": "already started"}
    _complete(name, answer["executionArn"])
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


def _claimed(name: str, uri: str) -> bool:
    """Record that this object is about to be started; False when the record says it was."""
    try:
        aws.client("dynamodb").update_item(
            TableName=os.environ["RECORDS"],
            Key={"id": {"S": name}},
            UpdateExpression="SET #object = :object, expires = :expires",
            ConditionExpression="attribute_not_exists(execution)",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={
                ":object": {"S": uri},
                ":expires": {"N": str(int(time.time()) + _REMEMBERED_SECONDS)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _complete(name: str, execution: str) -> None:
    """Record what was started; a call that fails is made up for by the next delivery."""
    aws.client("dynamodb").update_item(
        TableName=os.environ["RECORDS"],
        Key={"id": {"S": name}},
        UpdateExpression="SET execution = :execution",
        ExpressionAttributeValues={":execution": {"S": execution}},
    )


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
