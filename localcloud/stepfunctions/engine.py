"""Executions: MiniStack keeps the records, moto's interpreter does the work.

MiniStack answers the Step Functions API and stores machines and executions. Its own interpreter
falls short (exception classes never reach Retry, a machine's timeout is ignored, Parallel does not
fail fast), so the one function that runs an execution is replaced.
"""

import datetime as dt
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import eventbridge, stepfunctions
from ministack.services.cloudformation import provisioners
from moto.stepfunctions.parser import utils as moto_utils
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.state import state as moto_state
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackOutcome,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from localcloud.hooks import Hook, put
from localcloud.stepfunctions import (
    clients,
    errors,
    integrations,
    interruption,
    jsonata,
    logs,
    redrive,
    sagemaker,
    validation,
)

_STEPFUNCTIONS = "ministack.services.stepfunctions"
_MACHINE = "ministack.services.cloudformation.provisioners:_RESOURCE_HANDLERS.AWS/StepFunctions/StateMachine"  # noqa: E501 - one dotted name

HOOKS = (
    *clients.HOOKS,
    *errors.HOOKS,
    *integrations.HOOKS,
    *interruption.HOOKS,
    *jsonata.HOOKS,
    *logs.HOOKS,
    *redrive.HOOKS,
    *sagemaker.HOOKS,
    *validation.HOOKS,
    Hook(
        target=f"{_STEPFUNCTIONS}:_run_execution",
        reason="MiniStack's own interpreter",
        parameters=("exec_arn",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_start_execution",
        reason="a repeated start is refused although its input is the same",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_stop_execution",
        reason="does not reach moto's interpreter",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_create_state_machine",
        reason="accepts invalid definitions",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_update_state_machine",
        reason="accepts invalid definitions",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_validate_state_machine_definition",
        reason="finds every definition valid",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_send_task_success",
        reason="task tokens belong to moto's interpreter",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_send_task_failure",
        reason="task tokens belong to moto's interpreter",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_send_task_heartbeat",
        reason="task tokens belong to moto's interpreter",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_emit_execution_status_event",
        reason="the event says that nothing was or can be redriven",
        parameters=("execution",),
    ),
    Hook(target=f"{_STEPFUNCTIONS}:_executions", reason="the records of executions"),
    Hook(target=f"{_STEPFUNCTIONS}:_state_machines", reason="the records of machines"),
    Hook(
        target=f"{_MACHINE}.create",
        reason="a template's invalid definition is accepted, its logging configuration lost",
        parameters=("logical_id", "props", "stack_name"),
    ),
    Hook(
        target=f"{_MACHINE}.update",
        reason="a template's invalid definition is accepted",
        parameters=("physical_id", "old_props", "new_props", "stack_name", "logical_id"),
    ),
    Hook(
        target="ministack.services.cloudformation.provisioners:_sfn_definition",
        reason="reads the definition a template declares",
        parameters=("props",),
    ),
    Hook(
        target="moto.stepfunctions.parser.asl.component.state.state:StateData",
        reason="a state's EnteredTime is not in the ...Z form and RetryCount is missing",
        parameters=None,
    ),
    Hook(
        target="moto.stepfunctions.parser.utils:TMP_THREADS",
        reason="remembers every thread that ever ran",
    ),
)

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_NAME = re.compile(r"^[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}$")
_LARGEST_INPUT = 262_144

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_running: dict[str, "Execution"] = {}


def install(*, endpoint_url: str, region: str) -> None:
    """Put every hook of this package in place; ``region`` is where tasks run by default."""
    del region
    clients.install(endpoint_url=endpoint_url)
    errors.install()
    integrations.install()
    interruption.install()
    jsonata.install()
    logs.install()
    redrive.install(_rerun)
    sagemaker.install()
    validation.install()
    _replace_state_data()
    _replace_thread_register()
    stepfunctions._run_execution = run
    stepfunctions._emit_execution_status_event = _tell_of_status
    stepfunctions._start_execution = _idempotent_start(stepfunctions._start_execution)
    stepfunctions._stop_execution = _stop_at_once(stepfunctions._stop_execution)
    stepfunctions._create_state_machine = _validated(stepfunctions._create_state_machine)
    stepfunctions._update_state_machine = _validated(stepfunctions._update_state_machine)
    stepfunctions._validate_state_machine_definition = _validate
    stepfunctions._send_task_success = _task_succeeded
    stepfunctions._send_task_failure = _task_failed
    stepfunctions._send_task_heartbeat = _task_alive
    _validate_templates()


class Execution:
    """One run of a state machine in moto's interpreter, or the redrive of one.

    Args:
        record: MiniStack's.
        machine: The machine as it was when the execution was started.
        before: The attempt that is redriven.
    """

    def __init__(
        self,
        record: dict[str, Any],
        machine: dict[str, Any],
        before: "Execution | None" = None,
    ) -> None:
        self._record = record
        self._before = before
        self._program: Any = AmazonStateLanguageParser.parse(machine["definition"])[0]
        self._input = json.loads(record["input"] or "{}")
        self.machine = machine
        self.number: int = record.get("redriveCount", 0)
        self.at_rest = threading.Event()
        self.environment = self._environment()
        self.progress: redrive.Progress = before.progress if before else redrive.Progress()
        redrive.follow(self.environment, self.progress)
        if before:
            # The history goes on, in the log as well.
            put(self.environment, "event_manager", before.events)
            logs.redriven(before.environment.cloud_watch_logging_session, self.number)
        self.events: Any = self.environment.event_manager

    def run(self) -> None:
        """Run to the end; the outcome is in :attr:`environment`."""
        details: Any
        if self._before:
            kind = HistoryEventType.ExecutionRedriven
            details = {"executionRedrivenEventDetails": {"redriveCount": self.number}}
        else:
            kind = HistoryEventType.ExecutionStarted
            details = {
                "executionStartedEventDetails": {
                    "input": json.dumps(self._input),
                    "inputDetails": {"truncated": False},
                    "roleArn": self.machine["roleArn"],
                }
            }
        self.events.add_event(
            context=self.environment.event_history_context,
            event_type=kind,
            event_details=details,
            update_source_event_id=False,
        )
        self._program.eval(self.environment)

    def stop(self) -> None:
        """End the execution as aborted, whatever it is doing."""
        self.environment.set_stop(
            stop_date=dt.datetime.now(dt.UTC),
            error=self._record.get("error"),
            cause=self._record.get("cause"),
        )

    def _environment(self) -> Environment:
        record, machine = self._record, self.machine
        arn: str = record["executionArn"]
        _, _, _, region, account, *_ = arn.split(":")
        context: Any = {
            "Execution": {
                "Id": arn,
                "Input": self._input,
                "Name": record["name"],
                "RoleArn": machine["roleArn"],
                "StartTime": _zulu(record["startDate"]),
                "RedriveCount": self.number,
            },
            "StateMachine": {"Id": machine["stateMachineArn"], "Name": machine["name"]},
        }
        if "redriveDate" in record:
            context["Execution"]["RedriveTime"] = _zulu(record["redriveDate"])
        last_event = len(self._before.events.get_event_history()) if self._before else 0
        environment = Environment(
            aws_execution_details=AWSExecutionDetails(
                account=account, region=region, role_arn=machine["roleArn"]
            ),
            execution_type=machine.get("type", "STANDARD"),
            context=context,
            event_history_context=EventHistoryContext(last_event),
            cloud_watch_logging_session=(
                self._before.environment.cloud_watch_logging_session
                if self._before
                else logs.session(arn, machine)
            ),
            activity_store={},
        )
        # Running before it is known to others: a stop that comes at once must find it so.
        environment.next_state_name = self._program.start_at.start_at_name
        return environment


class History:
    """An execution's events, read from the interpreter while it runs.

    Attributes:
        execution: The latest attempt.
    """

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    def _events(self) -> list[dict[str, Any]]:
        events: Any = self.execution.events.get_event_history()
        return list(events)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._events())

    def __len__(self) -> int:
        return len(self._events())

    def __getitem__(self, index: Any) -> Any:
        return self._events()[index]

    def __deepcopy__(self, memo: Any) -> list[dict[str, Any]]:
        return self._events()

    def append(self, event: dict[str, Any]) -> None:
        """Take no event from MiniStack: the interpreter has recorded the same one."""


def run(exec_arn: str) -> None:
    """Run an execution that MiniStack has recorded, and record how it ended."""
    record = stepfunctions._executions[exec_arn]
    # A copy: an execution keeps to the definition it began with, redriven as well.
    _carry_out(record, dict(stepfunctions._state_machines[record["stateMachineArn"]]))


def _rerun(record: dict[str, Any]) -> None:
    """Redrive an execution, as soon as the interpreter has let go of the attempt before."""
    history = record["events"]
    before = history.execution if isinstance(history, History) else None
    if before is None:  # it failed before the interpreter had it
        run(record["executionArn"])
        return
    before.at_rest.wait()
    _carry_out(record, before.machine, before)


def _carry_out(
    record: dict[str, Any], machine: dict[str, Any], before: Execution | None = None
) -> None:
    arn = record["executionArn"]
    number = record.get("redriveCount", 0)
    try:
        execution = Execution(record, machine, before)
    except Exception as error:  # noqa: BLE001 - whatever it is, the execution must end
        _finish(record, number, "FAILED", error="States.Runtime", cause=str(error))
        return
    record["events"] = History(execution)
    with _lock:
        _running[arn] = execution
    try:
        if record["status"] == "ABORTED":
            execution.stop()
        execution.run()
    finally:
        with _lock:
            _running.pop(arn, None)
        execution.at_rest.set()
    outcome = execution.environment.program_state()
    if isinstance(outcome, ProgramEnded):
        output = json.dumps(execution.environment.states.get_input(), separators=(",", ":"))
        _finish(record, number, "SUCCEEDED", output=output)
    elif isinstance(outcome, ProgramTimedOut):
        _finish(record, number, "TIMED_OUT")
    elif isinstance(outcome, ProgramError):
        failure = outcome.error or {}
        _finish(record, number, "FAILED", error=failure.get("error"), cause=failure.get("cause"))


def _finish(record: dict[str, Any], number: int, status: str, **result: str | None) -> None:
    """Record how an attempt ended, unless it was aborted, and tell EventBridge."""
    if record["status"] != "RUNNING" or record.get("redriveCount", 0) != number:
        return
    record.update(result)
    record["stopDate"] = stepfunctions.now_iso()
    record["status"] = status
    stepfunctions._emit_execution_status_event(record)


def _tell_of_status(record: dict[str, Any]) -> None:
    """Tell EventBridge of an execution's status, redrives included; as on AWS, without fail."""
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


def _zulu(moment: str) -> str:
    """A time as the context object shows it: UTC, milliseconds, Z."""
    parsed = dt.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    utc = parsed.astimezone(dt.UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _replace_state_data() -> None:
    """Give every state its RetryCount, and an EnteredTime in UTC ending in Z."""

    def state_data(**fields: Any) -> dict[str, Any]:
        return {**fields, "EnteredTime": _zulu(fields["EnteredTime"]), "RetryCount": 0}

    put(moto_state, "StateData", state_data)


class _Forgetful(list[threading.Thread]):
    """A register of threads that keeps none: daemon threads need no joining."""

    def append(self, thread: threading.Thread) -> None:
        """Forget the thread."""


def _replace_thread_register() -> None:
    """Keep moto from remembering every thread it ever started."""
    import sys

    original = moto_utils.TMP_THREADS
    for name, module in list(sys.modules.items()):
        if (
            name.startswith("moto.stepfunctions")
            and getattr(module, "TMP_THREADS", None) is original
        ):
            put(module, "TMP_THREADS", _Forgetful())


Handler = Callable[[dict[str, Any]], Any]


def _idempotent_start(start: Handler) -> Handler:
    """Check a start as AWS does; a repeated one with the same input gives the running execution."""

    def started(data: dict[str, Any]) -> Any:
        name, text = data.get("name"), data.get("input", "{}")
        if name is not None and not _NAME.match(name):
            return _error("InvalidName", f"Invalid Name: '{name}'")
        if len(text.encode()) > _LARGEST_INPUT:
            return _error(
                "ValidationException", f"The input exceeds {_LARGEST_INPUT} bytes", code=400
            )
        try:
            json.loads(text)
        except ValueError as error:
            return _error(
                "InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}"
            )
        machine = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
        if name and machine:
            arn = machine.replace(":stateMachine:", ":execution:", 1) + f":{name}"
            known = stepfunctions._executions.get(arn)
            if known and known["status"] == "RUNNING" and known["input"] == text:
                return stepfunctions.json_response(
                    {"executionArn": arn, "startDate": known["startDate"]}
                )
        return start(data)

    return started


def _stop_at_once(stop: Handler) -> Handler:
    """Record the abort as MiniStack does, then end the interpreter's work."""

    def stopped(data: dict[str, Any]) -> Any:
        answer = stop(data)
        with _lock:
            execution = _running.get(data.get("executionArn", ""))
        record = stepfunctions._executions.get(data.get("executionArn"))
        if execution and record and record["status"] == "ABORTED":
            execution.stop()
        return answer

    return stopped


def _validated(handler: Handler) -> Handler:
    """Refuse an invalid definition."""

    def handled(data: dict[str, Any]) -> Any:
        found = validation.problems(data["definition"]) if "definition" in data else []
        if found:
            text = ", ".join(map(str, found))
            return _error("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")
        return handler(data)

    return handled


def _validate(data: dict[str, Any]) -> Any:
    """Answer ValidateStateMachineDefinition."""
    found = validation.problems(data.get("definition", ""))
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


def _validate_templates() -> None:
    """Fail a stack whose state machine is invalid, before the machine is touched."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    create, update = handler["create"], handler["update"]

    def refuse(props: dict[str, Any]) -> None:
        found = validation.problems(provisioners._sfn_definition(props))
        if found:
            text = ", ".join(map(str, found))
            raise ValueError(f"Invalid State Machine Definition: '{text}'")

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        refuse(props)
        return create(logical_id, _with_api_logging(props), stack_name)

    def updated(
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> Any:
        refuse(new_props)
        old, new = _with_api_logging(old_props), _with_api_logging(new_props)
        return update(physical_id, old, new, stack_name, logical_id)

    handler["create"], handler["update"] = created, updated


def _with_api_logging(props: dict[str, Any]) -> dict[str, Any]:
    """A template's logging configuration with the API's member names (MiniStack keeps its own)."""
    if "LoggingConfiguration" not in props:
        return props
    return props | {"LoggingConfiguration": _camel(props["LoggingConfiguration"])}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    # A template's booleans may arrive as texts.
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _task_succeeded(data: dict[str, Any]) -> Any:
    token = data["taskToken"]
    try:
        json.loads(data["output"])
    except ValueError as error:
        return _error("InvalidOutput", f"Invalid Output: {error}")
    return _notify(token, CallbackOutcomeSuccess(callback_id=token, output=data["output"]))


def _task_failed(data: dict[str, Any]) -> Any:
    token = data["taskToken"]
    return _notify(
        token,
        CallbackOutcomeFailure(callback_id=token, error=data.get("error"), cause=data.get("cause")),
    )


def _task_alive(data: dict[str, Any]) -> Any:
    for execution in _all_running():
        if execution.environment.callback_pool_manager.heartbeat(callback_id=data["taskToken"]):
            return stepfunctions.json_response({})
    return _error("TaskDoesNotExist", "Task does not exist")


def _notify(token: str, outcome: CallbackOutcome) -> Any:
    for execution in _all_running():
        manager = execution.environment.callback_pool_manager
        if manager.notify(callback_id=token, outcome=outcome):
            return stepfunctions.json_response({})
    return _error("TaskDoesNotExist", "Task does not exist")


def _all_running() -> list[Execution]:
    with _lock:
        return list(_running.values())


def _error(name: str, message: str, code: int = 400) -> Any:
    return stepfunctions.error_response_json(name, message, code)
