"""`spine logs`: one way in to every log, by the name of what wrote it.

Functions write to CloudWatch Logs, jobs and endpoints to a file in their folder, the local cloud
and its deployments to files of their own. A run's name stands for all of its functions and jobs.
"""

import collections
import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.text import Text

from spine import history, inventory, session
from spine.errors import UsageError
from spine.history import State
from spine.inventory import Execution
from spine.places import home, shown
from spine.session import STACKS
from spine.shipped import load
from spine.view import marks

if TYPE_CHECKING:
    from localcloud import Cloud

_POLL_SECONDS = 0.5
_KNOWN_RUNS = 100
# A function's last lines may carry a time just after its state was left, and its first just before.
_SLACK = timedelta(seconds=1)
# Where the last run is meant, without its name.
_LAST = ("last", "latest")


class Log(Protocol):
    """Something with lines, which may grow."""

    @property
    def title(self) -> str:
        """What it is."""

    def new(self) -> list[str]:
        """The lines since the last call, oldest first."""


class FileLog:
    """A log file."""

    def __init__(self, title: str, path: Path) -> None:
        self.title = title
        self._path = path
        self._position = 0
        self._unfinished = b""

    def new(self) -> list[str]:
        """The lines appended since the last call; all of them when the file was written anew.

        A last line without its end is held back until it has one, or has not grown since.
        """
        if not self._path.exists():
            return []
        if self._path.stat().st_size < self._position:
            self._position, self._unfinished = 0, b""
        with self._path.open("rb") as file:
            file.seek(self._position)
            content = file.read()
        self._position += len(content)
        whole, end, rest = (self._unfinished + content).rpartition(b"\n")
        if not content:
            whole, rest = rest, b""
        self._unfinished = rest
        return (whole + end).decode(errors="replace").splitlines()


class GroupLog:
    """A log group of CloudWatch Logs, or the part of it between two moments."""

    def __init__(
        self,
        client: Any,
        title: str,
        group: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        self.title = title
        self._client = client
        self._group = group
        self._window: dict[str, int] = {}
        if start is not None:
            self._window["startTime"] = _millis(start - _SLACK)
        if end is not None:
            self._window["endTime"] = _millis(end + _SLACK)
        self._seen: set[tuple[str, str, int, str, int]] = set()

    def new(self) -> list[str]:
        """The events since the last call, each with its time."""
        found: list[dict[str, Any]] = []
        try:
            pages = self._client.get_paginator("filter_log_events").paginate(
                logGroupName=self._group, **self._window
            )
            for page in pages:
                found += page["events"]
        except self._client.exceptions.ResourceNotFoundException:
            return []  # nothing was written yet
        fresh = {key: event for key, event in _keyed(found) if key not in self._seen}
        self._seen |= fresh.keys()
        ordered = sorted(fresh.values(), key=lambda event: int(event["timestamp"]))
        return [line for event in ordered for line in _event_lines(event)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One of the app's functions.

    Attributes:
        step: What a person calls it: `prepare`, `cleanup`, `sweep`.
        name: Its physical name.
        group: Its log group.
    """

    step: str
    name: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that has a log, by name."""

    files: dict[str, Path]
    jobs: dict[str, list[Path]]
    functions: tuple[Function, ...] = ()
    executions: tuple[Execution, ...] = ()

    def names(self) -> list[str]:
        """All names that `find` takes."""
        runs = [run.name for run in self.executions]
        return [*self.files, *(found.step for found in self.functions), *runs, *self.jobs]


def known(cloud: "Cloud | None") -> Known:
    """Look for everything that has a log; without a cloud only the files it left are there."""
    top = home()
    files = {path.stem: path for path in sorted((top / "logs").glob("*.log"))}
    jobs: dict[str, list[Path]] = {}
    for path in sorted((top / "jobs").glob("*/*"), key=_age, reverse=True):
        jobs.setdefault(path.name, []).append(path)
    if cloud is None:
        return Known(files=files, jobs=jobs)
    app = session.deployment(session.stacks(cloud))
    runs = inventory.executions(cloud, app, limit=_KNOWN_RUNS) if app else []
    return Known(files=files, jobs=jobs, functions=tuple(_functions(cloud)), executions=tuple(runs))


def _functions(cloud: "Cloud") -> Iterator[Function]:
    for page in cloud.client("lambda").get_paginator("list_functions").paginate():
        for found in page["Functions"]:
            name = found["FunctionName"]
            # `lambda.cleanup.sweep.handler`: the folder, or the module when it is not `handler`.
            parts = found.get("Handler", "").split(".")
            if name.startswith(STACKS) and parts[0] == "lambda" and len(parts) == 4:
                step = parts[1] if parts[2] == "handler" else parts[2]
                group = (found.get("LoggingConfig") or {}).get("LogGroup")
                yield Function(step=step, name=name, group=group or f"/aws/lambda/{name}")


def find(cloud: "Cloud | None", everything: Known, what: str) -> list[Log]:
    """The logs that a name stands for.

    Args:
        cloud: For the logs that are not files.
        everything: What there is.
        what: A name of `Known.names`, a physical function name, `last`, or an unmistakable part.

    Raises:
        UsageError: Nothing has that name, several things have it in part, or runs of several
            pipelines have it.
    """
    exact = _exact(cloud, everything, what)
    if exact is not None:
        return exact
    names = dict.fromkeys(everything.names())
    partly = [name for name in names if what.lower() in name.lower()]
    if len(partly) == 1:
        return _exact(cloud, everything, partly[0]) or []
    if partly:
        raise UsageError(
            f"{what!r} is part of several names: {', '.join(partly[:8])}.",
            remedy="Give one of them in full.",
        )
    close = difflib.get_close_matches(what, everything.names(), n=3)
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    hint = "" if cloud else " (The cloud is down: only its files are left. Start it: spine up)"
    raise UsageError(
        f"Nothing called {what!r} has a log.{meant}{hint}", remedy="See all: spine logs"
    )


def _exact(cloud: "Cloud | None", everything: Known, what: str) -> list[Log] | None:
    if what in _LAST and everything.executions:
        what = everything.executions[0].arn
    if what in everything.files:
        return [FileLog(what, everything.files[what])]
    if what in everything.jobs:
        return list(_jobs(everything.jobs[what]))
    if cloud is None:
        return None
    runs = [run for run in everything.executions if what in {run.name, run.arn}]
    if len(runs) > 1:
        # A name is used once by each state machine.
        raise UsageError(
            f"Runs of several pipelines are called {what!r}.",
            remedy=f"Give the ARN of one: {' or '.join(run.arn for run in runs)}",
        )
    if runs:
        return list(_execution(cloud, everything, runs[0]))
    groups = [
        GroupLog(cloud.client("logs"), found.step, found.group)
        for found in everything.functions
        if what in {found.step, found.name, found.group}
    ]
    return list(groups) or None


def _jobs(folders: Sequence[Path]) -> Iterator[Log]:
    """The logs in jobs' folders, oldest first: a job has one, an endpoint one for each server."""
    for folder in sorted(folders, key=_age):
        for path in sorted(folder.rglob("log")):
            yield FileLog(f"{path.parent.relative_to(home() / 'jobs').as_posix()}", path)


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _execution(cloud: "Cloud", everything: Known, run: Execution) -> Iterator[Log]:
    """The logs of every state of a run that called a function or started a job, in order."""
    events = inventory.history_of(cloud.client("stepfunctions"), run.arn)
    for state in history.walk(history.read(events)):
        found = _called(everything.functions, state)
        if found is not None:
            yield GroupLog(
                cloud.client("logs"),
                f"{state.name} ({found.step})",
                found.group,
                start=state.started,
                end=state.ended,
            )
        kind, name = _started(state)
        yield from _jobs(
            [path for path in everything.jobs.get(name, ()) if path.parent.name == kind]
        )


def _started(state: State) -> tuple[str, str]:
    """The folder's kind and the name of what a state started at SageMaker, "" and "" for none."""
    action = (state.resource or "").rpartition(":")[2].removesuffix(".sync")
    kind = load("common.kinds").of_action(action)
    # The local SageMaker keeps a folder of each under its resource type.
    return (
        (kind.resource_type, str(state.parameters.get(kind.name_member, ""))) if kind else ("", "")
    )


def _called(functions: Sequence[Function], state: State) -> Function | None:
    name = str(state.parameters.get("FunctionName", ""))
    return next((found for found in functions if found.name in name.split(":")), None)


def show(target: Console, logs: Sequence[Log], *, lines: int) -> int:
    """Print the last lines of each log.

    Args:
        target: Where to.
        logs: What to print.
        lines: How many of each; 0 for all.

    Returns:
        How many lines there were.
    """
    count = 0
    for log in logs:
        # The second look brings a last line that has no end.
        found = [*log.new(), *log.new()]
        count += len(found)
        if not found:
            continue
        if len(logs) > 1:
            target.print(Text(f"{marks(target).only * 2} {log.title}", style="bold cyan"))
        if lines and len(found) > lines:
            target.print(
                Text(f"... {len(found) - lines} earlier lines (--lines 0: all)", style="dim")
            )
        for line in found[-lines:]:
            target.print(Text(line), soft_wrap=True)
    return count


def follow(target: Console, logs: Sequence[Log]) -> None:
    """Go on printing what is written, until Ctrl-C."""
    while True:
        for log in logs:
            for line in log.new():
                label = Text(f"{log.title}  ", style="cyan") if len(logs) > 1 else Text()
                target.print(label.append(line, style="default"), soft_wrap=True)
        time.sleep(_POLL_SECONDS)


def overview(target: Console, everything: Known) -> None:
    """Say what has a log and how to see it."""
    rows = (
        ("Cloud", list(everything.files)),
        ("Functions", sorted({found.step for found in everything.functions})),
        ("Runs", [run.name for run in everything.executions[:5]]),
        ("Jobs", list(everything.jobs)[:6]),
    )
    for label, names in rows:
        for position, chunk in enumerate(_chunks(names, target.width - 12)):
            target.print(Text.assemble((f"{label if position == 0 else '':<12}", "dim"), chunk))
    if not everything.names():
        target.print(f"There are no logs in {shown(home())} yet. Start a run: spine run")
        return
    example = everything.names()[0]
    target.print()
    target.print(
        Text.assemble(
            "See one: ",
            (f"spine logs {example}", "cyan"),
            ", the last run's: ",
            ("spine logs last", "cyan"),
        )
    )


def _chunks(names: Sequence[str], width: int) -> Iterator[str]:
    """Names joined by commas, broken between names."""
    line = ""
    for position, name in enumerate(names):
        word = name if position == len(names) - 1 else f"{name},"
        if line and len(line) + len(word) + 1 > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line


def _keyed(
    events: Sequence[dict[str, Any]],
) -> Iterator[tuple[tuple[str, str, int, str, int], dict[str, Any]]]:
    """Events with what tells each from the others; the local cloud gives them no ids."""
    same: collections.Counter[tuple[str, str, int, str]] = collections.Counter()
    for event in events:
        stream, id_ = event.get("logStreamName", ""), event.get("eventId", "")
        key = (id_, stream, int(event["timestamp"]), event["message"])
        same[key] += 1
        yield (*key, same[key]), event


def _event_lines(event: dict[str, Any]) -> Iterator[str]:
    when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).astimezone()
    for line in event["message"].rstrip("\n").splitlines() or [""]:
        yield f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}  {line}"


def _millis(when: datetime) -> int:
    return int(when.timestamp() * 1000)
