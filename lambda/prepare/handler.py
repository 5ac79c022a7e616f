"""Prepare the data in a function: sources that its memory, disk and 15 minutes are enough for."""

import os
from typing import Any

from .run import run


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Prepare the source of `{"plan": ...}`; see `run.run` for the result.

    Args:
        event: The plan of the run.
        context: Lambda's own, not used.

    Raises:
        DataError: One of its classes: the input is refused.
        SourceUnreachableError: The only failure that trying again may mend.
        SpineError: The other classes of `fetch`: the source cannot be had.
        PlanVersionError: The plan is of a deployment whose plans are written otherwise.
    """
    hosts = os.environ["SOURCE_HOSTS"].lower().split(",")
    return run(event["plan"], hosts=[host.strip() for host in hosts if host.strip()])
