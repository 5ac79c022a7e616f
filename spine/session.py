"""The cloud and the app in it: found, brought up, deployed when the sources changed."""

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spine.errors import (
    CloudNotRunningError,
    CommandError,
    NotDeployedError,
    SageMakerEndedError,
    UsageError,
)
from spine.places import ROOT, home, shown
from spine.view import Step, Steps

if TYPE_CHECKING:
    from localcloud import Cloud, Conditions

# What a deployment is made of: when none of it changed since, there is nothing to deploy.
SOURCES = ("app.py", "cdk.json", "stacks", "lambda", "data_prep")
STACKS = "spine-dev-"
_OUTPUTS = ("BucketName", "StateMachineArn", "SageMakerRoleArn")
# An output of the pipelines' stack; the first machine has no label (`stacks/pipelines`).
_MACHINE = re.compile(r"(?P<label>\w*)StateMachineArn")
_RECORD = "deployed.json"
_CDK = ROOT / "node_modules" / ".bin" / "cdk"
# Functions run in the project's own environment here: they ship without the packages for Lambda.
_CONTEXT = {"functions": "local"}
# "spine-dev-storage |  3/12 | 10:15:00 | CREATE_COMPLETE | AWS::S3::Bucket | ...", and
# "spine-dev-storage: deploying... [1/3]", as the CDK command line prints them.
_EVENT = re.compile(r"^(?P<stack>\S+) \|\s*(?P<done>\d+(?:/\d+)?)\s*\|")
# Serialized as RFC 6454 does it, but for what has no host.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_BEGUN = re.compile(r"^(?P<stack>\S+): (?:deploying|destroying|creating)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack of the app as CloudFormation describes it."""

    name: str
    status: str
    changed: str
    outputs: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether its last change is complete and was not undone."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The deployed app.

    Attributes:
        bucket: Holds the runs.
        machines: The ARN of each pipeline's state machine by its label, the first one's "" in
            front.
        stacks: In the order of their names.
    """

    bucket: str
    machines: Mapping[str, str]
    stacks: tuple[Stack, ...]

    def machine(self, label: str) -> str:
        """The ARN of the state machine with a label, in capitals or not.

        Raises:
            UsageError: No machine has it.
        """
        for known, arn in self.machines.items():
            if known.casefold() == label.casefold():
                return arn
        further = ", ".join(known for known in self.machines if known)
        raise UsageError(
            f"--pipeline: the app has no pipeline {label!r}.",
            remedy=f"Take one of: {further}. Or leave --pipeline out, for the first."
            if further
            else "It has one only: leave --pipeline out.",
        )


def find_cloud() -> "Cloud | None":
    """The running cloud, None when there is none."""
    import localcloud

    return localcloud.running(home())


def need_cloud() -> "Cloud":
    """The running cloud.

    Raises:
        CloudNotRunningError: There is none.
        SageMakerEndedError: It is no longer whole.
    """
    found = find_cloud()
    if found is None:
        raise CloudNotRunningError
    return whole(found)


def whole(found: "Cloud") -> "Cloud":
    """A cloud whose SageMaker process runs.

    Raises:
        SageMakerEndedError: It has ended.
    """
    if not found.sagemaker_runs:
        raise SageMakerEndedError
    return found


def need_deployment(cloud: "Cloud") -> Deployment:
    """The app in a cloud.

    Raises:
        NotDeployedError: It is not there, or not completely.
    """
    found = deployment(stacks(cloud))
    if found is None:
        raise NotDeployedError
    return found


def bring_up(
    steps: Steps, *, port: int | None = None, conditions: "Conditions | None" = None
) -> "Cloud":
    """Start the cloud unless it runs; its conditions hold from its start or not at all.

    Raises:
        CommandError: It does not start.
    """
    found = find_cloud()
    if found is not None:
        if port not in {None, found.port}:
            raise CommandError(
                f"The local cloud runs on port {found.port} already, not on {port}.",
                remedy="Stop it first: spine down",
            )
        wanted = conditions.shown() if conditions else ()
        if missing := [each for each in wanted if each not in found.conditions]:
            has = f"only with {' '.join(found.conditions)}" if found.conditions else "without any"
            raise CommandError(
                f"The local cloud runs already, {has}: not with {' '.join(missing)}.",
                remedy="Stop it first: spine down",
            )
        return whole(found)
    import localcloud

    with steps.step("Start the local cloud") as step:
        return localcloud.start(home(), port=port, on_progress=step.update, conditions=conditions)


def conditions(
    *,
    quotas: Sequence[str],
    delays: Sequence[str],
    throttle: float | None,
    consistency_lag: float | None,
    retry_delay: float | None,
    allowed_origins: Sequence[str],
    **others: Any,
) -> "Conditions":
    """The conditions that options of `spine up` ask for, checked before anything is started.

    Raises:
        UsageError: One of them has another form.
    """
    from localcloud import Conditions
    from localcloud.sagemaker.settings import parse_delay, parse_quota

    for option, texts, parse in (
        ("--quota", quotas, parse_quota),
        ("--delay", delays, parse_delay),
    ):
        for text in texts:
            try:
                parse(text)
            except ValueError as error:
                raise UsageError(
                    f"{option}: {error}", remedy="See its form: spine up --help"
                ) from None
    for option, number in (
        ("--throttle", throttle),
        ("--consistency-lag", consistency_lag),
        ("--retry-delay", retry_delay),
    ):
        if number is not None and not 0 < number < float("inf"):
            raise UsageError(
                f"{option}: {number:g} must be more than 0", remedy="See: spine up --help"
            )
    for origin in allowed_origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError(
                f"--allow-origin: {origin!r} is no origin",
                remedy="As a browser sends it: http://localhost:3000",
            )
    return Conditions(
        allowed_origins=tuple(allowed_origins),
        quotas=tuple(quotas),
        delays=tuple(delays),
        throttle=throttle,
        consistency_lag=consistency_lag,
        retry_delay=retry_delay,
        **others,
    )


def read_faults(path: Path) -> list[dict[str, Any]]:
    """Read the faults of a file, before anything is started.

    Raises:
        UsageError: The file is not there, or a fault in it is wrong.
    """
    from localcloud.gateway import faults

    try:
        return faults.read(path)
    except faults.FaultError as error:
        raise UsageError(
            str(error), remedy="See what a fault looks like: spine up --help"
        ) from None


def set_faults(cloud: "Cloud", wanted: list[dict[str, Any]]) -> None:
    """Replace the faults of a running cloud."""
    from localcloud.gateway import faults

    faults.post(cloud, {"faults": wanted})


def bring_app(
    cloud: "Cloud", steps: Steps, *, always: bool = False, assembly: Path | None = None
) -> Deployment:
    """Deploy the app with the CDK command line, unless the very same sources are deployed.

    Args:
        cloud: Where to.
        steps: Shows the work.
        always: Deploy in any case.
        assembly: What these sources were synthesized to already.

    Raises:
        CommandError: The deployment failed.
    """
    with _alone():
        digest = sources_digest(ROOT)
        found = deployment(stacks(cloud))
        if found is not None and not always and _recorded() == _record(digest, found):
            return found
        import localcloud

        _need_cdk()
        _forget()
        title = "Deploy the app" if found is None else "Deploy the app again, its sources changed"
        with steps.step("Deploy the app" if always else title) as step:
            localcloud.deploy(
                cloud,
                app_dir=ROOT,
                context=_CONTEXT,
                assembly=assembly,
                on_output=_keeper(cloud, step),
            )
        found = need_deployment(cloud)
        (home() / _RECORD).write_text(json.dumps(_record(digest, found)))
        return found


def remove_app(cloud: "Cloud", steps: Steps) -> None:
    """Destroy the app's stacks with the CDK command line.

    Raises:
        CommandError: The removal failed.
    """
    import localcloud

    _need_cdk()
    with _alone():
        _forget()
        with steps.step("Destroy the app's stacks") as step:
            localcloud.destroy(
                cloud, app_dir=ROOT, context=_CONTEXT, on_output=_keeper(cloud, step)
            )


def stacks(cloud: "Cloud") -> tuple[Stack, ...]:
    """The app's stacks in a cloud, in the order of their names."""
    client = cloud.client("cloudformation")
    found = [
        _stack(description)
        for page in client.get_paginator("describe_stacks").paginate()
        for description in page["Stacks"]
        if description["StackName"].startswith(STACKS)
        and description["StackStatus"] != "DELETE_COMPLETE"
    ]
    return tuple(sorted(found, key=lambda stack: stack.name))


def deployment(found: tuple[Stack, ...]) -> Deployment | None:
    """The deployed app, None when a stack or an output of it is missing or a stack is not ready."""
    outputs = {key: value for stack in found for key, value in stack.outputs.items()}
    if not all(stack.ready for stack in found) or not all(name in outputs for name in _OUTPUTS):
        return None
    return Deployment(bucket=outputs["BucketName"], machines=_machines(found), stacks=found)


def sources_digest(root: Path) -> str:
    """A hash over the names and contents of everything that is deployed.

    Not of what tools leave beside the sources: compiled files and hidden caches.
    """
    digest = hashlib.sha256()
    for path in _files(root):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
            if not hidden and path.suffix != ".pyc" and path.is_file():
                yield path


def _machines(found: tuple[Stack, ...]) -> dict[str, str]:
    """The state machines by label; sorted, since CloudFormation promises no order of outputs."""
    labelled = {
        match["label"]: value
        for stack in found
        if stack.name == f"{STACKS}pipeline"
        for key, value in stack.outputs.items()
        if (match := _MACHINE.fullmatch(key))
    }
    return dict(sorted(labelled.items()))


def _stack(description: dict[str, Any]) -> Stack:
    return Stack(
        name=description["StackName"],
        status=description["StackStatus"],
        # The id is new with every creation; an update changes the time.
        changed=f"{description['StackId']} {description.get('LastUpdatedTime', '')}",
        outputs={
            output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])
        },
    )


def _record(digest: str, found: Deployment) -> dict[str, Any]:
    """What identifies a deployment: the sources, and the very stacks they went to."""
    return {"sources": digest, "stacks": {stack.name: stack.changed for stack in found.stacks}}


def _recorded() -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads((home() / _RECORD).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return record


def _forget() -> None:
    (home() / _RECORD).unlink(missing_ok=True)


def _need_cdk() -> None:
    if not _CDK.exists():
        raise CommandError(
            f"The CDK command line is not installed: {shown(_CDK)} is missing.",
            remedy="Install everything with: make run",
        )


def said(line: str) -> str | None:
    """What a line of the CDK command line tells about its progress, None when that is nothing."""
    if found := _EVENT.match(line):
        return f"{found['stack']} {found['done']}"
    if found := _BEGUN.match(line):
        return found["stack"]
    return "bootstrapping the account" if "Bootstrapping environment" in line else None


def _keeper(cloud: "Cloud", step: Step) -> Callable[[str], None]:
    """Keep what the CDK command line prints in a log, and show how far it is."""
    log = home() / "logs" / "deploy.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} to {cloud.endpoint_url}\n")

    step.update("synthesizing")

    def keep(line: str) -> None:
        with log.open("a") as file:
            file.write(f"{line}\n")
        if detail := said(line):
            step.update(detail)

    return keep


@contextmanager
def _alone() -> Iterator[None]:
    """Let one command at a time deploy to the cloud; others wait and then find it done."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "deploy.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
