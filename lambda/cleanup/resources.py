"""What runs leave in SageMaker: finding it by name and tag, and telling what is gone.

Everything takes the SageMaker client, so it is tested against an in-memory service with states.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Protocol

from botocore.exceptions import ClientError

from ..common import names

Kind = Literal[
    "endpoint", "endpoint_config", "model", "processing_job", "training_job", "transform_job"
]


class SageMaker(Protocol):
    """The calls of boto3's SageMaker client that cleaning up needs."""

    def describe_endpoint(self, *, EndpointName: str) -> Any: ...  # noqa: D102, N803 (boto3's own)
    def delete_endpoint(self, *, EndpointName: str) -> Any: ...  # noqa: D102, N803
    def delete_endpoint_config(self, *, EndpointConfigName: str) -> Any: ...  # noqa: D102, N803
    def delete_model(self, *, ModelName: str) -> Any: ...  # noqa: D102, N803
    def stop_processing_job(self, *, ProcessingJobName: str) -> Any: ...  # noqa: D102, N803
    def stop_training_job(self, *, TrainingJobName: str) -> Any: ...  # noqa: D102, N803
    def stop_transform_job(self, *, TransformJobName: str) -> Any: ...  # noqa: D102, N803
    def list_endpoints(self, **request: Any) -> Any: ...  # noqa: D102
    def list_endpoint_configs(self, **request: Any) -> Any: ...  # noqa: D102
    def list_models(self, **request: Any) -> Any: ...  # noqa: D102
    def list_processing_jobs(self, **request: Any) -> Any: ...  # noqa: D102
    def list_training_jobs(self, **request: Any) -> Any: ...  # noqa: D102
    def list_transform_jobs(self, **request: Any) -> Any: ...  # noqa: D102
    def list_tags(self, **request: Any) -> Any: ...  # noqa: D102


class Resource(NamedTuple):
    """One thing in SageMaker."""

    kind: Kind
    name: str
    arn: str


class _Listing(NamedTuple):
    operation: str
    items: str
    name: str
    arn: str


_LISTINGS: dict[Kind, _Listing] = {
    "endpoint": _Listing("list_endpoints", "Endpoints", "EndpointName", "EndpointArn"),
    "endpoint_config": _Listing(
        "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"
    ),
    "model": _Listing("list_models", "Models", "ModelName", "ModelArn"),
    "processing_job": _Listing(
        "list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName", "ProcessingJobArn"
    ),
    "training_job": _Listing(
        "list_training_jobs", "TrainingJobSummaries", "TrainingJobName", "TrainingJobArn"
    ),
    "transform_job": _Listing(
        "list_transform_jobs", "TransformJobSummaries", "TransformJobName", "TransformJobArn"
    ),
}


def listed(
    sagemaker: SageMaker, kind: Kind, containing: str, *, status: str | None = None
) -> Iterator[Resource]:
    """Yield what has `containing` anywhere in its name; the caller checks where.

    SageMaker's `NameContains` is a search for a substring, not for a prefix.
    """
    listing = _LISTINGS[kind]
    request: dict[str, Any] = {"NameContains": containing, "MaxResults": 100}
    if status is not None:
        request["StatusEquals"] = status
    while True:
        page = getattr(sagemaker, listing.operation)(**request)
        for item in page[listing.items]:
            yield Resource(kind, item[listing.name], item[listing.arn])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def of_run(
    sagemaker: SageMaker, kind: Kind, base: str, *, status: str | None = None
) -> list[Resource]:
    """Return what belongs to the run whose resources are called `base`."""
    return [
        resource
        for resource in listed(sagemaker, kind, base, status=status)
        if names.belongs(resource.name, base)
    ]


def tags(sagemaker: SageMaker, arn: str) -> dict[str, str]:
    """Return the tags of a resource; empty when it is gone."""
    found: dict[str, str] = {}
    request = {"ResourceArn": arn}
    while True:
        try:
            page = sagemaker.list_tags(**request)
        except ClientError as error:
            if is_missing(error):
                return {}
            raise
        found.update({tag["Key"]: tag["Value"] for tag in page["Tags"]})
        if not page.get("NextToken"):
            return found
        request["NextToken"] = page["NextToken"]


def is_missing(error: ClientError) -> bool:
    """Tell whether the error says that there is no such resource.

    SageMaker has no error class for it: most operations answer ValidationException with "Could not
    find ...", those of jobs ResourceNotFound with "Requested resource not found."
    """
    answer = error.response["Error"]
    if answer["Code"] in ("ResourceNotFound", "ResourceNotFoundException"):
        return True
    return answer["Code"] == "ValidationException" and "could not find" in answer["Message"].lower()


def is_refused(error: ClientError) -> bool:
    """Tell whether SageMaker refused the call because of the state the resource is in."""
    return error.response["Error"]["Code"] in ("ValidationException", "ResourceInUse")
