"""What an execution's history says: which states ran, when, in which branch, and how they ended.

Pure: a list of events in, a tree of states out. The rules are those of Step Functions'
GetExecutionHistory (API reference, HistoryEvent): every event names the event before it in its own
branch (`previousEventId`), a state lies between its `...StateEntered` and its `...StateExited`, and
the first states of parallel branches share one predecessor, `ParallelStateStarted`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]

_ENTERED = "StateEntered"
_EXITED = "StateExited"
_FAILURES = ("Failed", "TimedOut")
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")
_SUCCEEDED = ("TaskSucceeded", "LambdaFunctionSucceeded", "ActivitySucceeded")
# A state entered right after one of these is the first of a branch of its own.
_OPENS_A_BRANCH = ("ParallelStateStarted", "MapStateStarted", "MapIterationStarted")


class Status(StrEnum):
    """How a state stands."""

    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One state of the machine as it ran; a state entered again by a loop is one `State`.

    Attributes:
        kind: The type in the state machine definition: Task, Choice, Parallel, ...
        started: When it was first entered.
        ended: When it was last left, None while it runs.
        done_seconds: The time of the visits that are over, summed.
        running_since: When the visit that is still open began.
        visits: How many times it was entered.
        attempts: How many times its task was scheduled, retries included.
        error: The error name of the last failure, also of one that a retry mended.
        resource: What a Task called, as `lambda:invoke` or `sagemaker:createTrainingJob.sync`.
        parameters: What it called it with.
        result: What the task answered, None when it did not or when that is not JSON.
        branches: The branches that ran inside it, each a sequence of states.
    """

    name: str
    kind: str
    status: Status
    started: datetime
    ended: datetime | None
    done_seconds: float
    running_since: datetime | None
    visits: int = 1
    attempts: int = 0
    error: str | None = None
    cause: str | None = None
    resource: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    branches: tuple[tuple["State", ...], ...] = ()

    def seconds(self, now: datetime) -> float:
        """The time spent in this state, up to `now` when it still runs."""
        if self.running_since is None:
            return self.done_seconds
        return self.done_seconds + max(0.0, (now - self.running_since).total_seconds())


def read(events: Iterable[Event], *, ended: datetime | None = None) -> tuple[State, ...]:
    """Turn events, in any order, into the execution's states in the order they were entered.

    Args:
        events: The history, or what is known of it.
        ended: When the execution ended, if it did: nothing runs after that, even if the event that
            says so is not among the events yet.
    """
    reader = _Reader()
    for event in sorted(events, key=lambda event: int(event["id"])):
        reader.take(event)
    if ended is not None:
        reader.end(ended)
    return _freeze(reader.top)


def walk(states: Iterable[State]) -> Iterator[State]:
    """Every state, those inside branches right after the state that holds them."""
    for state in states:
        yield state
        for branch in state.branches:
            yield from walk(branch)


def failing(states: Sequence[State], error: str | None) -> State | None:
    """Find the state that an execution's failure began in.

    The clean-up and the final `Fail` state come after it and repeat its error, and a Parallel fails
    because a state inside it did: so the first one of that error that holds no failed state itself.
    Where only the end has that error, it was found out after what failed: what a job had to say.
    """
    failed = [
        state
        for state in walk(states)
        if state.status is Status.FAILED
        and not any(inner.status is Status.FAILED for inner in walk(_inside(state)))
    ]
    # A Fail state inside a branch raises the error, but its events do not say so.
    unsaid = [state for state in failed if state.kind == "Fail" and state.error is None]
    same = [state for state in failed if state.error == error or state in unsaid]
    if same and same[0] is states[-1]:
        return failed[0]
    return next(iter(same or failed), None)


def interrupted(states: Iterable[State]) -> State | None:
    """The state in which an execution was stopped from outside, the innermost one."""
    return next(
        (
            state
            for state in walk(states)
            if state.status is Status.STOPPED and not any(walk(_inside(state)))
        ),
        None,
    )


def _inside(state: State) -> Iterator[State]:
    for branch in state.branches:
        yield from branch


@dataclass(eq=False)
class _Visit:
    """One passage through a state, as far as the events read so far tell."""

    name: str
    kind: str
    started: datetime
    siblings: list["_Visit"]
    holder: "_Visit | None"
    ended: datetime | None = None
    status: Status = Status.RUNNING
    attempts: int = 0
    error: str | None = None
    cause: str | None = None
    resource: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    branches: list[list["_Visit"]] = field(default_factory=list)

    def fail(self, details: Mapping[str, Any]) -> None:
        """Note a failure; whether a retry follows is not known yet."""
        self.status = Status.RETRYING
        self.error = details.get("error", self.error)
        self.cause = details.get("cause", self.cause)

    def close(self, when: datetime) -> None:
        """Leave the state. What still runs inside it was interrupted."""
        for branch in self.branches:
            for visit in branch:
                visit.interrupt(when)
        if self.ended is None:
            self.ended = when
            # Left by a Catch: the last thing that happened here was a failure.
            failed = self.status is Status.RETRYING
            self.status = Status.FAILED if failed else Status.SUCCEEDED

    def interrupt(self, when: datetime) -> None:
        """End a state that was not left by itself."""
        if self.ended is None:
            if self.status is Status.RUNNING:
                self.status = Status.STOPPED
            stopped = self.status is Status.STOPPED
            self.close(when)
            if stopped:
                self.status = Status.STOPPED


class _Reader:
    """Reads events one by one, oldest first."""

    def __init__(self) -> None:
        self.top: list[_Visit] = []
        self._owners: dict[int, _Visit] = {}
        self._types: dict[int, str] = {}

    def take(self, event: Event) -> None:
        kind: str = event["type"]
        before = int(event.get("previousEventId") or 0)
        if kind.startswith("Execution"):
            self._end_execution(kind, event, self._owners.get(before))
            return
        if kind.endswith(_ENTERED):
            visit = self._enter(kind.removesuffix(_ENTERED), event, before)
        else:
            found = self._owner(kind, event, self._owners.get(before))
            if found is None:
                return
            visit = found
            self._happen(visit, kind, event)
        self._owners[int(event["id"])] = visit
        self._types[int(event["id"])] = kind

    def _enter(self, kind: str, event: Event, before: int) -> _Visit:
        previous = self._owners.get(before)
        if previous is None:
            siblings, holder = self.top, None
        elif self._types[before] in _OPENS_A_BRANCH:
            siblings, holder = [], previous
            previous.branches.append(siblings)
        else:
            siblings, holder = previous.siblings, previous.holder
        when: datetime = event["timestamp"]
        name: str = event["stateEnteredEventDetails"]["name"]
        visit = _Visit(name, kind, when, siblings, holder)
        if kind == "Fail":
            visit.status, visit.ended = Status.FAILED, when
        siblings.append(visit)
        return visit

    def _owner(self, kind: str, event: Event, previous: _Visit | None) -> _Visit | None:
        """The state an event belongs to; a Parallel's end follows an event of its last branch."""
        name = event["stateExitedEventDetails"]["name"] if kind.endswith(_EXITED) else None
        holder_kind = next((k for k in ("Parallel", "Map") if kind.startswith(k)), None)
        visit = previous
        while visit is not None:
            if name is not None:
                if visit.name == name and visit.ended is None:
                    return visit
            elif holder_kind in (None, visit.kind):
                return visit
            visit = visit.holder
        return None

    def _happen(self, visit: _Visit, kind: str, event: Event) -> None:
        details = _details(event)
        if kind in _SCHEDULED:
            visit.status = Status.RUNNING
            visit.attempts += 1
            visit.resource = _resource(details)
            visit.parameters = _json_object(details.get("parameters") or details.get("input"))
        elif kind in _SUCCEEDED:
            visit.result = _json(details.get("output"))
        elif kind.endswith(_FAILURES):
            visit.fail(details)
        elif kind.endswith(_EXITED):
            visit.close(event["timestamp"])

    def _end_execution(self, kind: str, event: Event, last: _Visit | None) -> None:
        if kind not in {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}:
            return
        details = _details(event)
        if last is not None and last.status is Status.FAILED and last.error is None:
            last.fail(details)
            last.status = Status.FAILED
        elif last is not None and last.ended is None and kind == "ExecutionFailed":
            last.fail({**details, "error": last.error or details.get("error")})
        self.end(event["timestamp"])

    def end(self, when: datetime) -> None:
        """Interrupt what still runs."""
        for visit in self.top:
            visit.interrupt(when)


def _details(event: Event) -> Mapping[str, Any]:
    kind: str = event["type"]
    found: Mapping[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
    return found


def _resource(details: Mapping[str, Any]) -> str | None:
    kind, action = details.get("resourceType"), details.get("resource")
    return f"{kind}:{action}" if kind and action else action


def _json(text: object) -> Any:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _json_object(text: object) -> Mapping[str, Any]:
    value = _json(text)
    return value if isinstance(value, dict) else {}


def _freeze(visits: Sequence[_Visit]) -> tuple[State, ...]:
    """Make the states of one branch, with the visits of a loop folded into one."""
    by_name: dict[str, list[_Visit]] = {}
    for visit in visits:
        by_name.setdefault(visit.name, []).append(visit)
    return tuple(_fold(group) for group in by_name.values())


def _fold(group: Sequence[_Visit]) -> State:
    last = group[-1]
    over = [(visit.ended - visit.started).total_seconds() for visit in group if visit.ended]
    return State(
        name=last.name,
        kind=last.kind,
        status=last.status,
        started=group[0].started,
        ended=last.ended,
        done_seconds=sum(over),
        running_since=last.started if last.ended is None else None,
        visits=len(group),
        attempts=sum(visit.attempts for visit in group),
        error=last.error,
        cause=last.cause,
        resource=last.resource,
        parameters=last.parameters,
        result=last.result,
        branches=tuple(_freeze(branch) for visit in group for branch in visit.branches),
    )
