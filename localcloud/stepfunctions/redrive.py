"""RedriveExecution: an execution that ended badly goes on from the state that did not succeed.

What is redriven, and how, follows "Restarting state machine executions with redrive" in the
developer guide: a state that was entered and never left is evaluated again with the input and the
variables it began with; of a Parallel and an inline Map only the branches and iterations that did
not succeed; attempts of Retry begin at 0, and so do the time-outs; the definition stays the one the
execution began with. The history goes on behind ``ExecutionRedriven``: a state that is evaluated
again is not entered again (a Fail state is), its events follow its first ``...StateEntered``.

While a program runs (a machine, a branch, an iteration), :class:`Progress` keeps what it would need
to go on.
"""

import contextvars
import dataclasses
import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (  # noqa: E501
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (  # noqa: E501
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import (  # noqa: E501
    IterationWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import (
    BranchWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import (
    BranchesDecl,
    BranchWorkerPool,
)
from moto.stepfunctions.parser.asl.component.state.fail.state_fail import StateFail
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded

from localcloud.hooks import Hook, put

_STEPFUNCTIONS = "ministack.services.stepfunctions"
_EXEC = "moto.stepfunctions.parser.asl.component.state.exec"

HOOKS = (
    Hook(
        target=f"{_STEPFUNCTIONS}:handle_request",
        reason="RedriveExecution is an unknown action",
        parameters=("method", "path", "headers", "body", "query_params"),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_describe_execution",
        reason="says nothing of redrives",
        parameters=("data",),
    ),
    Hook(
        target=f"{_STEPFUNCTIONS}:_list_executions",
        reason="says nothing of redrives, and does not filter by them",
        parameters=("data",),
    ),
    Hook(
        target="moto.stepfunctions.parser.asl.component.state.state:CommonStateField._eval_body",
        reason="forgets with what a state began",
        parameters=("self", "env"),
    ),
    Hook(
        target="moto.stepfunctions.parser.asl.eval.environment:Environment.as_inner_frame_of",
        reason="a frame does not know the progress of its program",
        parameters=("env", "variable_store", "event_history_frame_cache"),
    ),
    Hook(
        target=f"{_EXEC}.state_parallel.branches_decl:BranchesDecl._eval_body",
        reason="runs all branches, those that succeeded before a redrive included",
        parameters=("self", "env"),
    ),
    Hook(
        target=f"{_EXEC}.state_map.iteration.inline_iteration_component:"
        "InlineIterationComponent._eval_body",
        reason="does not tell a first try from a repeated one",
        parameters=("self", "env"),
    ),
    Hook(
        target=f"{_EXEC}.state_map.iteration.distributed_iteration_component:"
        "DistributedIterationComponent._eval_body",
        reason="does not tell a first try from a repeated one",
        parameters=("self", "env"),
    ),
    Hook(
        target=f"{_EXEC}.state_map.iteration.iteration_worker:IterationWorker._eval_job",
        reason="runs all iterations, those that succeeded before a redrive included",
        parameters=("self", "env", "job"),
    ),
)

# RedriveExecution, API reference: the redrivable period, and the room two events need.
_PERIOD = dt.timedelta(days=14)
_MOST_EVENTS = 24_999
_TOKENS = 10
_TOKEN_SECONDS = 15 * 60


@dataclasses.dataclass
class Progress:
    """How far a program has come: the state it is in, and with what that state began.

    Attributes:
        state: The state that was entered and not left, or comes next; None before the first.
        given: Its input.
        variables: Those of the program's own scope when it began.
        entered: The id of the event that says it was entered; 0 before.
        parts: The progress of its branches or iterations, by their number.
        output: What the program gave, once it succeeded.
    """

    state: str | None = None
    given: Any = None
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)
    entered: int = 0
    parts: dict[int, "Progress"] = dataclasses.field(default_factory=dict)
    succeeded: bool = False
    output: Any = None
    _resumed: bool = False
    _parts_kept: bool = False

    def resume(self, env: Environment) -> str | None:
        """Bring a program's environment to where it was; return the state it goes on with."""
        if self.state is None:
            return None
        self._resumed = self.entered > 0
        env.states.reset(input_value=self.given)
        env.variable_store._inner_scope.update(self.variables)
        env.variable_store._variable_declarations_cache = None
        return self.state

    def enter(self, name: str, env: Environment) -> bool:
        """Note that a state begins; tell whether it goes on where it was before a redrive."""
        resumed, self._resumed = self._resumed and name == self.state, False
        if resumed:
            self._parts_kept = True
            env.event_history_context.source_event_id = self.entered
            return True
        self._begin(name, env)
        return False

    def left(self, env: Environment) -> None:
        """Note that a state was left, and what comes next."""
        if env.is_running() and env.next_state_name is not None:
            self._begin(env.next_state_name, env)

    def _begin(self, name: str, env: Environment) -> None:
        self.state, self.entered, self.parts, self._parts_kept = name, 0, {}, False
        self.given = env.states._states_data["input"]
        self.variables = dict(env.variable_store._inner_scope)

    def finished(self, env: Environment) -> None:
        """Note that the program came to its end, if it did."""
        if isinstance(env.program_state(), ProgramEnded):
            self.succeeded, self.output = True, env.states.get_input()

    def begin_parts(self) -> None:
        """Begin branches or iterations: anew, as a Retry does, unless this is the redrive."""
        if not self._parts_kept:
            self.parts = {}
        self._parts_kept = False

    def part(self, number: int) -> "Progress":
        """The progress of a branch or an iteration."""
        return self.parts.setdefault(number, Progress())


class _Watch:
    """A program's way to the history: notes when its states are entered and left."""

    def __init__(
        self, event_manager: Any, state: CommonStateField, env: Environment, *, resumed: bool
    ) -> None:
        self._event_manager = event_manager
        self._state = state
        self._env = env
        self._skip = resumed

    def add_event(self, **kwargs: Any) -> Any:
        """Add an event, unless it says again that a resumed state was entered."""
        kind = kwargs["event_type"]
        progress = of(self._env)
        if self._skip and kind == self._state.state_entered_event_type:
            self._skip = False
            return progress.entered
        number = self._event_manager.add_event(**kwargs)
        if kwargs["context"] is self._env.event_history_context:
            if kind == self._state.state_entered_event_type and not progress.entered:
                progress.entered = number
            elif kind == self._state.state_exited_event_type:
                progress.left(self._env)
        return number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event_manager, name)


def of(env: Environment) -> Progress:
    """The progress of the program that an environment belongs to."""
    found: Progress | None = env.__dict__.get("progress")
    if found is None:
        found = Progress()
        follow(env, found)
    return found


def follow(env: Environment, progress: Progress) -> None:
    """Have a program's progress noted, or resumed, in `progress`."""
    put(env, "progress", progress)


def install(rerun: Callable[[dict[str, Any]], None]) -> None:
    """Put the hooks in place.

    Args:
        rerun: Runs an execution's record on from its `progress`, to the end.
    """
    put(CommonStateField, "_eval_body", _watched(CommonStateField._eval_body))
    put(BranchesDecl, "_eval_body", _branches)
    for component in (InlineIterationComponent, DistributedIterationComponent):
        put(component, "_eval_body", _anew(component._eval_body))
    put(IterationWorker, "_eval_job", _unfinished(IterationWorker._eval_job))
    frame_of: Any = Environment.as_inner_frame_of
    put(Environment, "as_inner_frame_of", _with_progress(frame_of.__func__))
    stepfunctions._describe_execution = _described(stepfunctions._describe_execution)
    stepfunctions._list_executions = _listed(stepfunctions._list_executions)
    put(stepfunctions, "handle_request", _answered(stepfunctions.handle_request, rerun))


# The interpreter


def _watched(evaluate: Callable[[Any, Environment], None]) -> Callable[[Any, Environment], None]:
    def watched(self: CommonStateField, env: Environment) -> None:
        resumed = of(env).enter(self.name, env) and not isinstance(self, StateFail)
        events = env.event_manager
        put(env, "event_manager", _Watch(events, self, env, resumed=resumed))
        try:
            evaluate(self, env)
        finally:
            put(env, "event_manager", events)

    return watched


def _with_progress(frame_of: Callable[..., Environment]) -> Any:
    """A frame belongs to its program, until it is made another's."""

    def as_inner_frame_of(
        cls: type[Environment], env: Environment, *a: Any, **k: Any
    ) -> Environment:
        frame = frame_of(cls, env, *a, **k)
        if "progress" in env.__dict__:
            follow(frame, of(env))
        return frame

    return classmethod(as_inner_frame_of)


def _branches(self: BranchesDecl, env: Environment) -> None:
    """Run the branches that have not succeeded; beyond that, what moto's own does."""
    given = env.stack.pop()
    parallel = of(env)
    parallel.begin_parts()
    parts = [parallel.part(number) for number in range(len(self.programs))]
    pool: Any = BranchWorkerPool(workers_num=sum(not part.succeeded for part in parts))
    frames: list[Environment | None] = []
    workers: list[Any] = []
    for program, part in zip(self.programs, parts, strict=True):
        if part.succeeded:
            frames.append(None)
            continue
        frame = env.open_inner_frame()
        frame.states.reset(input_value=given)
        follow(frame, part)
        frames.append(frame)
        workers.append(BranchWorker(branch_worker_comm=pool, program=program, env=frame))
        workers[-1].start()
    if workers:
        pool.wait()
    failed: Any = pool.get_exit_event_details()
    if failed is not None:
        for worker in workers:
            worker.stop(stop_date=dt.datetime.now(dt.UTC), cause=None, error=None)
            env.close_frame(worker.env)
        details: Any = {"executionFailedEventDetails": failed}
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=CustomErrorName(error_name=failed.get("error")),
                event_type=HistoryEventType.ExecutionFailed,
                event_details=details,
            )
        )
    results = []
    for ran, part in zip(frames, parts, strict=True):
        results.append(part.output if ran is None else ran.states.get_input())
        if ran is not None:
            env.close_frame(ran)
    env.stack.append(results)


def _anew(evaluate: Callable[[Any, Environment], None]) -> Callable[[Any, Environment], None]:
    """Begin a Map's iterations."""

    def begun(self: Any, env: Environment) -> None:
        of(env).begin_parts()
        evaluate(self, env)

    return begun


def _unfinished(evaluate: Callable[[Any, Environment, Job], None]) -> Callable[..., None]:
    """Run an iteration unless it has succeeded."""

    def evaluated(self: Any, env: Environment, job: Job) -> None:
        part = of(env).part(job.job_index)
        if part.succeeded:
            job.job_output = part.output
            return
        follow(env, part)
        evaluate(self, env, job)

    return evaluated


# The API


def status_of(record: dict[str, Any]) -> tuple[str, str | None]:
    """An execution's `redriveStatus`, and why where it cannot be redriven."""
    reason = _reason_against(record)
    return ("NOT_REDRIVABLE", reason) if reason else ("REDRIVABLE", None)


def _reason_against(record: dict[str, Any]) -> str | None:
    """Why an execution cannot be redriven, in the words of DescribeExecution's reference."""
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


def _redriver(rerun: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], Any]:
    lock = threading.Lock()

    def redrive(data: dict[str, Any]) -> Any:
        """Answer RedriveExecution."""
        arn, token = data.get("executionArn", ""), data.get("clientToken")
        if not arn.startswith("arn:") or ":execution:" not in arn:
            return _error("InvalidArn", f"Invalid Arn: '{arn}'")
        record = stepfunctions._executions.get(arn)
        if record is None:
            return _error("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        with lock:
            now = time.time()
            known = {
                each: used
                for each, used in record.get("redriveTokens", {}).items()
                if now - used[0] < _TOKEN_SECONDS
            }
            if token in known:
                return stepfunctions.json_response({"redriveDate": known[token][1]})
            if reason := _reason_against(record):
                return _error("ExecutionNotRedrivable", reason)
            date = stepfunctions.now_iso()
            if token:
                known[token] = (now, date)
            record.update(
                status="RUNNING",
                stopDate=None,
                output=None,
                error=None,
                cause=None,
                redriveCount=record.get("redriveCount", 0) + 1,
                redriveDate=date,
                redriveTokens=dict(list(known.items())[-_TOKENS:]),
            )
        stepfunctions._emit_execution_status_event(record)
        scope = contextvars.copy_context()  # the account and region of the request
        threading.Thread(target=scope.run, args=(rerun, record), daemon=True).start()
        return stepfunctions.json_response({"redriveDate": date})

    return redrive


def _answered(answer: Any, rerun: Callable[[dict[str, Any]], None]) -> Any:
    """Answer one more action than MiniStack does."""
    redrive = _redriver(rerun)

    async def answered(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
        if headers.get("x-amz-target", "") != "AWSStepFunctions.RedriveExecution":
            return await answer(method, path, headers, body, query_params)
        try:
            data = json.loads(body)
        except ValueError:
            return _error("SerializationException", "Invalid JSON")
        return stepfunctions._finalize_response(redrive(data))

    return answered


def _described(describe: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def described(data: dict[str, Any]) -> Any:
        status, headers, body = describe(data)
        record = stepfunctions._executions.get(data.get("executionArn"))
        if status != 200 or record is None:
            return status, headers, body
        return stepfunctions.json_response(json.loads(body) | details(record))

    return described


def details(record: dict[str, Any]) -> dict[str, Any]:
    """What DescribeExecution and the status change's event say of redrives."""
    found: dict[str, Any] = {"redriveCount": record.get("redriveCount", 0)}
    if "redriveDate" in record:
        found["redriveDate"] = record["redriveDate"]
    found["redriveStatus"], reason = status_of(record)
    if reason:
        found["redriveStatusReason"] = reason
    return found


def _listed(list_executions: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def listed(data: dict[str, Any]) -> Any:
        wanted = data.get("redriveFilter")
        if wanted not in (None, "REDRIVEN", "NOT_REDRIVEN"):
            return _error("ValidationException", f"Invalid redriveFilter: '{wanted}'")
        if data.get("statusFilter") == "PENDING_REDRIVE" and not data.get("mapRunArn"):
            return _error("ValidationException", "PENDING_REDRIVE is a status of Map Runs only")
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

    return listed


def _error(name: str, message: str) -> Any:
    return stepfunctions.error_response_json(name, message, 400)
