"""Runs that fail or are stopped in a given state, and are redriven from there."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from localcloud.gateway import faults
from spine.shipped import load
from tests.e2e.conftest import Deployment, eventually
from tests.reliability.single_faults import start

_ENDPOINT_ONLY = {"batch_transform": {"enabled": False}, "evaluation": {"minimum": {}}}
_BATCH_ONLY = {"endpoint": {"enabled": False}}
_KEPT = {"endpoint": {"keep": True, "ttl_minutes": 5}}
_BY_JOB = {"preparation": {"engine": "processing"}}
_BY_SPARK = {"preparation": {"engine": "spark"}}
_HOLD_SECONDS = 6.0


@dataclass(frozen=True)
class Place:
    """A state, by the call that it makes.

    Attributes:
        service: boto3's name.
        operation: In a run's failure.
        held: In a run's stop, where that is another: then what the state made is there.
        nth: Of the calls with this run's name.
        given: The execution input that brings the run there.
        retried: Whether the state repeats the call when it is refused.
        object: The end of the object's key, of an S3 call.
        after: The call whose refusal brings the run there, as service and operation.
    """

    service: str
    operation: str
    held: str = ""
    nth: int = 1
    given: dict[str, Any] = field(default_factory=dict)
    retried: bool = False
    object: str = ""
    after: tuple[str, str] | None = None


PLACES = {
    "Plan the run": Place("lambda", "Invoke"),
    "Prepare the data": Place("lambda", "Invoke", nth=2),
    "Hand over the plan": Place(
        "s3", "PutObject", given=_BY_JOB, retried=True, object="/preparation/plan.json"
    ),
    "Prepare on an instance": Place(
        "sagemaker", "CreateProcessingJob", held="DescribeProcessingJob", given=_BY_JOB
    ),
    "Prepare with Spark": Place(
        "sagemaker", "CreateProcessingJob", held="DescribeProcessingJob", given=_BY_SPARK
    ),
    "Read what was prepared": Place(
        "s3", "GetObject", given=_BY_JOB, retried=True, object="/preparation/spine-dev-"
    ),
    "Train the model": Place("sagemaker", "CreateTrainingJob", held="DescribeTrainingJob"),
    "Train on spot": Place(
        "sagemaker",
        "CreateTrainingJob",
        held="DescribeTrainingJob",
        given={"training": {"spot": True}},
    ),
    "Create the model": Place("sagemaker", "CreateModel"),
    "Create the endpoint config": Place("sagemaker", "CreateEndpointConfig"),
    "Create the endpoint": Place("sagemaker", "CreateEndpoint"),
    "Look at the endpoint": Place("sagemaker", "DescribeEndpoint", retried=True),
    "Predict with the endpoint": Place("lambda", "Invoke", nth=3, given=_ENDPOINT_ONLY),
    "Transform the batch": Place("sagemaker", "CreateTransformJob", held="DescribeTransformJob"),
    "Evaluate": Place("lambda", "Invoke", nth=3, given=_BATCH_ONLY),
    "Keep the endpoint": Place("sagemaker", "AddTags", given=_KEPT, retried=True),
    "Clean up": Place("lambda", "Invoke", nth=4, given=_BATCH_ONLY),
    "Finish": Place("s3", "PutObject", retried=True, object="/manifest.json"),
    "Clean up after failure": Place("lambda", "Invoke", nth=3, after=("sagemaker", "CreateModel")),
    # The call carries the run's name in its cause only: that of a file nobody may read.
    "Run failed": Place("stepfunctions", "SendTaskFailure", after=("s3", "GetObject")),
}


@dataclass(frozen=True)
class Ended:
    """How a run comes to its first end, and when it is redriven.

    Attributes:
        state: Where.
        how: It fails there, or somebody stops it there.
        swept: Whether the redrive waits until what it had made is gone.
    """

    state: str
    how: Literal["fail", "stop"]
    swept: bool = False

    def __str__(self) -> str:
        return f"{self.how} in {self.state}{', swept' if self.swept else ''}"


@dataclass(frozen=True)
class Redriven:
    """What came of it.

    Attributes:
        before: The first end, as DescribeExecution has it.
        after: The second.
        states: All that were entered.
        trained: The run's training jobs.
        left: What is left in SageMaker of the run, its model left out.
        model: Whether the model that the output names exists.
    """

    case: Ended
    before: dict[str, Any]
    after: dict[str, Any]
    states: list[str]
    trained: list[str]
    left: list[str]
    model: bool


def cases() -> list[Ended]:
    """Every state with every way to end there, redriven at once and later."""
    found = []
    for state, place in PLACES.items():
        found += [Ended(state, "stop"), Ended(state, "stop", swept=True)]
        if not place.after:
            found.append(Ended(state, "fail"))
    return found


def redrive_all(
    app: Deployment,
    wanted: Sequence[Ended],
    *,
    at_once: int = 6,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Redriven]:
    """Run to the first end, several side by side; then without faults to the second.

    Args:
        app: Where.
        wanted: The first ends.
        at_once: How many side by side.
        meanwhile: Called when all have ended, before any is redriven.
    """
    tag = f"r{time.monotonic_ns() % 1_000_000}"
    names = [f"{tag}-{number}-x" for number in range(len(wanted))]
    found = [
        fault
        for case, name in zip(wanted, names, strict=True)
        for fault in _faults(case, app, name)
    ]
    faults.post(app.cloud, {"faults": found})
    client = app.cloud.client("stepfunctions")

    def first(case: Ended, name: str) -> dict[str, Any]:
        arn = start(app, name, **PLACES[case.state].given)
        if case.how == "stop":
            eventually(lambda: case.state in app.states(arn), f"{arn} in {case.state}", 300)
            eventually(lambda: _met(app, name), f"the call of {case.state}", 120)
            client.stop_execution(executionArn=arn)
        return app.ended(arn, 600)

    def second(case: Ended, before: dict[str, Any]) -> Redriven:
        arn = before["executionArn"]
        if case.swept:
            eventually(lambda: not left(app, arn, models=True), f"the sweep after {case}", 120)
        client.redrive_execution(executionArn=arn)
        after = app.ended(arn, 600)
        if PLACES[case.state].given is not _KEPT:
            eventually(lambda: not left(app, arn), f"the clean-up of {case}", 60)
        jobs = app.cloud.client("sagemaker").list_training_jobs(NameContains=base(arn))
        return Redriven(
            case,
            before,
            after,
            app.states(arn),
            sorted(each["TrainingJobName"] for each in jobs["TrainingJobSummaries"]),
            left(app, arn),
            base(arn) in app.models(),
        )

    with ThreadPoolExecutor(at_once) as pool:
        try:
            before = list(pool.map(first, wanted, names))
        finally:
            faults.post(app.cloud, {})
        meanwhile()
        return list(pool.map(second, wanted, before))


def stopping(state: str, app: Deployment, name: str) -> dict[str, Any]:
    """A fault that holds a run in a state, for who wants to stop it there."""
    place = PLACES[state]
    held = {"operation": place.held or place.operation, "fault": "hang", "seconds": _HOLD_SECONDS}
    return {**_at(place, app, name), "nth": place.nth, **held}


def _at(place: Place, app: Deployment, name: str) -> dict[str, Any]:
    within = f"{_run_id(app, name)}{place.object}" if place.object else name
    return {"service": place.service, "containing": within}


def _faults(case: Ended, app: Deployment, name: str) -> list[dict[str, Any]]:
    place = PLACES[case.state]
    if case.how == "stop":
        one = stopping(case.state, app, name)
    else:
        one = _at(place, app, name) | {"operation": place.operation, "fault": "fail"}
        one |= {"every": 1} if place.retried else {"nth": place.nth}
        one |= _REFUSALS[place.service]
    if not place.after:
        return [one]
    service, operation = place.after
    refused = {"service": service, "operation": operation, "every": 1, "containing": name}
    return [one, refused | {"fault": "fail", **_REFUSALS[service]}]


# Errors that no state takes for passing ones.
_REFUSALS: dict[str, dict[str, Any]] = {
    "lambda": {"error": "ResourceNotFoundException", "status": 404},
    "sagemaker": {"error": "AccessDeniedException"},
    "s3": {"error": "AccessDenied", "status": 403},
}


def _met(app: Deployment, name: str) -> bool:
    every = faults.post(app.cloud, None)["faults"]
    return all(each["hit"] > 0 for each in every if name in each["containing"])


def base(arn: str) -> str:
    """What the resources of an execution's run are called."""
    names = load("common.names")
    found: str = names.base_name("spine-dev", names.run_id_of(arn))
    return found


def _run_id(app: Deployment, name: str) -> str:
    arn = app.machine.replace(":stateMachine:", ":execution:") + f":{name}"
    found: str = load("common.names").run_id_of(arn)
    return found


def left(app: Deployment, arn: str, *, models: bool = False) -> list[str]:
    """What is left in SageMaker of an execution's run, its model if wanted."""
    found = [name for names in app.left().values() for name in names]
    found += app.models() if models else []
    return [name for name in found if name.startswith(base(arn))]


def problems(found: Redriven) -> list[str]:
    """What is wrong with a redriven run; nothing should be."""
    case = found.case
    expected = {"fail": "FAILED", "stop": "ABORTED"}[case.how]
    names = list(PLACES)
    done_before = names.index(case.state) > names.index("Train the model")
    done_before = done_before and case.state != "Run failed"
    wrong = {
        "did not end there first": found.before["status"] != expected,
        "failed without its error": case.how == "fail"
        and not (found.before.get("error") and found.before.get("cause")),
        "does not succeed": found.after["status"] != "SUCCEEDED",
        "has lost its model": not found.model,
        "leaves something": bool(found.left) and PLACES[case.state].given is not _KEPT,
        "trains again": done_before and len(found.trained) != 1,
        "prepares again": done_before and found.states.count("Prepare the data") != 1,
    }
    said = found.after.get("error"), found.after.get("cause")
    return [f"{case}: {what} {said}" for what, is_so in wrong.items() if is_so]
