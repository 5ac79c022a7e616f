"""What is in the local cloud right now: executions, and endpoints with how long they stay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spine import history
from spine.history import Event, State
from spine.session import STACKS, Deployment
from spine.shipped import load

if TYPE_CHECKING:
    from localcloud import Cloud

_names = load("common.names")
_tasks = load("common.tasks")
_algorithms = load("algorithms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a pipeline.

    Attributes:
        pipeline: The label of its state machine, "" for the first.
    """

    name: str
    arn: str
    pipeline: str
    status: str
    started: datetime
    stopped: datetime | None

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes so far."""
        return ((self.stopped or now) - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint of the app.

    Attributes:
        until: When it is deleted; None when nothing was promised: its run or the sweeper decides.
        execution: The ARN of the execution that made it.
    """

    name: str
    arn: str
    status: str
    until: datetime | None
    execution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the run that made an endpoint knows about the model behind it.

    Attributes:
        features: How many values a row has.
        form: What it answers for a row (`lambda/algorithms/answers.py`).
        threshold: Of two classes: above it a probability means the class 1.
        classes: The names of the classes, by number.
    """

    features: int | None = None
    form: Any = field(default_factory=lambda: form_of({}, classes=2))
    threshold: float | None = None
    classes: tuple[str, ...] = ("0", "1")


def executions(cloud: "Cloud", app: Deployment, *, limit: int) -> list[Execution]:
    """The latest executions of all state machines, newest first."""
    client = cloud.client("stepfunctions")
    found = [
        Execution(
            name=item["name"],
            arn=item["executionArn"],
            pipeline=label,
            status=item["status"],
            started=item["startDate"],
            stopped=item.get("stopDate"),
        )
        for label, machine in app.machines.items()
        for item in client.list_executions(stateMachineArn=machine, maxResults=limit)["executions"]
    ]
    # A page may hold more than was asked for where the service does not cut pages.
    return sorted(found, key=lambda item: item.started, reverse=True)[:limit]


def endpoints(cloud: "Cloud") -> list[Endpoint]:
    """The app's endpoints, by name."""
    client = cloud.client("sagemaker")
    found = []
    for page in client.get_paginator("list_endpoints").paginate(NameContains=STACKS):
        for item in page["Endpoints"]:
            if item["EndpointName"].startswith(STACKS):
                tags = _tags(client, item["EndpointArn"])
                execution = tags.get("spine:execution")
                found.append(
                    Endpoint(
                        name=item["EndpointName"],
                        arn=item["EndpointArn"],
                        status=item["EndpointStatus"],
                        until=_moment(tags.get("spine:keep-until")),
                        execution=execution and _names.tagged_execution(execution),
                    )
                )
    return sorted(found, key=lambda endpoint: endpoint.name)


def model_behind(cloud: "Cloud", endpoint: Endpoint) -> Model:
    """What the endpoint's run says about its model; nothing for an endpoint made by hand."""
    if endpoint.execution is None:
        return Model()
    client = cloud.client("stepfunctions")
    try:
        events = history_of(client, endpoint.execution)
    except client.exceptions.ExecutionDoesNotExist:
        return Model()
    # The states answer while the run still goes on; its output would not.
    answers = {state.name: _payload(state) for state in history.walk(history.read(events))}
    plan, prepared = answers.get("Plan the run", {}), answers.get("Prepare the data", {})
    classes = class_names(prepared.get("classes"))
    return Model(
        features=prepared.get("feature_count"),
        form=form_of(plan, classes=len(classes)),
        threshold=plan.get("evaluation", {}).get("threshold"),
        classes=classes,
    )


def class_names(classes: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The names of a run's classes by number: of two the negative one is 0."""
    names: tuple[str, ...] = _tasks.class_names(classes)
    return names


def form_of(plan: Mapping[str, Any], *, classes: int) -> Any:
    """What the model of a run answers; of the usual one where the plan is not known."""
    algorithm = _algorithms.of_plan(plan)
    hyperparameters = plan.get("training", {}).get("hyperparameters")
    objective = (
        algorithm.objective_name(hyperparameters)
        if hyperparameters
        else algorithm.usual_objective("binary")
    )
    return algorithm.answer(objective, classes)


def history_of(client: Any, arn: str) -> list[Event]:
    """All events of an execution."""
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def _payload(state: State) -> dict[str, Any]:
    payload = state.result.get("Payload") if isinstance(state.result, dict) else None
    return payload if isinstance(payload, dict) else {}


def _tags(client: Any, arn: str) -> dict[str, str]:
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
