"""Which plans a function can read: a run may be older than the function that it calls. Pure."""

from collections.abc import Mapping
from typing import Any

from .errors import SpineError

# Goes up when a function could no longer read what a run holds from before: the plan, what Prepare
# answered, or what the definition made of the training job. `tests/lambda/recorded` holds payloads
# of this version, which the functions must be able to read.
VERSION = 1


class PlanVersionError(SpineError):
    """The run was planned by a deployment whose plans are written otherwise."""


def check(plan: Mapping[str, Any]) -> None:
    """Refuse a plan that this deployment cannot read.

    A run that is redriven, or at work while something is deployed, brings the plan of the
    deployment that it began under; its functions are those of the present one.

    Raises:
        PlanVersionError: It is of another version.
    """
    # Plans of the first version did not say so.
    version = plan.get("version", 1)
    if version != VERSION:
        raise PlanVersionError(
            f"This run was planned in version {version} of the plan, and what is deployed now reads"
            f" version {VERSION}. Start a new execution with the same input, or deploy what the run"
            " began under and redrive it."
        )
