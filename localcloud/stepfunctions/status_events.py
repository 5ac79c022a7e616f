"""EventBridge's events of what becomes of executions."""

import json
import logging
from typing import Any

from ministack.services import eventbridge, stepfunctions

from localcloud import hooks
from localcloud.stepfunctions import redrive

_log = logging.getLogger(__name__)


@hooks.replaces(
    "ministack.services.stepfunctions:_emit_execution_status_event",
    reason="the event says that nothing was or can be redriven",
)
def _tell_of_status(execution: dict[str, Any]) -> None:
    """Tell EventBridge of an execution's status, redrives included; as on AWS, without fail."""
    record = execution
    if record.get("sync"):
        return
    status = record["status"]
    found = redrive.details(record)
    detail: dict[str, Any] = {
        "executionArn": record["executionArn"],
        "stateMachineArn": record["stateMachineArn"],
        "name": record["name"],
        "status": status,
        "startDate": stepfunctions._iso_to_epoch_ms(record["startDate"]),
        "stopDate": stepfunctions._iso_to_epoch_ms(record["stopDate"]),
        "input": record["input"],
        "inputDetails": {"included": True},
        "output": record["output"] if status == "SUCCEEDED" else None,
        "outputDetails": {"included": True} if status == "SUCCEEDED" else None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": found["redriveCount"],
        "redriveDate": stepfunctions._iso_to_epoch_ms(found.get("redriveDate")),
        "redriveStatus": found["redriveStatus"],
        "redriveStatusReason": found.get("redriveStatusReason"),
        "error": record.get("error") if status == "FAILED" else None,
        "cause": record.get("cause") if status == "FAILED" else None,
    }
    for member in ("input", "output"):
        if len(detail[member] or "") > stepfunctions._STATUS_EVENT_PAYLOAD_CAP:
            detail[member], detail[f"{member}Details"] = None, {"included": False}
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": json.dumps(detail),
        "Resources": [record["executionArn"]],
    }
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:  # noqa: BLE001 - whatever a target's failure is, it is not the execution's
        _log.warning("No event of %s told: %s", status, record["executionArn"], exc_info=True)
