"""Clean up: delete what a run pays for by the hour, and stop its jobs."""

from typing import Any

from ..common import aws, log
from .backoff import Backoff
from .removal import remove

# Deleting an endpoint mostly takes under a minute, creating one minutes. The state machine's
# retries wait those out without paying for a running function.
_WAIT_SECONDS = 10


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's)
    """Remove a run for `{"run_name": base, "delete_model": bool}`; already gone is success.

    Raises:
        EndpointBusyError: An endpoint cannot be deleted yet, or is not gone yet. Retry.
    """
    done = remove(
        aws.client("sagemaker"),
        event["run_name"],
        models=event["delete_model"],
        backoff=Backoff(_WAIT_SECONDS),
    )
    log.event("run cleaned up", run=event["run_name"], **done)
    return done
