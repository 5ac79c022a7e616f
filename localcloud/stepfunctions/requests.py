"""Requests of the Step Functions API that MiniStack answers otherwise than AWS does."""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcome,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
)

from localcloud import hooks
from localcloud.stepfunctions import executions, express, validation
from localcloud.stepfunctions.responses import error

_STEPFUNCTIONS = "ministack.services.stepfunctions"

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_NAME = re.compile(r"^[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}$")
_LARGEST_INPUT = 262_144
# Of a machine that was updated: the revision that it was created with, which AWS does not show.
_FIRST = "firstRevisionId"
_UPDATED = (
    "definition",
    "roleArn",
    "loggingConfiguration",
    "tracingConfiguration",
    "encryptionConfiguration",
)


@hooks.around(
    f"{_STEPFUNCTIONS}:_start_execution",
    reason="a repeated start is refused although its input is the same",
)
def _idempotent_start(start: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Check a start as AWS does; a repeated one with the same input gives the running execution."""
    name, text = data.get("name"), data.get("input", "{}")
    if refused := _refused_start(name, text):
        return refused
    machine = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine and is_express(machine):
        return stepfunctions.json_response(
            express.start(stepfunctions._state_machines[machine], data)
        )
    if name and machine:
        arn = machine.replace(":stateMachine:", ":execution:", 1) + f":{name}"
        known = stepfunctions._executions.get(arn)
        if known and known["status"] == "RUNNING" and known["input"] == text:
            return stepfunctions.json_response(
                {"executionArn": arn, "startDate": known["startDate"]}
            )
    return start(data)


@hooks.around(
    f"{_STEPFUNCTIONS}:_start_sync_execution",
    reason="runs standard machines, and express ones as such",
)
def _express_only(start: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Run an express machine to its end."""
    if refused := _refused_start(data.get("name"), data.get("input", "{}")):
        return refused
    machine = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine is None:
        return start(data)
    if not is_express(machine):
        return unsupported_type()
    return stepfunctions.json_response(
        express.start_sync(stepfunctions._state_machines[machine], data)
    )


def is_express(machine: str) -> bool:
    """Whether a machine that there is, by its ARN, is of express workflows."""
    found: bool = stepfunctions._state_machines[machine].get("type") == "EXPRESS"
    return found


def unsupported_type() -> Any:
    """The refusal of what is for the other type of machine."""
    return error(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )


def _refused_start(name: str | None, text: str) -> Any:
    """The refusal of a name or an input, or None."""
    if name is not None and not _NAME.match(name):
        return error("InvalidName", f"Invalid Name: '{name}'")
    if len(text.encode()) > _LARGEST_INPUT:
        return error("ValidationException", f"The input exceeds {_LARGEST_INPUT} bytes")
    try:
        json.loads(text)
    except ValueError as invalid:
        return error("InvalidExecutionInput", f"Invalid State Machine Execution Input: {invalid}")
    return None


@hooks.around(f"{_STEPFUNCTIONS}:_stop_execution", reason="does not reach moto's interpreter")
def _stop_at_once(stop: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Record the abort as MiniStack does, then end the interpreter's work."""
    answer = stop(data)
    execution = executions.find_running(data.get("executionArn", ""))
    record = stepfunctions._executions.get(data.get("executionArn"))
    if execution and record and record["status"] == "ABORTED":
        execution.stop()
    return answer


@hooks.around(
    f"{_STEPFUNCTIONS}:_delete_state_machine",
    reason="deleting what is gone is refused, although the operation is idempotent",
)
def _deleted(delete: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Delete a machine, or find that it is gone."""
    if stepfunctions._state_machines.get(data.get("stateMachineArn")) is None:
        return stepfunctions.json_response({})
    return delete(data)


@hooks.around(
    f"{_STEPFUNCTIONS}:_create_state_machine",
    f"{_STEPFUNCTIONS}:_update_state_machine",
    reason="accepts invalid definitions, and members that do not go together",
)
def _validated(handle: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Refuse an invalid definition, name or combination."""
    if "name" in data and not _NAME.match(data["name"]):
        return error("InvalidName", f"Invalid Name: '{data['name']}'")
    if data.get("versionDescription") and not data.get("publish"):
        return error(
            "ValidationException", "Version description can only be set when publish is true"
        )
    if "name" not in data and not any(each in data for each in _UPDATED):
        return error(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the "
            "TracingConfiguration must be specified",
        )
    machine = stepfunctions._state_machines.get(data.get("stateMachineArn")) or {}
    kind = machine.get("type") or data.get("type") or "STANDARD"
    found = validation.problems(data["definition"], kind) if "definition" in data else []
    if found:
        text = ", ".join(map(str, found))
        return error("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")
    before = {field: machine.get(field) for field in (*_UPDATED, "revisionId")}
    status, headers, body = handle(data)
    if status != 200:
        return status, headers, body
    if not machine:
        return status, headers, body
    machine.setdefault(_FIRST, before["revisionId"])
    if all(machine.get(field) == before[field] for field in _UPDATED):
        machine["revisionId"] = before["revisionId"]
    return stepfunctions.json_response(json.loads(body) | {"revisionId": machine["revisionId"]})


@hooks.around(
    f"{_STEPFUNCTIONS}:_create_activity", reason="accepts any name, and refuses a repeated call"
)
def _activity_named(create: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Create an activity, or find that it is there: the operation is idempotent."""
    name = data.get("name", "")
    if not _NAME.match(name):
        return error("InvalidName", f"Invalid Name: '{name}'")
    for known in stepfunctions._activities.values():
        if known["name"] == name:
            return stepfunctions.json_response(
                {each: known[each] for each in ("activityArn", "creationDate")}
            )
    return create(data)


@hooks.around(f"{_STEPFUNCTIONS}:_delete_activity", reason="deleting what is gone is refused")
def _activity_deleted(delete: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Delete an activity, or find that it is gone."""
    if stepfunctions._activities.get(data.get("activityArn")) is None:
        return stepfunctions.json_response({})
    return delete(data)


@hooks.around(
    f"{_STEPFUNCTIONS}:_publish_state_machine_version",
    reason="makes any number of versions of one revision, and words a conflict otherwise",
)
def _published(publish: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Publish a version, or find the one that the revision has."""
    machine = stepfunctions._state_machines.get(data.get("stateMachineArn"))
    if machine is None:
        return publish(data)
    revision, wanted = machine["revisionId"], data.get("revisionId")
    if wanted and wanted != revision:
        return error(
            "ConflictException",
            f"Failed to publish the State Machine version for revision {wanted}. "
            f"The current State Machine revision is {revision}.",
        )
    for version in stepfunctions._state_machine_versions.values():
        if version["stateMachineRevisionId"] == revision:
            return stepfunctions.json_response(
                {each: version[each] for each in ("stateMachineVersionArn", "creationDate")}
            )
    return publish(data)


@hooks.around(
    f"{_STEPFUNCTIONS}:_describe_state_machine",
    reason="says nothing of tracing, and of a first revision that AWS does not show",
)
def _described(describe: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Describe a machine; without tracing, which it does not do."""
    status, headers, body = describe(data)
    if status != 200:
        return status, headers, body
    found = {"tracingConfiguration": {"enabled": False}} | json.loads(body)
    named = stepfunctions._resolve_state_machine_arn(data["stateMachineArn"])
    first = (stepfunctions._state_machines.get(named) or {}).get(_FIRST)
    updated = found.pop(_FIRST, None) is not None
    # Before any update there is no other than the first.
    if not updated and first in (None, found.get("revisionId")):
        found.pop("revisionId", None)
    if not found.get("description"):
        found.pop("description", None)
    return stepfunctions.json_response(found)


@hooks.around(
    f"{_STEPFUNCTIONS}:_describe_state_machine_for_execution", reason="says nothing of logging"
)
def _with_logging(describe: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Describe an execution's machine, with its logging."""
    status, headers, body = describe(data)
    if status != 200:
        return status, headers, body
    found = json.loads(body)
    machine = stepfunctions._state_machines[found["stateMachineArn"]]
    return stepfunctions.json_response(
        found | {"loggingConfiguration": machine["loggingConfiguration"]}
    )


@hooks.replaces(
    f"{_STEPFUNCTIONS}:_validate_state_machine_definition", reason="finds every definition valid"
)
def _validate(data: dict[str, Any]) -> Any:
    """Answer ValidateStateMachineDefinition."""
    found = validation.problems(data.get("definition", ""), data.get("type", "STANDARD"))
    diagnostics = [
        {
            "severity": "ERROR",
            "code": problem.code,
            "message": problem.message,
            "location": problem.location,
        }
        for problem in found
    ]
    return stepfunctions.json_response(
        {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": False}
    )


@hooks.replaces(
    f"{_STEPFUNCTIONS}:_send_task_success", reason="task tokens belong to moto's interpreter"
)
def _task_succeeded(data: dict[str, Any]) -> Any:
    token = data["taskToken"]
    try:
        json.loads(data["output"])
    except ValueError as invalid:
        return error("InvalidOutput", f"Invalid Output: {invalid}")
    return _notify(token, CallbackOutcomeSuccess(callback_id=token, output=data["output"]))


@hooks.replaces(
    f"{_STEPFUNCTIONS}:_send_task_failure", reason="task tokens belong to moto's interpreter"
)
def _task_failed(data: dict[str, Any]) -> Any:
    token = data["taskToken"]
    return _notify(
        token,
        CallbackOutcomeFailure(callback_id=token, error=data.get("error"), cause=data.get("cause")),
    )


@hooks.replaces(
    f"{_STEPFUNCTIONS}:_send_task_heartbeat", reason="task tokens belong to moto's interpreter"
)
def _task_alive(data: dict[str, Any]) -> Any:
    for execution in executions.all_running():
        if execution.environment.callback_pool_manager.heartbeat(callback_id=data["taskToken"]):
            return stepfunctions.json_response({})
    return error("TaskDoesNotExist", "Task does not exist")


def _notify(token: str, outcome: CallbackOutcome) -> Any:
    for execution in executions.all_running():
        manager = execution.environment.callback_pool_manager
        if manager.notify(callback_id=token, outcome=outcome):
            return stepfunctions.json_response({})
    return error("TaskDoesNotExist", "Task does not exist")
