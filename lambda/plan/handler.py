"""Plan the run: check the execution input, fill in defaults, derive names and places."""

import os
from typing import Any

from ..common import log
from . import instances, model, plan


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Return the plan for `{"input": ..., "execution": {"arn", "name", "started_at"}}`.

    Raises:
        InvalidInputError: The execution input cannot be run; every problem is listed.
    """
    bucket = os.environ["BUCKET"]
    rules = model.Rules(
        bucket=bucket,
        hosts=_listed(os.environ["SOURCE_HOSTS"].lower()),
        buckets=_listed(os.environ["SOURCE_BUCKETS"]),
        instances=instances.known(),
        allowed=_listed(os.environ["INSTANCE_TYPES"]),
    )
    execution = event["execution"]
    planned = plan.build(
        model.parse(event["input"], rules),
        execution_arn=execution["arn"],
        execution_name=execution["name"],
        started_at=execution["started_at"],
        bucket=bucket,
        name_prefix=os.environ["NAME_PREFIX"],
    )
    log.event("run planned", run=planned["run"]["id"], execution=execution["arn"])
    return planned


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
