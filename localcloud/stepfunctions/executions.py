"""Executions: MiniStack keeps the records, moto's interpreter does the work.

MiniStack answers the Step Functions API and stores machines and executions. Its own interpreter
falls short (exception classes never reach Retry, a machine's timeout is ignored, Parallel does not
fail fast), so the one function that runs an execution is replaced.
"""

import contextvars
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import stepfunctions
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from localcloud import hooks
from localcloud.stepfunctions import logs, progress

_STEPFUNCTIONS = "ministack.services.stepfunctions"
_lock = threading.Lock()
_running: dict[str, "Execution"] = {}
# One for each execution: its attempts run one after the other.
_turns: dict[str, threading.Lock] = {}


class Execution:
    """One run of a state machine in moto's interpreter, or the redrive of one.

    Args:
        record: MiniStack's.
        machine: The machine as it was when the execution was started.
        number: How often it was redriven.
        before: The attempt that is redriven.
        program: What it runs, where that is not the machine's definition: a Map Run's child.
    """

    def __init__(
        self,
        record: dict[str, Any],
        machine: dict[str, Any],
        number: int,
        before: "Execution | None" = None,
        program: Any = None,
    ) -> None:
        self._record = record
        self._before = before
        self._program: Any = program or AmazonStateLanguageParser.parse(machine["definition"])[0]
        # The account and region of the request, which moto's threads do not hand on.
        self.scope = contextvars.copy_context()
        self._input = json.loads(record["input"] or "{}")
        self.machine = machine
        self.number = number
        self.environment = self._environment()
        self.progress: progress.Progress = before.progress if before else progress.Progress()
        progress.follow(self.environment, self.progress)
        if before:
            # The history goes on, in the log as well.
            hooks.put(self.environment, "event_manager", before.events)
            logs.redriven(before.environment.cloud_watch_logging_session, self.number)
        self.events: Any = self.environment.event_manager

    def run(self) -> None:
        """Run to the end; the outcome is in `environment`."""
        started: Any = {
            "executionStartedEventDetails": {
                "input": json.dumps(self._input),
                "inputDetails": {"truncated": False},
                "roleArn": self.machine["roleArn"],
            }
        }
        if self._before is None:
            self._note(HistoryEventType.ExecutionStarted, started)
        first = self._before.number + 1 if self._before else 1
        for number in range(first, self.number + 1):
            if number > first or self._before is None:
                # An attempt that was stopped before its turn has left nothing else.
                self._note(HistoryEventType.ExecutionAborted, {"executionAbortedEventDetails": {}})
            redriven = {"executionRedrivenEventDetails": {"redriveCount": number}}
            self._note(HistoryEventType.ExecutionRedriven, redriven)
        self._program.eval(self.environment)

    def _note(self, kind: HistoryEventType, details: Any) -> None:
        self.events.add_event(
            context=self.environment.event_history_context,
            event_type=kind,
            event_details=details,
            update_source_event_id=False,
        )

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
            },
            "StateMachine": {"Id": machine["stateMachineArn"], "Name": machine["name"]},
        }
        if machine.get("type") != "EXPRESS":  # which cannot be redriven
            context["Execution"]["RedriveCount"] = self.number
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


def new_record(arn: str, machine: str, name: str, given: str) -> dict[str, Any]:
    """The record of an execution that MiniStack does not keep itself, which begins now.

    Args:
        arn: The execution's.
        machine: The ARN of its machine.
        name: Its name.
        given: Its input, as JSON.
    """
    return {
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": name,
        "status": "RUNNING",
        "startDate": stepfunctions.now_iso(),
        "stopDate": None,
        "input": given,
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": {"included": True},
        "events": [],
        # MiniStack's mark of an execution without status change events.
        "sync": True,
    }


def all_running() -> list[Execution]:
    """The executions that the interpreter is at work on."""
    with _lock:
        return list(_running.values())


def find_running(arn: str) -> Execution | None:
    """An execution that the interpreter is at work on, or None."""
    with _lock:
        return _running.get(arn)


def of(env: Environment) -> Execution:
    """The execution that an environment, or a frame of it, belongs to."""
    with _lock:
        return _running[env.states.context_object.context_object_data["Execution"]["Id"]]


@hooks.uses(f"{_STEPFUNCTIONS}:_executions", reason="the records of executions")
@hooks.uses(f"{_STEPFUNCTIONS}:_state_machines", reason="the records of machines")
@hooks.replaces(f"{_STEPFUNCTIONS}:_run_execution", reason="MiniStack's own interpreter")
def run(exec_arn: str) -> None:
    """Run an execution that MiniStack has recorded, and record how it ended."""
    attempt(stepfunctions._executions[exec_arn], 0)


def attempt(record: dict[str, Any], number: int) -> None:
    """Run an execution, or redrive it, as soon as the interpreter has let go of it.

    An attempt that was stopped before its turn, and redriven since, is the later one's: two
    interpreters must never be at work on one execution.

    Args:
        record: MiniStack's.
        number: How often the execution had been redriven when this attempt was asked for.
    """
    with _lock:
        turn = _turns.setdefault(record["executionArn"], threading.Lock())
    with turn:
        if _overtaken(record, number):
            return
        history = record["events"]
        if isinstance(history, History):
            begin(record, number, history.execution.machine, history.execution)
        else:
            # A copy: an execution keeps to the definition it began with, redriven as well.
            machine = dict(stepfunctions._state_machines[record["stateMachineArn"]])
            begin(record, number, machine)


def _overtaken(record: dict[str, Any], number: int) -> bool:
    found: bool = record.get("redriveCount", 0) != number
    return found


def begin(
    record: dict[str, Any],
    number: int,
    machine: dict[str, Any],
    before: Execution | None = None,
) -> None:
    """Run an attempt to its end; one that cannot be begun has failed."""
    try:
        execution = Execution(record, machine, number, before)
    except Exception as error:  # noqa: BLE001 - whatever it is, the execution must end
        _finish(record, number, "FAILED", error="States.Runtime", cause=str(error))
        return
    carry_out(record, execution)


def carry_out(record: dict[str, Any], execution: Execution) -> None:
    """Run an attempt to its end, known to everybody meanwhile, and record how it ended."""
    arn, number = record["executionArn"], execution.number
    record["events"] = History(execution)
    with _lock:
        _running[arn] = execution
    try:
        # Stopped, and perhaps redriven, before anybody could find it at work.
        if record["status"] == "ABORTED" or _overtaken(record, number):
            execution.stop()
        execution.run()
    finally:
        with _lock:
            _running.pop(arn, None)
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
    if record["status"] != "RUNNING" or _overtaken(record, number):
        return
    record.update(result)
    record["stopDate"] = stepfunctions.now_iso()
    record["status"] = status
    stepfunctions._emit_execution_status_event(record)


def _zulu(moment: str) -> str:
    """A time as the context object shows it: UTC, milliseconds, Z."""
    parsed = dt.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    utc = parsed.astimezone(dt.UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@hooks.edits(
    "moto.stepfunctions.parser.asl.component.state.state:StateData",
    reason="a state's EnteredTime is not in the ...Z form",
)
def _with_zulu_time(make: Callable[..., Any]) -> Callable[..., Any]:
    """Give every state an EnteredTime in UTC ending in Z; RetryCount is of those that retry."""

    def state_data(**fields: Any) -> Any:
        return make(**{**fields, "EnteredTime": _zulu(fields["EnteredTime"])})

    return state_data
