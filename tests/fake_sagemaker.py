"""An in-memory SageMaker with states and a virtual clock, as strict about order as the real one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from spine.shipped import load
from tests.support import client_error

kinds = load("common.kinds")

_ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@dataclass
class Thing:
    """An endpoint, configuration, model or job; `until` is when its present state ends."""

    arn: str
    status: str = ""
    until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeSageMaker:
    """The part of SageMaker that cleaning up meets, for every kind that runs make.

    It answers boto3's methods of each row of the table: `list_training_jobs`, `delete_model`.

    Attributes:
        now: Virtual seconds; `sleep` moves them on.
        deletion: Seconds that something which is not deleted at once stays in Deleting.
        page: Items on each page of a listing.
        fault: Called with the operation and name before each call; may raise.
        calls: The deletions and stops that took effect, in order: the operation and the name.
        things: What is there, by its kind's resource type and its name.
    """

    now: float = 0.0
    deletion: float = 30.0
    page: int = 2
    fault: Callable[[str, str], None] = lambda _operation, _name: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    things: dict[str, dict[str, Thing]] = field(
        default_factory=lambda: {kind.resource_type: {} for kind in kinds.KINDS}
    )

    def __post_init__(self) -> None:
        self._methods: dict[str, Callable[..., dict[str, Any]]] = {}
        for kind in kinds.KINDS:
            self._methods[kind.method("List")] = partial(self._list, kind)
            self._methods[kind.method("Describe")] = partial(self._describe, kind)
            end = self._stop if kind.is_job else self._delete
            self._methods[kind.method(kind.ending)] = partial(end, kind)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        try:
            return self.__dict__["_methods"][method]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(method) from None

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for kind in kinds.KINDS:
            things = self.things[kind.resource_type]
            for name, thing in list(things.items()):
                if self.now < thing.until:
                    continue
                if thing.status == "Creating":
                    thing.status = "InService"
                elif thing.status == "Stopping":
                    thing.status = "Stopped"
                elif thing.status == "Deleting":
                    del things[name]

    def add(
        self, kind: str, name: str, *, status: str = "", until: float = 0.0, **tags: str
    ) -> None:
        """Put something there; tags `run`, `execution`, `keep_until` get their prefix."""
        self.things[kind][name] = Thing(
            arn=f"{_ARN}:{kind}/{name}",
            status=status,
            until=until,
            tags={f"spine:{key.replace('_', '-')}": value for key, value in tags.items()},
        )

    def names(self, kind: str) -> set[str]:
        """The names of what is there, ended jobs left out."""
        return {
            name
            for name, thing in self.things[kind].items()
            if not kind.endswith("-job") or thing.status == "InProgress"
        }

    def left(self) -> set[str]:
        """The names of everything there that a run may not leave."""
        return set().union(*(self.names(kind) for kind in self.things))

    def _get(self, operation: str, kind: str, name: str) -> Thing:
        self.fault(operation, name)
        thing = self.things[kind].get(name)
        if thing is None:
            if kind.endswith("-job"):
                raise client_error("ResourceNotFound", "Requested resource not found.", operation)
            raise client_error("ValidationException", f'Could not find {kind} "{name}".', operation)
        return thing

    def _describe(self, kind: Any, **request: str) -> dict[str, Any]:
        name = request[kind.name_member]
        thing = self._get(kind.operation("Describe"), kind.resource_type, name)
        answer = {kind.name_member: name, kind.arn_member: thing.arn}
        return answer | ({kind.status_member: thing.status} if thing.status else {})

    def _delete(self, kind: Any, **request: str) -> dict[str, Any]:
        """Delete at once, or begin to: not while it is in progress, nor what another needs.

        AWS would let the configuration of a live endpoint go and bill on, so that fails the test.
        """
        name, operation = request[kind.name_member], kind.operation("Delete")
        thing = self._get(operation, kind.resource_type, name)
        for earlier in kinds.KINDS[: kinds.KINDS.index(kind)]:
            assert earlier.is_job or name not in self.things[earlier.resource_type], (
                f"{operation} while the {earlier.resource_type} is there"
            )
        if thing.status == "Deleting":
            return {}
        if thing.status in kind.in_progress:
            message = f"Cannot update in-progress {kind.resource_type}"
            raise client_error("ValidationException", message, operation)
        if kind.in_progress and self.deletion:
            thing.status, thing.until = "Deleting", self.now + self.deletion
        else:
            del self.things[kind.resource_type][name]
        self.calls.append((operation, name))
        return {}

    def _stop(self, kind: Any, **request: str) -> dict[str, Any]:
        """Begin to stop a job in progress."""
        name, operation = request[kind.name_member], kind.operation("Stop")
        job = self._get(operation, kind.resource_type, name)
        if job.status != "InProgress":
            message = f"The request was rejected because the job is in status {job.status}."
            raise client_error("ValidationException", message, operation)
        job.status, job.until = "Stopping", self.now + 20
        self.calls.append((operation, name))
        return {}

    def _list(
        self,
        kind: Any,
        *,
        NameContains: str,  # noqa: N803 (boto3's own)
        MaxResults: int,  # noqa: N803
        StatusEquals: str | None = None,  # noqa: N803
        NextToken: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """List by a part of the name and a status."""
        self.fault(kind.operation("List"), NameContains)
        assert MaxResults <= 100
        things = self.things[kind.resource_type]
        matching = sorted(
            name
            for name, thing in things.items()
            if NameContains in name and name > NextToken and StatusEquals in (None, thing.status)
        )
        page = list(itertools.islice(matching, self.page))
        answer: dict[str, Any] = {
            kind.items: [
                {kind.name_member: name, kind.arn_member: things[name].arn} for name in page
            ]
        }
        if len(matching) > len(page):
            answer["NextToken"] = page[-1]
        return answer

    def list_tags(self, *, ResourceArn: str, NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """List two tags a page."""
        kind, _, name = ResourceArn.rpartition(":")[2].partition("/")
        thing = self._get("ListTags", kind, name)
        matching = sorted(key for key in thing.tags if key > NextToken)
        page = matching[:2]
        answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": thing.tags[key]} for key in page]}
        if len(matching) > len(page):
            answer["NextToken"] = page[-1]
        return answer


@dataclass
class FakeStepFunctions:
    """Executions by ARN with their status; unknown ones do not exist."""

    statuses: dict[str, str] = field(default_factory=dict)

    def describe_execution(
        self,
        *,
        executionArn: str,  # noqa: N803 (boto3's own)
        includedData: str,  # noqa: N803
    ) -> dict[str, str]:
        """Answer with the status."""
        if executionArn not in self.statuses:
            raise client_error(
                "ExecutionDoesNotExist", "Execution Does Not Exist", "DescribeExecution"
            )
        return {"executionArn": executionArn, "status": self.statuses[executionArn]}
