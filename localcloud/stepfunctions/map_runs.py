"""Map Runs: a Distributed Map runs each item, or batch of items, as an execution of its own.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html, its pages on
ItemReader, ItemBatcher, ResultWriter and the tolerated failure threshold, and DescribeMapRun's
reference. What moto does instead: children share the parent's variables, have no execution, and
one that fails gives null.
"""

import dataclasses
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from localcloud import hooks
from localcloud.stepfunctions import executions, map_failures, map_items, map_results, progress

_MAP = "moto.stepfunctions.parser.asl.component.state.exec.state_map"
_STATES = "ministack.services.stepfunctions"

# AWS runs up to 10,000 at once.
_MOST_AT_ONCE = 40
_SLICE_SECONDS = 0.05
_ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclasses.dataclass(eq=False)
class Child:
    """One child workflow execution.

    Attributes:
        record: As MiniStack keeps an execution's.
        items: How many items it was given.
        execution: Its latest attempt; None while it is pending.
    """

    record: dict[str, Any]
    items: int
    execution: executions.Execution | None = None

    @property
    def status(self) -> str:
        """PENDING until it was started, then the execution's."""
        found: str = self.record["status"]
        return "PENDING" if found == "RUNNING" and self.execution is None else found


class MapRun:
    """The children of one Distributed Map state, and what is tolerated of them.

    Args:
        record: moto's, with the ARNs and the limits.
        options: The Map state as it was written.
        parent: The execution that the state belongs to.
        program: What each child runs.
    """

    def __init__(
        self,
        record: Any,
        options: dict[str, Any],
        parent: executions.Execution,
        program: Any,
    ) -> None:
        self.arn: str = record.map_run_arn
        self.children: list[Child] = []
        self._record = record
        self._options = options
        self._parent = parent
        self._program = program
        processor = options.get("ItemProcessor") or options.get("Iterator") or {}
        self._type = processor.get("ProcessorConfig", {}).get("ExecutionType", "STANDARD")
        self._view: dict[str, Any] = {
            "mapRunArn": self.arn,
            "executionArn": record.execution_arn,
            "_stateMachineArn": record.map_state_machine_arn,
            "startDate": stepfunctions.now_iso(),
            "maxConcurrency": record.max_concurrency,
            "toleratedFailureCount": record.tolerated_failure_count,
            "toleratedFailurePercentage": record.tolerated_failure_percentage,
            "redriveCount": 0,
        }
        self._wake = threading.Event()
        self._show("RUNNING")

    def add(self, given: list[tuple[Any, int]]) -> None:
        """Make the children, one for each input; with it, the number of its items."""
        machine = self._record.map_state_machine_arn
        for value, items in given:
            name = str(uuid.uuid4())
            kind = "express" if self._type == "EXPRESS" else "execution"
            arn = machine.replace(":stateMachine:", f":{kind}:", 1) + f":{name}"
            arn += f":{uuid.uuid4()}" if kind == "express" else ""
            text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            record = executions.new_record(arn, machine, name, text) | {"mapRunArn": self.arn}
            self.children.append(Child(record, items))
        self._show("RUNNING")

    def redrive(self) -> None:
        """Make those that ended badly run again; those that were not started are still to come."""
        for child in self.children:
            if child.record["status"] in _ENDED_BADLY:
                child.record.update(
                    status="RUNNING",
                    stopDate=None,
                    output=None,
                    error=None,
                    cause=None,
                )
                if child.execution is not None:
                    child.record["redriveCount"] = child.record.get("redriveCount", 0) + 1
                    child.record["redriveDate"] = stepfunctions.now_iso()
        self._view |= {
            "redriveCount": self._view["redriveCount"] + 1,
            "redriveDate": stepfunctions.now_iso(),
        }
        self._show("RUNNING")

    @property
    def redrive_count(self) -> int:
        """How often it was redriven."""
        found: int = self._view["redriveCount"]
        return found

    def run(self, env: Environment) -> bool:
        """Run the children that are to run; tell whether no more failed than is tolerated."""
        waiting = [child for child in self.children if child.record["status"] == "RUNNING"]
        waiting.reverse()
        at_work: list[Child] = []
        while (waiting or at_work) and env.is_running() and self.tolerated():
            limit = min(self._view["maxConcurrency"] or _MOST_AT_ONCE, _MOST_AT_ONCE)
            while waiting and len(at_work) < limit:
                at_work.append(waiting.pop())
                self._start(at_work[-1])
            self._show("RUNNING")
            self._wake.wait(_SLICE_SECONDS)
            self._wake.clear()
            at_work = [child for child in at_work if child.record["status"] == "RUNNING"]
        for child in (*at_work, *waiting):
            self._abort(child)
        self._show("RUNNING")
        return self.tolerated()

    def end(self, status: str) -> None:
        """Note how the run ended."""
        self._view["stopDate"] = stepfunctions.now_iso()
        self._show(status)

    def tolerated(self) -> bool:
        """Whether no more items failed than the state tolerates; none, where it says nothing."""
        failed = sum(child.items for child in self.children if child.status in _ENDED_BADLY)
        total = sum(child.items for child in self.children)
        by_count = any(field in self._options for field in _of("ToleratedFailureCount"))
        by_share = any(field in self._options for field in _of("ToleratedFailurePercentage"))
        if by_count and failed > self._view["toleratedFailureCount"]:
            return False
        if by_share or not by_count:
            return not failed or failed / total * 100 <= self._view["toleratedFailurePercentage"]
        return True

    def _start(self, child: Child) -> None:
        before = child.execution
        record = child.record
        machine = self._parent.machine | {
            "stateMachineArn": record["stateMachineArn"],
            "name": record["stateMachineArn"].split(":stateMachine:")[1],
            "type": self._type,
        }
        record["startDate"] = record["startDate"] if before else stepfunctions.now_iso()
        number = record.get("redriveCount", 0)
        execution = executions.Execution(record, machine, number, before, self._program)
        child.execution = execution
        if self._type == "STANDARD":
            self._in_scope(
                lambda: stepfunctions._executions.__setitem__(record["executionArn"], record)
            )

        def work() -> None:
            executions.carry_out(record, execution)
            self._wake.set()

        scope = self._parent.scope.copy()
        threading.Thread(target=scope.run, args=(work,), daemon=True).start()

    def _abort(self, child: Child) -> None:
        if child.record["status"] != "RUNNING":
            return
        child.record.update(status="ABORTED", stopDate=stepfunctions.now_iso())
        if child.execution:
            child.execution.stop()

    def _show(self, status: str) -> None:
        """Bring what DescribeMapRun answers up to date."""
        self._view["status"] = status
        self._view["executionCounts"] = _counts(self.children, lambda _: 1)
        self._view["itemCounts"] = _counts(self.children, lambda child: child.items)
        self._in_scope(lambda: stepfunctions._map_runs.__setitem__(self.arn, self._view))

    def _in_scope(self, work: Callable[[], Any]) -> None:
        """Reach MiniStack's records, which belong to the account and region of a request."""
        self._parent.scope.copy().run(work)


def _of(field: str) -> tuple[str, str]:
    return field, f"{field}Path"


def _counts(children: list[Child], weight: Callable[[Child], int]) -> dict[str, int]:
    counts = dict.fromkeys(
        ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total"), 0
    )
    for child in children:
        first, *rest = child.status.lower().split("_")
        counts[first + "".join(map(str.capitalize, rest))] += weight(child)
        counts["total"] += weight(child)
    return counts | {
        "resultsWritten": counts["succeeded"],
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }


@hooks.around(
    f"{_MAP}.state_map:StateMap._eval_execution",
    reason="its parts do not know the state they belong to",
)
def _with_state(evaluate: Callable[..., None], self: Any, env: Environment) -> None:
    """Run a Map, and write its results where it says so without moto's writer."""
    hooks.put(env, "map_state", self)
    evaluate(self, env)


@hooks.uses(f"{_STATES}:_map_runs", reason="what DescribeMapRun and ListMapRuns answer")
@hooks.replaces(
    f"{_MAP}.iteration.distributed_iteration_component:DistributedIterationComponent._eval_body",
    reason="runs children in the parent's own frames, and takes one that fails for null",
)
def _run_children(self: Any, env: Environment) -> None:
    """Run a Map Run to its end, or redrive it."""
    given = env.stack.pop()
    state = env.__dict__["map_state"]
    so_far = progress.of(env)
    so_far.begin_parts()
    redriven = so_far.map_run is not None
    if redriven:
        run = so_far.map_run
        run.redrive()
        details = {"mapRunArn": run.arn, "redriveCount": run.redrive_count}
        _note(env, HistoryEventType.MapRunRedriven, {"mapRunRedrivenEventDetails": details})
    else:
        parent = executions.of(env)
        program = self._get_iteration_program()
        run = MapRun(given.map_run_record, state.options, parent, program)
        so_far.map_run = run
        started = {"mapRunStartedEventDetails": {"mapRunArn": run.arn}}
        _note(env, HistoryEventType.MapRunStarted, started)
    try:
        if not run.children:
            items = map_items.read(env, state) if given.item_reader else given.input_items
            run.add(map_items.inputs(env, state, items))
        if not run.run(env) and env.is_running():
            raise map_failures.failure(
                env,
                StatesErrorNameType.StatesExceedToleratedFailureThreshold,
                "The specified tolerated failure threshold was exceeded",
            )
        output = map_results.of(env, state, run.arn, run.children) if env.is_running() else None
    except FailureEventException as failure:
        error, cause = failure.extract_error_cause_pair() or (None, None)
        told = {key: value for key, value in (("error", error), ("cause", cause)) if value}
        run.end("FAILED")
        _note(env, HistoryEventType.MapRunFailed, {"mapRunFailedEventDetails": told})
        raise
    if not env.is_running():
        run.end("ABORTED")
        _note(env, HistoryEventType.MapRunAborted, {})
        return
    run.end("SUCCEEDED")
    _note(env, HistoryEventType.MapRunSucceeded, {})
    env.stack.append(output)


@hooks.replaces(
    f"{_MAP}.result_writer.result_writer_decl:ResultWriter._eval_body",
    reason="writes a manifest without results",
)
def _already_written(self: Any, env: Environment) -> None:
    """Leave the output as it is: `map_results` wrote what the state asks for."""


def _note(env: Environment, kind: HistoryEventType, details: Any) -> None:
    env.event_manager.add_event(
        context=env.event_history_context, event_type=kind, event_details=details
    )
