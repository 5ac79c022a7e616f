"""Limits that are switched on by settings: request rates, and instances there may be at once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.records import Store
from localcloud.sagemaker.settings import Settings, quota_name

# What holds no instance any more.
_ENDED = ("Completed", "Failed", "Stopped")


class Limits:
    """Refuses requests beyond the settings' limits."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def check_rate(self, operation: str) -> None:
        """Takes one request of an operation's rate: a bucket that holds one second's worth.

        Raises:
            ApiError: `ThrottlingException`, which every SDK repeats by itself.
        """
        rate = self._settings.throttle
        if rate is None:
            return
        size = max(rate, 1.0)
        now = time.monotonic()
        with self._lock:
            left, since = self._buckets.get(operation, (size, now))
            left = min(size, left + (now - since) * rate)
            allowed = left >= 1
            self._buckets[operation] = (left - 1 if allowed else left, now)
        if not allowed:
            raise ApiError("ThrottlingException", "Rate exceeded")

    def check_quotas(self, operation: str, request: dict[str, Any]) -> None:
        """Looks whether the account may have the instances that a request asks for.

        Raises:
            ApiError: `ResourceLimitExceeded`.
        """
        quotas = self._settings.quotas
        if not quotas:
            return
        asked = Counter[str]()
        for name, count in self._asked(operation, request):
            asked[name] += count
        for name, delta in asked.items():
            if name in quotas and self._used()[name] + delta > quotas[name]:
                raise ApiError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{name}' is {quotas[name]} Instances, with "
                    f"current utilization of {self._used()[name]} Instances and a request delta of "
                    f"{delta} Instances. Please use AWS Service Quotas to request an increase for "
                    "this quota. If AWS Service Quotas is not available, contact AWS support to "
                    "request an increase for this quota.",
                )

    def _asked(self, operation: str, request: dict[str, Any]) -> Iterator[tuple[str, int]]:
        if operation == "CreateTrainingJob":
            yield from _of_training(request)
        elif operation == "CreateHyperParameterTuningJob":
            yield from _of_tuning(request)
        elif operation == "CreateTransformJob":
            yield from _of_transform(request)
        elif operation in ("CreateEndpoint", "UpdateEndpoint"):
            yield from self._of_config(request["EndpointConfigName"])

    def _used(self) -> Counter[str]:
        used = Counter[str]()
        for record in self._store.records():
            members = record.members
            if record.kind.status and members[record.kind.status] in _ENDED:
                continue
            found: Iterator[tuple[str, int]] = iter(())
            if record.kind.segment == "training-job":
                found = _of_training(members)
            elif record.kind.segment == "transform-job":
                found = _of_transform(members)
            elif record.kind.segment == "endpoint":
                found = self._of_config(members["EndpointConfigName"])
            for name, count in found:
                used[name] += count
        return used

    def _of_config(self, config: str) -> Iterator[tuple[str, int]]:
        for record in self._store.records():
            if record.kind.segment == "endpoint-config" and record.name == config:
                for variant in record.members["ProductionVariants"]:
                    name = quota_name(variant["InstanceType"], "endpoint")
                    yield name, variant["InitialInstanceCount"]


def _of_training(members: dict[str, Any]) -> Iterator[tuple[str, int]]:
    resources = members.get("ResourceConfig", {})
    if "InstanceType" in resources:
        name = quota_name(resources["InstanceType"], "training job")
        yield name, resources.get("InstanceCount", 1)


def _of_tuning(request: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """What a tuning job's training jobs take at most at once; one that runs counts by itself."""
    definition = request.get("TrainingJobDefinition", {})
    resources = definition.get("HyperParameterTuningResourceConfig")
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    for name, count in _of_training({"ResourceConfig": resources} if resources else definition):
        yield name, count * limits["MaxParallelTrainingJobs"]


def _of_transform(members: dict[str, Any]) -> Iterator[tuple[str, int]]:
    resources = members["TransformResources"]
    yield quota_name(resources["InstanceType"], "transform job"), resources["InstanceCount"]
