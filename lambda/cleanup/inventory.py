"""The runs of one deployment, found from what they left in SageMaker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ..common import names
from ..common.kinds import Kind
from .pacing import OutOfTimeError
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

    @property
    def newest(self) -> datetime:
        """When the last of it was made: the run cannot have ended before."""
        return max(resource.created for resource in self.resources)

    @property
    def oldest(self) -> datetime:
        """When the first of what is there was made."""
        return min(resource.created for resource in self.resources)

    @property
    def has_only_results(self) -> bool:
        """Whether all of it may stay after a success, and costs nothing."""
        return all(resource.kind.is_result for resource in self.resources)


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
    results_made: Mapping[str, datetime] | None = None,
) -> Inventory:
    """Find the runs of the deployment with this name prefix.

    A resource is a run's only when its tag `spine:run` agrees with its name; the name alone cannot
    tell stage `dev` from stage `dev-2`.

    Args:
        sagemaker: The SageMaker client.
        prefix: The deployment's name prefix.
        kinds: What to look for.
        scope: Only what is called like this, instead of everything with the prefix.
        results_made: Bounds for the time at which results were made, as members of the listing's
            request: there may be any number of them.
    """
    inventory = Inventory()
    for kind in kinds:
        status = "InProgress" if kind.is_job else None
        bounds = (results_made or {}) if kind.is_result else {}
        start = names.fitting(scope, kind.longest_name) if scope else f"{prefix}-"
        try:
            for resource in listed(sagemaker, kind, start, status=status, **bounds):
                _add(inventory, sagemaker, prefix, resource)
        except (BotoCoreError, ClientError, OutOfTimeError) as error:
            inventory.failures.append(f"listing each {kind.key}: {error}")
    return inventory


def owner(sagemaker: "SageMakerClient", prefix: str, resource: Resource) -> Run | None:
    """Return the run of this deployment that a resource is of, by its tags and its name together.

    Raises:
        ClientError: Its tags cannot be read.
    """
    found = tags(sagemaker, resource.arn)
    base = f"{prefix}-{found.get('spine:run')}"
    execution = found.get("spine:execution")
    start = names.fitting(base, resource.kind.longest_name)
    if execution is None or not names.belongs(resource.name, start):
        return None
    return Run(base, names.tagged_execution(execution))


def _add(
    inventory: Inventory, sagemaker: "SageMakerClient", prefix: str, resource: Resource
) -> None:
    try:
        run = owner(sagemaker, prefix, resource)
    except (BotoCoreError, ClientError) as error:
        inventory.failures.append(f"reading the tags of {resource.name}: {error}")
        return
    if run is None:
        inventory.foreign.append(resource.name)
    else:
        inventory.runs.setdefault(run.base, run).resources.append(resource)
