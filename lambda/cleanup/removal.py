"""Removing what one run left: in the right order, in steps, as often as wanted."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..common import kinds, names
from ..common.errors import SpineError
from ..common.kinds import Kind
from . import attached
from .backoff import Backoff
from .resources import Resource, described, is_missing, is_refused, of_run, tags
from .usage import Usage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


class EndpointBusyError(SpineError):
    """An endpoint cannot be deleted yet, or is not gone yet; the same call again goes on."""


class DeletionRefusedError(SpineError):
    """SageMaker deletes something in none of its states; the message holds its own reason."""


class _CalledOffError(Exception):
    """The run goes on again: what it has is its own."""


class Removal:
    """The removal of one run.

    In the order of the table: jobs are stopped and the endpoint deleted first; when it is gone, its
    configuration, then the model. A configuration must outlive its endpoint, or SageMaker may go on
    billing an endpoint it can no longer describe (API reference, DeleteEndpointConfig). Whatever is
    already gone is done.

    What is called like the run's but has no tag `spine:run` that says so is somebody else's and
    stays; so does a configuration or a model that somebody else uses.

    Args:
        sagemaker: The SageMaker client.
        base: What the run's resources are called.
        models: Whether the run's result goes too, its model.
        serving: Whether endpoint and configuration go; without, only jobs are stopped.
        over: Asked before anything is stopped or deleted: whether the run is still over. A run
            that was redriven meanwhile keeps what it has.
        usage: Tells who uses what; shared by the removals of one sweep.

    Attributes:
        busy: What has to be waited for, by name, and why: a clause such as "is Creating".
        refused: Those of them that SageMaker refuses to delete though nothing is in progress.
        in_use: What stays because somebody else uses it, by kind and name, and who does.
    """

    def __init__(
        self,
        sagemaker: "SageMakerClient",
        base: str,
        *,
        models: bool,
        serving: bool = True,
        over: Callable[[], bool] = lambda: True,
        usage: Usage | None = None,
    ) -> None:
        self.base = base
        self.busy: dict[str, str] = {}
        self.refused: set[str] = set()
        self.in_use: dict[str, str] = {}
        self._sagemaker = sagemaker
        self._models = models
        self._serving = serving
        self._over = over
        self._usage = usage or Usage(sagemaker)
        self._deleted: dict[str, set[str]] = {
            f"{kind.key}s": set() for kind in kinds.KINDS if not kind.is_job
        }
        self._stopped: set[str] = set()

    def advance(self) -> bool:
        """Do what can be done now, and tell whether that was all; if not, see `busy`."""
        try:
            return self._advance()
        except _CalledOffError:
            self.busy = {}
            return True

    def _advance(self) -> bool:
        for kind in kinds.jobs():
            self._stop(kind)
        self.busy, self.refused, self.in_use = {}, set(), {}
        if not self._serving:
            return True
        for kind in kinds.KINDS:
            if kind.is_job or (kind.is_result and not self._models):
                continue
            for name, created in self._own(kind).items():
                self._delete(kind, name, created)
            if self.busy:
                return False
        return True

    @property
    def did_something(self) -> bool:
        """Whether anything was deleted or stopped so far."""
        return any(self._deleted.values()) or bool(self._stopped)

    def waiting(self) -> list[str]:
        """Say of each thing that is still there why."""
        return [f"{name} {why}" for name, why in self.busy.items()]

    def report(self) -> dict[str, Any]:
        """Return what was deleted and stopped so far, and what stays in use."""
        return {
            "deleted": {kind: sorted(found) for kind, found in self._deleted.items()},
            "stopped_jobs": sorted(self._stopped),
            "in_use": self.in_use,
        }

    def _own(self, kind: Kind) -> dict[str, datetime | None]:
        """The run's, with the time each was made where it is listed."""
        # Listing lags behind creation; the run's own name is tried whether listed or not.
        found: dict[str, datetime | None] = {names.fitting(self.base, kind.longest_name): None}
        for resource in of_run(self._sagemaker, kind, self.base):
            if self._is_own(resource):
                found[resource.name] = resource.created
            else:
                found.pop(resource.name, None)
        return found

    def _is_own(self, resource: Resource) -> bool:
        run = tags(self._sagemaker, resource.arn).get("spine:run")
        return run is not None and self.base.endswith(f"-{run}")

    def _delete(self, kind: Kind, name: str, created: datetime | None) -> None:
        """Delete it unless it is in use, and note why it is there all the same."""
        if not kind.in_progress:
            # What is not listed is gone, or was made a moment ago: nobody uses it.
            user = created and self._usage.of(kind, name, created)
            if not user:
                self._end(kind, name)
            else:
                self.in_use[f"{kind.resource_type} {name}"] = user
            return
        status = self._status(kind, name)
        if status is None:
            return
        reason = None
        if status not in kind.in_progress:
            try:
                self._end(kind, name)
            except ClientError as error:
                if not is_refused(error):
                    raise
                reason = error.response["Error"]["Message"]
            status = self._status(kind, name)
            if status is None:
                return
        if reason is None or status in kind.in_progress:
            # Where it was refused, its state had changed since it was described.
            self.busy[name] = f"is {status}"
            return
        self.busy[name] = f"cannot be deleted: {reason}"
        standing = attached.take_off(self._sagemaker, kind, name)
        self.busy.update(standing)
        if not standing:
            self.refused.add(name)

    def _status(self, kind: Kind, name: str) -> str | None:
        found = described(self._sagemaker, kind, name)
        return None if found is None else str(found[kind.status_member])

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
        `{"deleted": {"endpoints", "endpoint_configs", "models"}, "stopped_jobs", "in_use"}`, names
        of what existed; of what somebody else uses with who does.

    Raises:
        EndpointBusyError: The wait is used up; nothing is lost, the same call again goes on.
        DeletionRefusedError: The same, but waiting will not help.
    """
    removal = Removal(sagemaker, base, models=models)
    while not removal.advance():
        if not backoff.wait():
            waiting = "; ".join(removal.waiting())
            if removal.refused == removal.busy.keys():
                raise DeletionRefusedError(f"Remove by hand what is in the way. {waiting}")
            raise EndpointBusyError(
                f"Cannot finish yet: {waiting}. The same clean-up again goes on from here."
            )
    return removal.report()
