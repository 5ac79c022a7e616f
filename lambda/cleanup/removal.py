"""Removing what one run left: in the right order, in steps, as often as wanted."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ..common.errors import SpineError
from .resources import Kind, Resource, SageMaker, is_missing, is_refused, of_run, tags

# DescribeEndpoint, EndpointStatus: in these SageMaker refuses DeleteEndpoint ("Cannot update
# in-progress endpoint"). Deleting is under way already.
_CANNOT_DELETE = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
_LONGEST_PAUSE = 15.0


class EndpointBusyError(SpineError):
    """An endpoint cannot be deleted yet, or is not gone yet; the same call again goes on."""


class _CalledOffError(Exception):
    """The run goes on again: what it has is its own."""


class Patience:
    """A bounded wait in growing pauses.

    Args:
        seconds: How long the pauses may last in all.
        sleep: What pauses, in tests what moves the virtual clock.
    """

    def __init__(self, seconds: float, sleep: Callable[[float], None] | None = None) -> None:
        self._left = seconds
        self._sleep = sleep or time.sleep
        self._pause = 1.0

    def wait(self) -> bool:
        """Pause and return True, or return False when the wait is used up."""
        if self._left <= 0:
            return False
        pause = min(self._pause, self._left)
        self._sleep(pause)
        self._left -= pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True


class Removal:
    """The removal of one run.

    Jobs are stopped and the endpoint deleted first; when it is gone, its configuration, then the
    model. A configuration must outlive its endpoint, or SageMaker may go on billing an endpoint it
    can no longer describe (API reference, DeleteEndpointConfig). Whatever is already gone is done.

    What is called like the run's but has no tag `spine:run` that says so is somebody else's and
    stays.

    Args:
        sagemaker: The SageMaker client.
        base: What the run's resources are called.
        models: Whether the run's model goes too.
        serving: Whether endpoint and configuration go; without, only jobs are stopped.
        over: Asked before anything is stopped or deleted: whether the run is still over. A run
            that was redriven meanwhile keeps what it has.
    """

    def __init__(
        self,
        sagemaker: SageMaker,
        base: str,
        *,
        models: bool,
        serving: bool = True,
        over: Callable[[], bool] = lambda: True,
    ) -> None:
        self.base = base
        self.busy: dict[str, str] = {}
        self._sagemaker = sagemaker
        self._models = models
        self._serving = serving
        self._over = over
        self._deleted: dict[str, set[str]] = {
            "endpoints": set(),
            "endpoint_configs": set(),
            "models": set(),
        }
        self._stopped: set[str] = set()

    def advance(self) -> bool:
        """Do what can be done now, and tell whether that was all.

        Otherwise `busy` holds what has to be waited for, by name with its status.
        """
        try:
            return self._advance()
        except _CalledOffError:
            self.busy = {}
            return True

    def _advance(self) -> bool:
        self._stop("processing_job", self._stop_processing)
        self._stop("training_job", self._stop_training)
        self._stop("transform_job", self._stop_transform)
        self.busy = {}
        if not self._serving:
            return True
        for name in self._names("endpoint"):
            self._delete_endpoint(name)
        if self.busy:
            return False
        for name in self._names("endpoint_config"):
            if self._gone(self._sagemaker.delete_endpoint_config, EndpointConfigName=name):
                self._deleted["endpoint_configs"].add(name)
        for name in self._names("model") if self._models else ():
            if self._gone(self._sagemaker.delete_model, ModelName=name):
                self._deleted["models"].add(name)
        return True

    @property
    def did_something(self) -> bool:
        """Whether anything was deleted or stopped so far."""
        return any(self._deleted.values()) or bool(self._stopped)

    def report(self) -> dict[str, Any]:
        """Return what was deleted and stopped so far."""
        return {
            "deleted": {kind: sorted(found) for kind, found in self._deleted.items()},
            "stopped_jobs": sorted(self._stopped),
        }

    def _names(self, kind: Kind) -> list[str]:
        # Listing lags behind creation; the run's own name is tried whether listed or not.
        listed = {
            resource.name: self._is_own(resource)
            for resource in of_run(self._sagemaker, kind, self.base)
        }
        return sorted(name for name, own in {self.base: True, **listed}.items() if own)

    def _is_own(self, resource: Resource) -> bool:
        run = tags(self._sagemaker, resource.arn).get("spine:run")
        return run is not None and self.base.endswith(f"-{run}")

    def _delete_endpoint(self, name: str) -> None:
        status = self._status(name)
        if status is None:
            return
        if status not in _CANNOT_DELETE:
            try:
                if self._gone(self._sagemaker.delete_endpoint, EndpointName=name):
                    self._deleted["endpoints"].add(name)
            except ClientError as error:
                # Its state changed since it was described; the next step sees the new one.
                if not is_refused(error):
                    raise
            status = self._status(name)
        if status is not None:
            self.busy[name] = status

    def _status(self, name: str) -> str | None:
        try:
            answer = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        status: str = answer["EndpointStatus"]
        return status

    def _stop(self, kind: Kind, stop: Callable[[str], Any]) -> None:
        for job in of_run(self._sagemaker, kind, self.base, status="InProgress"):
            if not self._is_own(job):
                continue
            self._go_on()
            try:
                stop(job.name)
            except ClientError as error:
                # Ended, or being stopped, since it was listed.
                if not (is_missing(error) or is_refused(error)):
                    raise
            else:
                self._stopped.add(job.name)

    def _stop_processing(self, name: str) -> None:
        self._sagemaker.stop_processing_job(ProcessingJobName=name)

    def _stop_training(self, name: str) -> None:
        self._sagemaker.stop_training_job(TrainingJobName=name)

    def _stop_transform(self, name: str) -> None:
        self._sagemaker.stop_transform_job(TransformJobName=name)

    def _go_on(self) -> None:
        if not self._over():
            raise _CalledOffError

    def _gone(self, delete: Callable[..., Any], **request: str) -> bool:
        """Delete, and tell whether there was something to delete."""
        self._go_on()
        try:
            delete(**request)
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return True


def remove(sagemaker: SageMaker, base: str, *, models: bool, patience: Patience) -> dict[str, Any]:
    """Remove one run.

    Returns:
        `{"deleted": {"endpoints", "endpoint_configs", "models"}, "stopped_jobs"}`, names of what
        existed.

    Raises:
        EndpointBusyError: Patience ran out; nothing is lost, the same call again goes on.
    """
    removal = Removal(sagemaker, base, models=models)
    while not removal.advance():
        if not patience.wait():
            busy = ", ".join(f"{name} is {status}" for name, status in removal.busy.items())
            raise EndpointBusyError(
                f"Cannot finish yet: {busy}. The same clean-up again goes on from here."
            )
    return removal.report()
