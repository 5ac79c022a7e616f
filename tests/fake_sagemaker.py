"""An in-memory SageMaker with states and a virtual clock, as strict about order as the real one."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from spine.shipped import load
from tests.support import client_error

kinds = load("common.kinds")

_ARN = "arn:aws:sagemaker:us-east-1:000000000000"
# When virtual time begins.
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
# The statuses in which AWS deletes no endpoint and no inference component (DescribeEndpoint).
_IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass
class Thing:
    """An endpoint, configuration, model or job.

    Attributes:
        arn: Its ARN.
        created: When it was made, in virtual seconds.
        status: Where things of its kind have one.
        until: When that status ends.
        tags: All of them.
        uses: The names of what it is made of: an endpoint of configurations, those of models, and
            so are transform jobs and inference components.
        on: The endpoint that an inference component stands on.
    """

    arn: str
    created: float = 0.0
    status: str = ""
    until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)
    uses: tuple[str, ...] = ()
    on: str = ""


@dataclass
class FakeSageMaker:
    """The part of SageMaker that cleaning up meets, for every kind that runs make.

    It answers boto3's methods of each row of the table: `list_training_jobs`, `delete_model`.

    Attributes:
        now: Virtual seconds; `sleep` moves them on.
        deletion: Seconds that something which is not deleted at once stays in Deleting.
        page: Items on each page of a listing.
        tag_page: Tags on each page of them.
        fault: Called with the operation and name before each call; may raise.
        calls: The deletions and stops that took effect, in order: the operation and the name.
        things: What is there, by its kind's resource type and its name.
        scaled: Scalable targets that somebody registered: resource id and dimension.
        counts: How often each operation was called.
    """

    now: float = 0.0
    deletion: float = 30.0
    page: int = 2
    tag_page: int = 2
    fault: Callable[[str, str], None] = lambda _operation, _name: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    things: dict[str, dict[str, Thing]] = field(
        default_factory=lambda: {kind.resource_type: {} for kind in _kinds()}
    )
    scaled: set[tuple[str, str]] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What has a status, which changes with time.
        self._changing = [
            self.things[kind.resource_type] for kind in _kinds() if kind.is_job or kind.in_progress
        ]
        self._pages: dict[str, list[str]] = {}
        self._tokens = itertools.count(1)
        self._methods: dict[str, Callable[..., dict[str, Any]]] = {}
        for kind in _kinds():
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
        for things in self._changing:
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
        self,
        kind: str,
        name: str,
        *,
        status: str = "",
        until: float = 0.0,
        uses: tuple[str, ...] | None = None,
        on: str = "",
        **tags: str,
    ) -> None:
        """Put something there, made of what has its own name unless said otherwise.

        An inference component has a container of its own then.

        Tags `run`, `execution`, `keep_until` get their prefix.
        """
        if uses is None:
            uses = () if kind == "inference-component" else (name,)
        self.things[kind][name] = Thing(
            arn=f"{_ARN}:{kind}/{name}",
            created=self.now,
            status=status,
            until=until,
            uses=uses,
            on=on,
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

    def _called(self, operation: str, name: str) -> None:
        self.counts[operation] = self.counts.get(operation, 0) + 1
        self.fault(operation, name)

    def _get(self, operation: str, kind: str, name: str) -> Thing:
        self._called(operation, name)
        thing = self.things[kind].get(name)
        if thing is None:
            if kind.endswith("-job"):
                raise client_error("ResourceNotFound", "Requested resource not found.", operation)
            raise client_error("ValidationException", f'Could not find {kind} "{name}".', operation)
        return thing

    def _describe(self, kind: Any, **request: str) -> dict[str, Any]:
        name = request[kind.name_member]
        thing = self._get(kind.operation("Describe"), kind.resource_type, name)
        answer: dict[str, Any] = {kind.name_member: name, kind.arn_member: thing.arn}
        if kind.noun == "Endpoint":
            answer["ProductionVariants"] = [{"VariantName": "a"}]
        if kind.noun == "EndpointConfig":
            answer["ProductionVariants"] = [{"ModelName": each} for each in thing.uses]
        else:
            # In the order of the paths, as far as they go.
            for path, used in zip(kind.uses, thing.uses, strict=False):
                outer, _, member = path.rpartition(".")
                (answer.setdefault(outer, {}) if outer else answer)[member] = used
        return answer | ({kind.status_member: thing.status} if thing.status else {})

    def _delete(self, kind: Any, **request: str) -> dict[str, Any]:
        """Delete at once, or begin to: not while it is in progress, nor what another needs.

        AWS would let the configuration of a live endpoint go and bill on, so that fails the test.
        """
        name, operation = request[kind.name_member], kind.operation("Delete")
        thing = self._get(operation, kind.resource_type, name)
        for user in kinds.users_of(kind):
            assert not any(
                (not user.is_job or each.status == "InProgress") and name in each.uses
                for each in self.things[user.resource_type].values()
            ), f"{operation} while the {user.resource_type} is there"
        if thing.status == "Deleting":
            return {}
        if reason := self._reason_to_refuse(kind, name, thing):
            raise client_error("ValidationException", reason, operation)
        if kind.in_progress and self.deletion:
            thing.status, thing.until = "Deleting", self.now + self.deletion
        else:
            del self.things[kind.resource_type][name]
        self.calls.append((operation, name))
        return {}

    def _reason_to_refuse(self, kind: Any, name: str, thing: Thing) -> str | None:
        if thing.status in _IN_PROGRESS:
            return f"Cannot update in-progress {kind.resource_type}"
        if any(each.on == name for each in self.things["inference-component"].values()):
            return f"Cannot delete {kind.resource_type} {name} that has inference components."
        start = f"{kind.resource_type}/{name}"
        if any(f"{resource}/".startswith(f"{start}/") for resource, _ in self.scaled):
            # As whoever may not deregister it is told.
            return "An Application AutoScaling scalable target exists for a variant being deleted."
        return None

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

    def _list(self, kind: Any, *, MaxResults: int, **asked: Any) -> dict[str, Any]:  # noqa: N803
        """List by a part of the name, a status, times, and what something stands on."""
        assert MaxResults <= 100
        self._called(kind.operation("List"), asked.get("NameContains", ""))
        things = self.things[kind.resource_type]
        token = asked.pop("NextToken", None)
        matching = self._pages[token] if token else _matching(things, **asked)
        answer: dict[str, Any] = {
            kind.items: [
                {
                    kind.name_member: name,
                    kind.arn_member: things[name].arn,
                    "CreationTime": _moment(things[name]),
                    **({kind.status_member: things[name].status} if things[name].status else {}),
                }
                for name in matching[: self.page]
                if name in things
            ]
        }
        if len(matching) > self.page:
            answer["NextToken"] = str(next(self._tokens))
            self._pages[answer["NextToken"]] = matching[self.page :]
        return answer

    def list_tags(self, *, ResourceArn: str, NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """List the tags of a resource."""
        kind, _, name = ResourceArn.rpartition(":")[2].partition("/")
        thing = self._get("ListTags", kind, name)
        matching = sorted(key for key in thing.tags if key > NextToken)
        page = matching[: self.tag_page]
        answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": thing.tags[key]} for key in page]}
        if len(matching) > len(page):
            answer["NextToken"] = page[-1]
        return answer


def _kinds() -> list[Any]:
    """What runs make, and what may stand on it."""
    return [*kinds.KINDS, *kinds.held()]


def _matching(
    things: dict[str, Thing],
    *,
    NameContains: str = "",  # noqa: N803 (boto3's own)
    StatusEquals: str | None = None,  # noqa: N803
    EndpointNameEquals: str | None = None,  # noqa: N803
    CreationTimeAfter: datetime | None = None,  # noqa: N803
    CreationTimeBefore: datetime | None = None,  # noqa: N803
    LastModifiedTimeAfter: datetime | None = None,  # noqa: N803
) -> list[str]:
    """The names of what a listing is asked for, the newest first; nothing here is ever changed."""
    since = CreationTimeAfter or LastModifiedTimeAfter
    found = [
        name
        for name, thing in things.items()
        if NameContains in name
        and StatusEquals in (None, thing.status)
        and EndpointNameEquals in (None, thing.on)
        and (since is None or _moment(thing) > since)
        and (CreationTimeBefore is None or _moment(thing) < CreationTimeBefore)
    ]
    # Of most of SageMaker's lists the default order.
    return sorted(found, key=lambda name: (-things[name].created, name))


def _moment(thing: Thing) -> datetime:
    return BEGIN + timedelta(seconds=thing.created)


@dataclass
class FakeScaling:
    """Application Auto Scaling over the scalable targets of a fake SageMaker."""

    sagemaker: FakeSageMaker

    def deregister_scalable_target(
        self,
        *,
        ServiceNamespace: str,  # noqa: N803 (boto3's own)
        ResourceId: str,  # noqa: N803
        ScalableDimension: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Take one away."""
        assert ServiceNamespace == "sagemaker"
        target = (ResourceId, ScalableDimension)
        if target not in self.sagemaker.scaled:
            message = f"No scalable target found for resource ID: {ResourceId}"
            raise client_error("ObjectNotFoundException", message, "DeregisterScalableTarget")
        self.sagemaker.scaled.remove(target)
        return {}


@dataclass
class FakeLambda:
    """Keeps the events that functions are to be called with.

    Attributes:
        events: The function's name and the event, in order.
        fault: Raised instead.
    """

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fault: Exception | None = None

    def invoke(
        self,
        *,
        FunctionName: str,  # noqa: N803 (boto3's own)
        InvocationType: str,  # noqa: N803
        Payload: bytes,  # noqa: N803
    ) -> dict[str, Any]:
        """Take an event that nobody waits for."""
        if self.fault:
            raise self.fault
        assert InvocationType == "Event"
        self.events.append((FunctionName, json.loads(Payload)))
        return {"StatusCode": 202}


@dataclass
class FakeStepFunctions:
    """Executions by ARN with their status; unknown ones do not exist.

    Attributes:
        statuses: By ARN.
        refused: ARNs that may not be looked up, with the code of the refusal.
    """

    statuses: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def describe_execution(
        self,
        *,
        executionArn: str,  # noqa: N803 (boto3's own)
        includedData: str,  # noqa: N803
    ) -> dict[str, str]:
        """Answer with the status."""
        if executionArn in self.refused:
            code = self.refused[executionArn]
            raise client_error(code, f"{code}: {executionArn}", "DescribeExecution")
        if executionArn not in self.statuses:
            raise client_error(
                "ExecutionDoesNotExist", "Execution Does Not Exist", "DescribeExecution"
            )
        return {"executionArn": executionArn, "status": self.statuses[executionArn]}
