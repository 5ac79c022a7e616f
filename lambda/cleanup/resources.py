"""What runs leave in SageMaker: finding it by name and tag, and telling what is gone.

Everything takes the SageMaker client, so it is tested against an in-memory service with states.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from ..common import names
from ..common.kinds import Kind

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import ListTagsInputTypeDef


class Resource(NamedTuple):
    """One thing in SageMaker."""

    kind: Kind
    name: str
    arn: str


def listed(
    sagemaker: "SageMakerClient", kind: Kind, start: str, *, status: str | None = None
) -> Iterator[Resource]:
    """Yield what has a name that starts like this, in a status if one is given."""
    # SageMaker searches for a substring, not for a prefix.
    request: dict[str, Any] = {"NameContains": start, "MaxResults": 100}
    if status is not None:
        request["StatusEquals"] = status
    while True:
        page = getattr(sagemaker, kind.method("List"))(**request)
        for item in page[kind.items]:
            if item[kind.name_member].startswith(start):
                yield Resource(kind, item[kind.name_member], item[kind.arn_member])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def of_run(
    sagemaker: "SageMakerClient", kind: Kind, base: str, *, status: str | None = None
) -> list[Resource]:
    """Return what has a name of the run whose resources are called `base`; its tags decide."""
    start = names.fitting(base, kind.longest_name)
    return [
        resource
        for resource in listed(sagemaker, kind, start, status=status)
        if names.belongs(resource.name, start)
    ]


def tags(sagemaker: "SageMakerClient", arn: str) -> dict[str, str]:
    """Return the tags of a resource; empty when it is gone."""
    found: dict[str, str] = {}
    request: ListTagsInputTypeDef = {"ResourceArn": arn}
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
