"""Clean up: delete what a run pays for by the hour, and stop its jobs."""

from typing import Any, cast

from ..common import aws, log
from .removal import Patience, remove
from .resources import SageMaker

# Deleting an endpoint mostly takes under a minute, creating one minutes. The state machine's
# retries wait those out without paying for a running function.
_WAIT_SECONDS = 10


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Remove a run for `{"run_name": base, "delete_model": bool}`; already gone is success.

    Raises:
        EndpointBusyError: An endpoint cannot be deleted yet, or is not gone yet. Retry.
    """
    sagemaker = cast("SageMaker", aws.client("sagemaker"))
    done = remove(
        sagemaker,
        event["run_name"],
        models=event["delete_model"],
        patience=Patience(_WAIT_SECONDS),
    )
    log.event("run cleaned up", run=event["run_name"], **done)
    return done
