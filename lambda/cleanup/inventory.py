"""The runs of one deployment, found from what they left in SageMaker."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ..common import names
from ..common.kinds import Kind
from .resources import Resource, listed, tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass
class Run:
    """A run that left something.

    Attributes:
        base: What its resources are called.
        execution: The ARN of its execution, from the tags.
        resources: What was found.
    """

    base: str
    execution: str
    resources: list[Resource] = field(default_factory=list)


@dataclass
class Inventory:
    """What was found under a name prefix.

    Attributes:
        runs: The runs, by what their resources are called.
        foreign: Names that start alike but lack a run's tags: not Spine's, or of another stage
            whose name starts with this one's.
        failures: What could not be looked at, with the reason.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def take(
    sagemaker: "SageMakerClient",
    prefix: str,
    kinds: Iterable[Kind],
    *,
    scope: str | None = None,
    job_statuses: Iterable[str] = ("InProgress",),
) -> Inventory:
    """Find the runs of the deployment with this name prefix.

    A resource is a run's only when its tag `spine:run` agrees with its name; the name alone cannot
    tell stage `dev` from stage `dev-2`.

    Args:
        sagemaker: The SageMaker client.
        prefix: The deployment's name prefix.
        kinds: What to look for.
        scope: Only what is called like this, instead of everything with the prefix.
        job_statuses: In which statuses jobs count.
    """
    inventory = Inventory()
    for kind in kinds:
        statuses: Iterable[str | None] = job_statuses if kind.is_job else (None,)
        start = names.fitting(scope, kind.longest_name) if scope else f"{prefix}-"
        for status in statuses:
            try:
                for resource in listed(sagemaker, kind, start, status=status):
                    _add(inventory, sagemaker, prefix, resource)
            except (BotoCoreError, ClientError) as error:
                inventory.failures.append(f"listing each {kind.key}: {error}")
    return inventory


def _add(
    inventory: Inventory, sagemaker: "SageMakerClient", prefix: str, resource: Resource
) -> None:
    try:
        found = tags(sagemaker, resource.arn)
    except (BotoCoreError, ClientError) as error:
        inventory.failures.append(f"reading the tags of {resource.name}: {error}")
        return
    base = f"{prefix}-{found.get('spine:run')}"
    execution = found.get("spine:execution")
    start = names.fitting(base, resource.kind.longest_name)
    if execution is None or not names.belongs(resource.name, start):
        inventory.foreign.append(resource.name)
        return
    run = Run(base, names.tagged_execution(execution))
    inventory.runs.setdefault(base, run).resources.append(resource)
