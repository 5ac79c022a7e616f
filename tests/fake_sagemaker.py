# ruff: noqa: N803 (the fake takes boto3's own argument names)
"""An in-memory SageMaker with states and a virtual clock, as strict about order as the real one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support import client_error

_ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@dataclass
class Thing:
    """An endpoint, configuration, model or job; `until` is when its present state ends."""

    arn: str
    status: str = ""
    until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)


_JOBS = ("processing-job", "training-job", "transform-job")


@dataclass
class FakeSageMaker:
    """The part of SageMaker that cleaning up meets.

    Attributes:
        now: Virtual seconds; `sleep` moves them on.
        deletion: Seconds an endpoint stays in Deleting.
        page: Items on each page of a listing.
        fault: Called with the operation and name before each call; may raise.
        calls: The deletions and stops that took effect, in order.
    """

    now: float = 0.0
    deletion: float = 30.0
    page: int = 2
    fault: Callable[[str, str], None] = lambda _operation, _name: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    things: dict[str, dict[str, Thing]] = field(
        default_factory=lambda: {
            kind: {} for kind in ("endpoint", "endpoint-config", "model", *_JOBS)
        }
    )

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for name, endpoint in list(self.things["endpoint"].items()):
            if endpoint.status == "Creating" and self.now >= endpoint.until:
                endpoint.status = "InService"
            if endpoint.status == "Deleting" and self.now >= endpoint.until:
                del self.things["endpoint"][name]
        for job in (job for kind in _JOBS for job in self.things[kind].values()):
            if job.status == "Stopping" and self.now >= job.until:
                job.status = "Stopped"

    def add(
        self, kind: str, name: str, *, status: str = "", until: float = 0.0, **tags: str
    ) -> None:
        """Put something there; tags `run`, `execution`, `keep_until` get their prefix."""
        self.things[kind][name] = Thing(
            arn=f"{_ARN}:{kind}/{name}",
            status=status,
            until=until,
            tags={f"spine:{key.replace('_', '-')}": value for key, value in tags.items()},
        )

    def names(self, kind: str) -> set[str]:
        """The names of what is there, ended jobs left out."""
        return {
            name
            for name, thing in self.things[kind].items()
            if not kind.endswith("-job") or thing.status == "InProgress"
        }

    def left(self) -> set[str]:
        """The names of everything there that a run may not leave."""
        return set().union(*(self.names(kind) for kind in self.things))

    def _get(self, operation: str, kind: str, name: str) -> Thing:
        self.fault(operation, name)
        thing = self.things[kind].get(name)
        if thing is None:
            if kind.endswith("-job"):
                raise client_error("ResourceNotFound", "Requested resource not found.", operation)
            raise client_error("ValidationException", f'Could not find {kind} "{name}".', operation)
        return thing

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        """Answer with the status."""
        endpoint = self._get("DescribeEndpoint", "endpoint", EndpointName)
        return {
            "EndpointName": EndpointName,
            "EndpointArn": endpoint.arn,
            "EndpointStatus": endpoint.status,
        }

    def delete_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        """Begin to delete, unless the endpoint is in progress."""
        endpoint = self._get("DeleteEndpoint", "endpoint", EndpointName)
        if endpoint.status in ("Creating", "Updating", "SystemUpdating", "RollingBack"):
            raise client_error(
                "ValidationException", "Cannot update in-progress endpoint", "DeleteEndpoint"
            )
        if endpoint.status != "Deleting":
            endpoint.status, endpoint.until = "Deleting", self.now + self.deletion
            self.calls.append(("delete endpoint", EndpointName))
        if self.deletion == 0:
            del self.things["endpoint"][EndpointName]
        return {}

    def delete_endpoint_config(self, *, EndpointConfigName: str) -> dict[str, Any]:
        """Delete; AWS would let a live endpoint's go and bill on, so that fails the test."""
        self._get("DeleteEndpointConfig", "endpoint-config", EndpointConfigName)
        assert EndpointConfigName not in self.things["endpoint"], "its endpoint is live"
        del self.things["endpoint-config"][EndpointConfigName]
        self.calls.append(("delete config", EndpointConfigName))
        return {}

    def delete_model(self, *, ModelName: str) -> dict[str, Any]:
        """Delete at once."""
        self._get("DeleteModel", "model", ModelName)
        assert ModelName not in self.things["endpoint-config"], "model deleted before its config"
        del self.things["model"][ModelName]
        self.calls.append(("delete model", ModelName))
        return {}

    def stop_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        """Begin to stop a job in progress."""
        return self._stop("processing-job", ProcessingJobName)

    def stop_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        """Begin to stop a job in progress."""
        return self._stop("training-job", TrainingJobName)

    def stop_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:
        """Begin to stop a job in progress."""
        return self._stop("transform-job", TransformJobName)

    def _stop(self, kind: str, name: str) -> dict[str, Any]:
        job = self._get("StopJob", kind, name)
        if job.status != "InProgress":
            raise client_error(
                "ValidationException",
                f"The request was rejected because the job is in status {job.status}.",
                "StopJob",
            )
        job.status, job.until = "Stopping", self.now + 20
        self.calls.append(("stop", name))
        return {}

    def list_endpoints(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name."""
        return self._list("endpoint", "Endpoints", "Endpoint", **request)

    def list_endpoint_configs(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name."""
        return self._list("endpoint-config", "EndpointConfigs", "EndpointConfig", **request)

    def list_models(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name."""
        return self._list("model", "Models", "Model", **request)

    def list_processing_jobs(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name and a status."""
        return self._list("processing-job", "ProcessingJobSummaries", "ProcessingJob", **request)

    def list_training_jobs(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name and a status."""
        return self._list("training-job", "TrainingJobSummaries", "TrainingJob", **request)

    def list_transform_jobs(self, **request: Any) -> dict[str, Any]:
        """List by a part of the name and a status."""
        return self._list("transform-job", "TransformJobSummaries", "TransformJob", **request)

    def _list(
        self,
        kind: str,
        items: str,
        noun: str,
        *,
        NameContains: str,
        MaxResults: int,
        StatusEquals: str | None = None,
        NextToken: str = "",
    ) -> dict[str, Any]:
        self.fault(f"List{items}", NameContains)
        assert MaxResults <= 100
        matching = sorted(
            name
            for name, thing in self.things[kind].items()
            if NameContains in name and name > NextToken and StatusEquals in (None, thing.status)
        )
        page = list(itertools.islice(matching, self.page))
        answer: dict[str, Any] = {
            items: [
                {f"{noun}Name": name, f"{noun}Arn": self.things[kind][name].arn} for name in page
            ]
        }
        if len(matching) > len(page):
            answer["NextToken"] = page[-1]
        return answer

    def list_tags(self, *, ResourceArn: str, NextToken: str = "") -> dict[str, Any]:
        """List two tags a page."""
        kind, _, name = ResourceArn.rpartition(":")[2].partition("/")
        thing = self._get("ListTags", kind, name)
        matching = sorted(key for key in thing.tags if key > NextToken)
        page = matching[:2]
        answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": thing.tags[key]} for key in page]}
        if len(matching) > len(page):
            answer["NextToken"] = page[-1]
        return answer


@dataclass
class FakeStepFunctions:
    """Executions by ARN with their status; unknown ones do not exist."""

    statuses: dict[str, str] = field(default_factory=dict)

    def describe_execution(self, *, executionArn: str, includedData: str) -> dict[str, str]:
        """Answer with the status."""
        if executionArn not in self.statuses:
            raise client_error(
                "ExecutionDoesNotExist", "Execution Does Not Exist", "DescribeExecution"
            )
        return {"executionArn": executionArn, "status": self.statuses[executionArn]}
