"""The plan every later state carries: input completed, run named, places laid out. Pure."""

from typing import Any

from ..common import names, plans
from ..common.folders import FOLDERS
from ..common.kinds import KINDS
from .execution_input import ExecutionInput
from .sections import SECTIONS

# Seconds to wait before each look at a new endpoint: most need three to eight minutes, the local
# cloud a second. Half an hour in all.
_POLLS = [1, 2, 4, 8, 15, 30, *[60] * 29]


def build(
    given: ExecutionInput,
    *,
    preparation: dict[str, Any],
    execution_arn: str,
    execution_name: str,
    started_at: str,
    bucket: str,
    name_prefix: str,
) -> dict[str, Any]:
    """Return the plan, a JSON object of a few kilobytes.

    Args:
        given: The checked input.
        preparation: What `engines.choose` has chosen.
        execution_arn: Of the execution.
        execution_name: Its name.
        started_at: When it began.
        bucket: Spine's own.
        name_prefix: What the names of resources start with.

    Raises:
        ValueError: The name prefix makes names SageMaker refuses, or the execution's name makes a
            tag that it refuses.
    """
    run = names.run_id(execution_name, execution_arn)
    return {
        "version": plans.VERSION,
        "run": {
            "id": run,
            "name": (base := names.base_name(name_prefix, run)),
            "short_name": names.fitting(base, min(kind.longest_name for kind in KINDS)),
            "execution": execution_arn,
            "execution_tag": names.execution_tag(execution_arn),
            "started_at": started_at,
        },
        "bucket": bucket,
        "prefix": f"runs/{run}",
        "algorithm": given.algorithm.name,
        "task": given.task,
        **{name: getattr(given, name).model_dump(by_alias=True) for name in SECTIONS},
        "source": _source(given),
        "preparation": preparation,
        "training": _training(given),
        "endpoint": {**given.endpoint.model_dump(), "polls": _POLLS},
        "evaluation": {
            "threshold": given.evaluation.threshold if given.task == "binary" else None,
            **given.evaluation.asked(),
        },
        "places": places(bucket, run),
    }


def _source(given: ExecutionInput) -> dict[str, Any]:
    source = given.source.model_dump()
    if source["sha256"] is not None:
        source["sha256"] = source["sha256"].lower()
    if given.task != "binary":
        source["positive"] = None
    return source


def _training(given: ExecutionInput) -> dict[str, Any]:
    longest = given.training.max_runtime_seconds
    stopping = {"MaxRuntimeInSeconds": longest}
    if given.training.spot:
        # CreateTrainingJob refuses the field without spot and wants at least the run time with it;
        # as much again is what the job may wait for spare capacity.
        stopping["MaxWaitTimeInSeconds"] = 2 * longest
    return {
        **given.training.model_dump(exclude={"hyperparameters"}),
        "hyperparameters": dict(given.hyperparameters),
        "stopping_condition": stopping,
    }


def places(bucket: str, run: str) -> dict[str, str]:
    """Return where the run's files are: S3 folders by the step that writes them."""
    folder = f"s3://{bucket}/runs/{run}/"
    manifest_key = f"runs/{run}/manifest.json"
    return {
        **{each.replace("-", "_"): f"{folder}{each}/" for each in FOLDERS},
        "preparation_key": f"runs/{run}/preparation/",
        "manifest_key": manifest_key,
        "manifest": f"s3://{bucket}/{manifest_key}",
    }
