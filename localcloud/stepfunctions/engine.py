"""The interpreter of state machines as a whole: importing this registers every hook it needs."""

from localcloud.stepfunctions import (  # noqa: F401 - most are imported for their hooks
    clients,
    definitions,
    errors,
    executions,
    integrations,
    interruption,
    jsonata,
    logs,
    map_runs,
    progress,
    redrive,
    requests,
    sagemaker,
    status_events,
    templates,
    validation,
)


def start(*, endpoint_url: str) -> None:
    """Point the tasks' calls at the gateway, and begin to deliver logs."""
    clients.configure(endpoint_url=endpoint_url)
    logs.start()
