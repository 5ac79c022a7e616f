"""RedriveExecution: an execution that ended badly goes on from the state that did not succeed.

What is redriven, and how, follows "Restarting state machine executions with redrive" in the
developer guide: a state that was entered and never left is evaluated again with the input and the
variables it began with; of a Parallel and an inline Map only the branches and iterations that did
not succeed; attempts of Retry begin at 0, and so do the time-outs; the definition stays the one the
execution began with. The history goes on behind `ExecutionRedriven`: a state that is evaluated
again is not entered again (a Fail state is), its events follow its first `...StateEntered`.

`localcloud.stepfunctions.progress` keeps what a program needs to go on; here is the API.
"""

import contextvars
import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from localcloud import hooks
from localcloud.stepfunctions import arns, constraints, executions, requests, wording
from localcloud.stepfunctions.responses import error

_STEPFUNCTIONS = "ministack.services.stepfunctions"

# RedriveExecution, API reference: the redrivable period, and the room two events need.
_PERIOD = dt.timedelta(days=14)
_MOST_EVENTS = 24_999
_BY_MAP_RUN = "Child workflow executions are redriven by their Map Run"
_TOKENS = 10
_TOKEN_SECONDS = 15 * 60
_lock = threading.Lock()


def redrive(data: dict[str, Any]) -> Any:
    """Answer RedriveExecution."""
    arn, token = data.get("executionArn", ""), data.get("clientToken")
    record = stepfunctions._executions.get(arn)
    if record is None:
        return error("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    with _lock:
        now = time.time()
        known = {
            each: used
            for each, used in record.get("redriveTokens", {}).items()
            if now - used[0] < _TOKEN_SECONDS
        }
        if token in known:
            return stepfunctions.json_response({"redriveDate": known[token][1]})
        if reason := _reason_against(record):
            return error("ExecutionNotRedrivable", reason)
        date = stepfunctions.now_iso()
        number = record.get("redriveCount", 0) + 1
        if token:
            known[token] = (now, date)
        record.update(
            status="RUNNING",
            stopDate=None,
            output=None,
            error=None,
            cause=None,
            redriveCount=number,
            redriveDate=date,
            redriveTokens=dict(list(known.items())[-_TOKENS:]),
        )
    stepfunctions._emit_execution_status_event(record)
    scope = contextvars.copy_context()  # the account and region of the request
    threading.Thread(
        target=scope.run, args=(executions.attempt, record, number), daemon=True
    ).start()
    return stepfunctions.json_response({"redriveDate": date})


@hooks.around(
    f"{_STEPFUNCTIONS}:handle_request",
    reason="RedriveExecution is an unknown action, and a malformed ARN is said not to exist",
)
async def _answered(
    answer: Callable[..., Any], method: str, path: str, headers: Any, body: Any, query_params: Any
) -> Any:
    """Answer one more action than MiniStack does, and refuse what the model or an ARN forbids."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return stepfunctions._finalize_response(error("SerializationException", "Invalid JSON"))
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if refused := constraints.refusal(action, data) or arns.refusal(data):
        return stepfunctions._finalize_response(refused)
    if action == "RedriveExecution":
        return stepfunctions._finalize_response(redrive(data))
    return wording.worded(await answer(method, path, headers, body, query_params), data)


@hooks.around(f"{_STEPFUNCTIONS}:_describe_execution", reason="says nothing of redrives")
def _described(describe: Callable[..., Any], data: dict[str, Any]) -> Any:
    status, headers, body = describe(data)
    record = stepfunctions._executions.get(data.get("executionArn"))
    if status != 200 or record is None:
        return status, headers, body
    found = json.loads(body) | details(record)
    if found["output"] is None:
        found.pop("outputDetails")
    return stepfunctions.json_response(found)


def status_of(record: dict[str, Any]) -> tuple[str, str | None]:
    """An execution's `redriveStatus`, and why where it cannot be redriven."""
    reason = _reason_against(record)
    if reason is None:
        return "REDRIVABLE", None
    return ("REDRIVABLE_BY_MAP_RUN" if reason == _BY_MAP_RUN else "NOT_REDRIVABLE"), reason


def _reason_against(record: dict[str, Any]) -> str | None:
    """Why an execution cannot be redriven, in the words of DescribeExecution's reference."""
    if record.get("mapRunArn") and record["status"] not in ("RUNNING", "SUCCEEDED"):
        return _BY_MAP_RUN
    machine = stepfunctions._state_machines.get(record["stateMachineArn"])
    if record["status"] in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {record['status']} and cannot be redriven"
    if machine is None:
        return "State machine is in DELETING status"
    if machine.get("type") == "EXPRESS":
        return "Executions of EXPRESS state machines cannot be redriven"
    if len(record["events"]) >= _MOST_EVENTS:
        return "Execution history event limit exceeded"
    ended = dt.datetime.fromisoformat(record["stopDate"].replace("Z", "+00:00"))
    if dt.datetime.now(dt.UTC) - ended > _PERIOD:
        return "Execution redrivable period exceeded"
    return None


def details(record: dict[str, Any]) -> dict[str, Any]:
    """What DescribeExecution and the status change's event say of redrives."""
    found: dict[str, Any] = {"redriveCount": record.get("redriveCount", 0)}
    if "redriveDate" in record:
        found["redriveDate"] = record["redriveDate"]
    found["redriveStatus"], reason = status_of(record)
    if reason:
        found["redriveStatusReason"] = reason
    return found


@hooks.around(
    f"{_STEPFUNCTIONS}:_list_executions",
    reason="says nothing of redrives, does not filter by them, and takes a machine that is gone "
    "for one without executions",
)
def _listed(list_executions: Callable[..., Any], data: dict[str, Any]) -> Any:
    machine = data.get("stateMachineArn")
    if machine and stepfunctions._resolve_state_machine_arn(machine) is None:
        return error("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
    if machine and requests.is_express(stepfunctions._resolve_state_machine_arn(machine)):
        return requests.unsupported_type()
    wanted = data.get("redriveFilter")
    if wanted not in (None, "REDRIVEN", "NOT_REDRIVEN"):
        return error("ValidationException", f"Invalid redriveFilter: '{wanted}'")
    if data.get("statusFilter") == "PENDING_REDRIVE" and not data.get("mapRunArn"):
        return error("ValidationException", "PENDING_REDRIVE is a status of Map Runs only")
    # Of the filtered, one page: what MiniStack leaves out of its own would be missing here.
    everything = data | {"maxResults": len(list(stepfunctions._executions.values())) + 1}
    status, headers, body = list_executions(everything if wanted else data)
    if status != 200:
        return status, headers, body
    answer = json.loads(body)
    for each in answer["executions"]:
        record = stepfunctions._executions[each["executionArn"]]
        each["redriveCount"] = record.get("redriveCount", 0)
        if "redriveDate" in record:
            each["redriveDate"] = record["redriveDate"]
    if wanted:
        found = [
            each
            for each in answer["executions"]
            if (each["redriveCount"] > 0) == (wanted == "REDRIVEN")
        ]
        size = int(data.get("maxResults") or 100)
        answer = {"executions": found[:size]}
        if len(found) > size:
            answer["nextToken"] = stepfunctions._encode_execution_token(found[size - 1])
    return stepfunctions.json_response(answer)
