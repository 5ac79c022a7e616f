"""The life of a run: source, start, states as they pass, result."""

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from spine import failure, history, live, results, session, sources, view
from spine.errors import UsageError
from spine.failure import Failure
from spine.history import Event, State
from spine.output import fetch_report, print_json, split_s3
from spine.places import home, shown
from spine.view import Steps

if TYPE_CHECKING:
    from localcloud import Cloud

_POLL_SECONDS = 0.2
_STOP_SECONDS = 30.0
_EXECUTION_NAME = 80
_HOW = {"FAILED": "failed", "TIMED_OUT": "timed out", "ABORTED": "stopped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for, checked as far as it can be without the cloud."""

    source: sources.Local | sources.Remote | None
    input: Mapping[str, Any]
    pipeline: str = ""
    name: str | None = None
    as_json: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An execution that is over."""

    name: str
    arn: str
    status: str
    seconds: float
    states: tuple[State, ...] = ()
    output: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    cause: str | None = None


def ask(
    *,
    source: str | None,
    execution_input: Mapping[str, Any],
    pipeline: str = "",
    name: str | None = None,
    as_json: bool = False,
    timeout: float | None = None,
) -> Request:
    """Check what was typed.

    Raises:
        UsageError: The source does not exist, is given twice, or the name cannot be one.
    """
    if source and sources.given_uri(execution_input):
        raise UsageError(
            "The source is given twice: as --source and as source.uri in --input.",
            remedy="Leave one of them out.",
        )
    if name is not None and not _is_name(name):
        raise UsageError(
            f"--name: {name!r} cannot name an execution.",
            remedy="Use letters, digits, '-', '_' and '.', at most 80 of them.",
        )
    return Request(
        source=sources.parse(source) if source else None,
        input=execution_input,
        pipeline=pipeline,
        name=name,
        as_json=as_json,
        timeout=timeout,
    )


def _is_name(name: str) -> bool:
    """Narrower than StartExecution, which also takes other scripts' letters."""
    return 0 < len(name) <= _EXECUTION_NAME and all(
        sign.isascii() and (sign.isalnum() or sign in "-_.") for sign in name
    )


def perform(request: Request) -> int:
    """Run a pipeline once, from a cloud that may not be there yet to the results.

    Returns:
        The exit code: 0 when the execution succeeded, 1 when it did not.

    Raises:
        CommandError: It could not be started.
        UsageError: The app has no such pipeline.
    """
    progress = view.console(stderr=request.as_json)
    steps = Steps(progress)
    cloud = session.bring_up(steps)
    app = session.bring_app(cloud, steps)
    machine = app.machine(request.pipeline)
    execution_input = _input(request, cloud, app.bucket, steps)
    arn = _start(cloud, machine, request.name, execution_input)
    progress.print(Text.assemble("\nRun ", (_name(arn), "bold")))
    outcome = _follow(cloud, arn, progress, timeout=request.timeout)
    return _conclude(request, cloud, outcome, progress)


def _input(request: Request, cloud: "Cloud", bucket: str, steps: Steps) -> dict[str, Any]:
    """The execution input, with a file of this machine where runs can read it."""
    source = request.source
    if source is None:
        return dict(request.input)
    uri = (
        source.uri if isinstance(source, sources.Remote) else _upload(cloud, source, bucket, steps)
    )
    return sources.merge(request.input, {"source": {"uri": uri}})


def _upload(cloud: "Cloud", source: sources.Local, bucket: str, steps: Steps) -> str:
    size = sources.size_of(source.path)
    sent = 0
    with steps.step(f"Upload {source.path.name} ({_megabytes(size)})") as step:

        def on_bytes(count: int) -> None:
            nonlocal sent
            sent += count
            step.update(f"{sent / max(size, 1):.0%}")

        return sources.upload(cloud.client("s3"), source.path, bucket=bucket, on_bytes=on_bytes)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _start(
    cloud: "Cloud", machine: str, name: str | None, execution_input: Mapping[str, Any]
) -> str:
    client = cloud.client("stepfunctions")
    chosen = name or f"run-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    try:
        answer = client.start_execution(
            stateMachineArn=machine, name=chosen, input=json.dumps(execution_input)
        )
    except client.exceptions.ExecutionAlreadyExists:
        raise UsageError(
            f"--name: there has been an execution {chosen!r} already.",
            remedy="Names are used once. Choose another, or leave --name out.",
        ) from None
    arn: str = answer["executionArn"]
    return arn


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def _follow(cloud: "Cloud", arn: str, progress: Console, *, timeout: float | None) -> Outcome:
    """Show the execution until it is over; end it on Ctrl-C and when the time given is up.

    Raises:
        KeyboardInterrupt: Ctrl-C; the execution is stopped by then.
    """
    log = History(cloud.client("stepfunctions"), arn)
    until = time.monotonic() + timeout if timeout is not None else None
    interrupted = False
    with live.watch(progress) as watch:
        try:
            while not _look(log, watch):
                if until is not None and time.monotonic() > until:
                    progress.print(f"Stopping {_name(arn)}: --timeout {timeout:g} is over.")
                    _stop(log, watch, "Timeout", f"It took longer than --timeout {timeout:g}.")
                    break
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            progress.print(f"Stopping {_name(arn)}. (Ctrl-C again: leave at once)")
            with suppress(KeyboardInterrupt):
                _stop(log, watch, "Interrupted", "Ctrl-C in spine run")
            interrupted = True
    if interrupted:
        progress.print("What it made is being cleaned up; spine status shows what is left.")
        raise KeyboardInterrupt
    return log.outcome()


def _look(log: "History", watch: live.Watch) -> bool:
    over = log.refresh()
    watch.show(log.states)
    return over


def _stop(log: "History", watch: live.Watch, error: str, cause: str) -> None:
    """End the execution and show it until it is over."""
    log.stop(error, cause)
    until = time.monotonic() + _STOP_SECONDS
    while not _look(log, watch) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


class History:
    """An execution's history, read as it grows."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._events: dict[int, Event] = {}
        self.states: tuple[State, ...] = ()

    def refresh(self) -> bool:
        """Read what is new; answer whether the execution is over."""
        # Asked before the events, so that those of an execution that is over are all there.
        found = self._describe()
        over = str(found["status"]) != "RUNNING"
        new = self._new_events()
        if new or over:
            self._events |= new
            self.states = history.read(
                self._events.values(), ended=found.get("stopDate") if over else None
            )
        return over

    def outcome(self) -> Outcome:
        """How the execution ended."""
        found = self._describe()
        stopped = found.get("stopDate") or datetime.now(UTC)
        return Outcome(
            name=_name(self._arn),
            arn=self._arn,
            status=found["status"],
            seconds=(stopped - found["startDate"]).total_seconds(),
            states=self.states,
            output=json.loads(found["output"]) if found.get("output") else {},
            error=found.get("error"),
            cause=found.get("cause"),
        )

    def stop(self, error: str, cause: str) -> None:
        """Ask for the end of the execution, with the reason it will show."""
        self._client.stop_execution(executionArn=self._arn, error=error, cause=cause)

    def _describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.describe_execution(executionArn=self._arn)
        return found

    def _new_events(self) -> dict[int, Event]:
        """Read newest first, page by page, until an event that is known already."""
        new: dict[int, Event] = {}
        more: dict[str, str] = {}
        while True:
            page = self._client.get_execution_history(
                executionArn=self._arn, reverseOrder=True, maxResults=1000, **more
            )
            fresh = {
                event["id"]: event for event in page["events"] if event["id"] not in self._events
            }
            new |= fresh
            if not page.get("nextToken") or len(fresh) < len(page["events"]):
                return new
            more = {"nextToken": page["nextToken"]}


def _conclude(request: Request, cloud: "Cloud", outcome: Outcome, progress: Console) -> int:
    if outcome.status != "SUCCEEDED":
        results.show_failure(
            progress,
            name=outcome.name,
            how=f"{_HOW.get(outcome.status, 'ended')} after {view.duration(outcome.seconds)}",
            failure=_failure(outcome),
        )
        return 1
    s3 = cloud.client("s3")
    report = fetch_report(s3, outcome.output, home=home())
    if request.as_json:
        if report:
            progress.print(Text(f"Report  {shown(report)}"), soft_wrap=True)
        print_json(outcome.output)
        return 0
    results.show(
        progress,
        results.Result(
            output=outcome.output,
            name=outcome.name,
            seconds=view.duration(outcome.seconds),
            report=report,
            example=_example(s3, outcome.output),
        ),
    )
    return 0


def _failure(outcome: Outcome) -> Failure:
    return failure.explain(
        execution=outcome.name, error=outcome.error, cause=outcome.cause, states=outcome.states
    )


def _example(s3: Any, output: Mapping[str, Any]) -> str | None:
    """The first row of the test split without its label, if there is an endpoint to ask."""
    uri = (output.get("artifacts") or {}).get("batch_input")
    if not results.is_left(output) or not uri:
        return None
    bucket, key = split_s3(uri)
    lines = s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-4095")["Body"].read().splitlines()
    if not lines:
        return None
    return ",".join(f"{float(value):g}" for value in lines[0].decode().split(","))
