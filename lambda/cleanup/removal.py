"""Removing what one run left: in the right order, in steps, as often as wanted."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..common import kinds, names
from ..common.errors import SpineError
from ..common.kinds import Kind
from .backoff import Backoff
from .resources import Resource, is_missing, is_refused, of_run, tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


class EndpointBusyError(SpineError):
    """An endpoint cannot be deleted yet, or is not gone yet; the same call again goes on."""


class _CalledOffError(Exception):
    """The run goes on again: what it has is its own."""


class Removal:
    """The removal of one run.

    In the order of the table: jobs are stopped and the endpoint deleted first; when it is gone, its
    configuration, then the model. A configuration must outlive its endpoint, or SageMaker may go on
    billing an endpoint it can no longer describe (API reference, DeleteEndpointConfig). Whatever is
    already gone is done.

    What is called like the run's but has no tag `spine:run` that says so is somebody else's and
    stays.

    Args:
        sagemaker: The SageMaker client.
        base: What the run's resources are called.
        models: Whether the run's result goes too, its model.
        serving: Whether endpoint and configuration go; without, only jobs are stopped.
        over: Asked before anything is stopped or deleted: whether the run is still over. A run
            that was redriven meanwhile keeps what it has.
    """

    def __init__(
        self,
        sagemaker: "SageMakerClient",
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
            f"{kind.key}s": set() for kind in kinds.KINDS if not kind.is_job
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
        for kind in kinds.jobs():
            self._stop(kind)
        self.busy = {}
        if not self._serving:
            return True
        for kind in kinds.KINDS:
            if kind.is_job or (kind.is_result and not self._models):
                continue
            for name in self._names(kind):
                self._delete(kind, name)
            if self.busy:
                return False
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
        own = names.fitting(self.base, kind.longest_name)
        return sorted(name for name, is_own in {own: True, **listed}.items() if is_own)

    def _is_own(self, resource: Resource) -> bool:
        run = tags(self._sagemaker, resource.arn).get("spine:run")
        return run is not None and self.base.endswith(f"-{run}")

    def _delete(self, kind: Kind, name: str) -> None:
        """Delete it, and note it as busy while it is there all the same."""
        if not kind.in_progress:
            self._end(kind, name)
            return
        status = self._status(kind, name)
        if status is None:
            return
        if status not in kind.in_progress:
            try:
                self._end(kind, name)
            except ClientError as error:
                # Its state changed since it was described; the next step sees the new one.
                if not is_refused(error):
                    raise
            status = self._status(kind, name)
        if status is not None:
            self.busy[name] = status

    def _status(self, kind: Kind, name: str) -> str | None:
        describe = getattr(self._sagemaker, kind.method("Describe"))
        try:
            answer = describe(**{kind.name_member: name})
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        status: str = answer[kind.status_member]
        return status

    def _stop(self, kind: Kind) -> None:
        for job in of_run(self._sagemaker, kind, self.base, status="InProgress"):
            if not self._is_own(job):
                continue
            try:
                self._end(kind, job.name)
            except ClientError as error:
                # Ended, or being stopped, since it was listed.
                if not is_refused(error):
                    raise

    def _end(self, kind: Kind, name: str) -> None:
        """Stop or delete, and note it; what is gone already is done."""
        if not self._over():
            raise _CalledOffError
        end = getattr(self._sagemaker, kind.method(kind.ending))
        try:
            end(**{kind.name_member: name})
        except ClientError as error:
            if is_missing(error):
                return
            raise
        done = self._stopped if kind.is_job else self._deleted[f"{kind.key}s"]
        done.add(name)


def remove(
    sagemaker: "SageMakerClient", base: str, *, models: bool, backoff: Backoff
) -> dict[str, Any]:
    """Remove one run.

    Returns:
        `{"deleted": {"endpoints", "endpoint_configs", "models"}, "stopped_jobs"}`, names of what
        existed.

    Raises:
        EndpointBusyError: The wait is used up; nothing is lost, the same call again goes on.
    """
    removal = Removal(sagemaker, base, models=models)
    while not removal.advance():
        if not backoff.wait():
            busy = ", ".join(f"{name} is {status}" for name, status in removal.busy.items())
            raise EndpointBusyError(
                f"Cannot finish yet: {busy}. The same clean-up again goes on from here."
            )
    return removal.report()
