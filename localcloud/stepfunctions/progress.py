"""How far a program has come, so that a redrive goes on from there.

While a program runs (a machine, a branch, an iteration), `Progress` keeps what it would need to go
on: the state it is in, and the input and the variables that state began with.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
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

from localcloud import hooks

_EXEC = "moto.stepfunctions.parser.asl.component.state.exec"
_ITERATION = f"{_EXEC}.state_map.iteration"


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
        map_run: The Map Run of the state it is in.
    """

    state: str | None = None
    given: Any = None
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)
    entered: int = 0
    parts: dict[int, "Progress"] = dataclasses.field(default_factory=dict)
    succeeded: bool = False
    output: Any = None
    map_run: Any = None
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
        self.map_run = None
        self.given = env.states._states_data["input"]
        self.variables = dict(env.variable_store._inner_scope)

    def finished(self, env: Environment) -> None:
        """Note that the program came to its end, if it did."""
        if isinstance(env.program_state(), ProgramEnded):
            self.succeeded, self.output = True, env.states.get_input()

    def begin_parts(self) -> None:
        """Begin branches or iterations: anew, as a Retry does, unless this is the redrive."""
        if not self._parts_kept:
            self.parts, self.map_run = {}, None
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
    hooks.put(env, "progress", progress)


@hooks.around(
    "moto.stepfunctions.parser.asl.component.state.state:CommonStateField._eval_body",
    reason="forgets with what a state began",
    overridden_by=("StateTaskServiceCallback",),
)
def _watched(evaluate: Callable[..., None], self: CommonStateField, env: Environment) -> None:
    resumed = of(env).enter(self.name, env) and not isinstance(self, StateFail)
    events = env.event_manager
    hooks.put(env, "event_manager", _Watch(events, self, env, resumed=resumed))
    try:
        evaluate(self, env)
    finally:
        hooks.put(env, "event_manager", events)


@hooks.around(
    "moto.stepfunctions.parser.asl.eval.environment:Environment.as_inner_frame_of",
    reason="a frame does not know the progress of its program",
)
def _with_progress(
    frame_of: Callable[..., Environment],
    cls: type[Environment],
    env: Environment,
    variable_store: Any,
    event_history_frame_cache: Any = None,
) -> Environment:
    """A frame belongs to its program, until it is made another's."""
    frame = frame_of(cls, env, variable_store, event_history_frame_cache)
    if "progress" in env.__dict__:
        follow(frame, of(env))
    return frame


@hooks.replaces(
    f"{_EXEC}.state_parallel.branches_decl:BranchesDecl._eval_body",
    reason="runs all branches, those that succeeded before a redrive included",
)
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


@hooks.around(
    f"{_ITERATION}.inline_iteration_component:InlineIterationComponent._eval_body",
    reason="does not tell a first try from a repeated one",
)
def _begin_iterations(evaluate: Callable[..., None], self: Any, env: Environment) -> None:
    of(env).begin_parts()
    evaluate(self, env)


@hooks.around(
    f"{_ITERATION}.iteration_worker:IterationWorker._eval_job",
    reason="runs all iterations, those that succeeded before a redrive included",
    # A Distributed Map's workers: its children run as executions of their own (`map_runs`).
    overridden_by=("DistributedItemProcessorWorker", "DistributedIteratorWorker"),
)
def _unfinished(evaluate: Callable[..., None], self: Any, env: Environment, job: Job) -> None:
    """Run an iteration unless it has succeeded."""
    part = of(env).part(job.job_index)
    if part.succeeded:
        job.job_output = part.output
        return
    follow(env, part)
    evaluate(self, env, job)
