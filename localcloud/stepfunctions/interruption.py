"""Stopping an execution, a branch or a task that ran out of time, at once and without a trace.

moto's interpreter runs each task in a thread and forgets it when the task times out or a sibling
branch fails. The thread runs on: it writes events into a history that has moved on, and waits
cannot be cut short. Here every wait ends when its execution does, and a task that was given up may
not write history any more: the first event it tries to add ends its thread.
"""

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimedOut
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut

from localcloud import hooks
from localcloud.stepfunctions import progress

_CALLBACK = (
    "moto.stepfunctions.parser.asl.component.state.exec.state_task.service."
    "state_task_service_callback:StateTaskServiceCallback"
)
_PROGRAM = "moto.stepfunctions.parser.asl.component.program.program:Program"
_RETRIER = "moto.stepfunctions.parser.asl.component.common.retry.retrier_decl"

# How long a stop may go unnoticed by a thread that missed the wake-up call.
_SLICE_SECONDS = 0.1


class Interrupted(SystemExit):
    """Ends the thread of a task that was given up.

    A `SystemExit`, because the interpreter handles every `Exception` as a failure of the
    state. Ending so is no accident, and is not reported as one (`_without_interruptions`).
    """


class EventGate:
    """A task's way to the history, closed when the task is over or given up."""

    def __init__(self, event_manager: Any) -> None:
        self._event_manager = event_manager
        self._open = True

    def close(self) -> None:
        """Accept no further event."""
        self._open = False

    def add_event(self, *args: Any, **kwargs: Any) -> Any:
        """Add an event to the execution's history, or end the thread that has no business there."""
        if not self._open:
            raise Interrupted
        return self._event_manager.add_event(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._event_manager, name)


@hooks.uses(
    "moto.stepfunctions.parser.asl.eval.environment:Environment.set_stop",
    reason="ends a program and its frames, and wakes their waits (program_state_event)",
    parameters=("self", "stop_date", "cause", "error"),
)
def wait(env: Environment, seconds: float) -> None:
    """Wait until the time is over or the program (or branch) is no longer running."""
    deadline = time.monotonic() + seconds
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(min(left, _SLICE_SECONDS))


@hooks.replaces(
    "moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function:"
    "WaitFunction._wait_interval",
    reason="a stop just before the wait is missed; a wait may last a second too long",
)
def _wait_interval(self: Any, env: Environment, wait_seconds: float) -> None:
    """Wait as a Wait state does."""
    del self
    wait(env, wait_seconds)


@hooks.replaces(
    f"{_CALLBACK}._wait_for_task_token_heartbeat",
    reason="misses an answer that comes before the wait for it, and waits out the heartbeat",
)
def _wait_for_answer(
    self: Any, env: Environment, callback_endpoint: Any, heartbeat_endpoint: Any
) -> Any:
    """Wait for a task token's answer, or until a heartbeat stays away.

    The answer may be there already: a callee can give it before its own call returns.
    """
    del self
    while env.is_running() and callback_endpoint.get_outcome() is None:
        if not heartbeat_endpoint.clear_and_wait() and env.is_running():
            return callback_endpoint.get_outcome() or HeartbeatTimedOut()
    return callback_endpoint.get_outcome()


@hooks.replaces(
    "moto.stepfunctions.parser.asl.component.state.exec.execute_state:"
    "ExecutionState._evaluate_with_timeout",
    reason="a task given up runs on and writes history; stopping waits for it",
)
def _evaluate_with_timeout(self: Any, env: Environment) -> None:
    """Run a state's work in a thread of its own until it ends, times out or is given up."""
    self.timeout.eval(env=env)
    if not env.is_running():  # and nothing is evaluated
        return
    timeout_seconds = env.stack.pop()

    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    gate = EventGate(frame.event_manager)
    hooks.put(frame, "event_manager", gate)
    outputs: list[Any] = []
    failures: list[Exception] = []
    done = threading.Event()

    def work() -> None:
        try:
            self._eval_execution(frame)
            outputs.extend(frame.stack)
        except Exception as error:  # noqa: BLE001 - handed to the waiting thread
            failures.append(error)
        done.set()

    threading.Thread(target=work, daemon=True).start()
    finished = _wait_for(done, timeout_seconds, env)
    gate.close()
    frame.set_ended()
    env.close_frame(frame)
    if not env.is_running():
        return
    if failures:
        raise failures.pop()
    if not finished:
        raise EvalTimeoutError
    _take_result(self, env, outputs.pop())


def _wait_for(done: threading.Event, seconds: float, env: Environment) -> bool:
    deadline = time.monotonic() + seconds
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        if done.wait(min(left, _SLICE_SECONDS)):
            return True
    return done.is_set()


def _take_result(state: Any, env: Environment, output: Any) -> None:
    """Make a task's output the state's result: Assign, ResultSelector, ResultPath."""
    env.stack.append(output)
    if not state._is_language_query_jsonpath():
        env.states.set_result(output)
    if state.assign_decl:
        state.assign_decl.eval(env=env)
    if state.result_selector:
        state.result_selector.eval(env=env)
    if state.result_path:
        state.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())


@hooks.uses(f"{_PROGRAM}._eval_body", reason="what Program.eval runs", parameters=("self", "env"))
@hooks.replaces(
    f"{_PROGRAM}.eval",
    reason="does not wait for the closing event of a machine that timed out",
)
def _eval_program(self: Any, env: Environment) -> None:
    """Run a program (a machine or a branch) to its end, or until its own timeout."""
    so_far = progress.of(env)
    if env.program_state() is None or env.is_running():
        env.next_state_name = so_far.resume(env) or self.start_at.start_at_name
    # Its own `eval` would leave out the closing event of one that is stopped at this moment.
    worker = threading.Thread(target=self._eval_body, args=(env,), daemon=True)
    worker.start()
    worker.join(timeout=self.timeout_seconds.timeout_seconds if self.timeout_seconds else None)
    if worker.is_alive():
        env.set_timed_out()
        worker.join(timeout=10)
    so_far.finished(env)


@hooks.around(
    "moto.stepfunctions.parser.asl.eval.environment:Environment.set_error",
    reason="takes what breaks off in a stopped program for its failure",
)
def _set_error(set_error: Callable[..., None], self: Environment, error: Any) -> None:
    """Fail a program, unless it was stopped or is out of time already."""
    if not isinstance(self.program_state(), (ProgramStopped, ProgramTimedOut)):
        set_error(self, error)


@hooks.edits(
    "threading:excepthook",
    reason="ignores a plain SystemExit only",
)
def _without_interruptions(
    report: Callable[[threading.ExceptHookArgs], Any],
) -> Callable[[threading.ExceptHookArgs], None]:
    """Report what ended a thread unless it was given up."""

    def reported(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, Interrupted):
            report(args)

    return reported


class _RetryClock:
    """Stands in for the `time` module of the retrier: its sleep ends with the execution."""

    def __init__(self) -> None:
        self._thread = threading.local()

    def wait_for(self, env: Environment) -> None:
        """Set whose execution the next sleep of this thread belongs to."""
        self._thread.env = env

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the execution ends first."""
        wait(self._thread.env, seconds)


_clock = _RetryClock()


@hooks.edits(f"{_RETRIER}:time", reason="a retry's interval is slept out with time.sleep")
def _with_clock(_: Any) -> _RetryClock:
    return _clock


@hooks.around(
    f"{_RETRIER}:RetrierDecl._eval_body",
    reason="sleeps out a retry's interval although the execution was stopped",
)
def _with_short_sleep(evaluate: Callable[..., None], self: Any, env: Environment) -> None:
    """Let a retry's interval end with the execution."""
    _clock.wait_for(env)
    evaluate(self, env)


class _Forgetful(list[threading.Thread]):
    """A register of threads that keeps none: daemon threads need no joining."""

    def append(self, thread: threading.Thread) -> None:
        """Forget the thread."""


@hooks.edits(
    "moto.stepfunctions.parser.utils:TMP_THREADS",
    reason="remembers every thread that ever ran",
    imported_by="moto.stepfunctions",
)
def _forgetful(_: Any) -> _Forgetful:
    return _Forgetful()
