"""What runs leave in SageMaker: finding it by name and tag, and telling what is gone.

Everything takes the SageMaker client, so it is tested against an in-memory service with states.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from ..common import names
from ..common.kinds import Kind

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import ListTagsInputTypeDef


class Resource(NamedTuple):
    """One thing in SageMaker, as the listing shows it.

    Attributes:
        kind: Its row of the table.
        name: What it is called.
        arn: Its ARN.
        created: When it was made.
        status: Where things of its kind have one.
    """

    kind: Kind
    name: str
    arn: str
    created: datetime
    status: str | None


def listed(
    sagemaker: "SageMakerClient",
    kind: Kind,
    start: str = "",
    *,
    status: str | None = None,
    **filters: object,
) -> Iterator[Resource]:
    """Yield what has a name that starts like this, in a status if one is given.

    Args:
        sagemaker: The SageMaker client.
        kind: What to list.
        start: What names start with.
        status: Which one.
        filters: Further members of the request, such as `CreationTimeAfter`.
    """
    request: dict[str, Any] = {"MaxResults": 100, **filters}
    if start:
        # SageMaker searches for a substring, not for a prefix.
        request["NameContains"] = start
    if status is not None:
        request["StatusEquals"] = status
    while True:
        page = getattr(sagemaker, kind.method("List"))(**request)
        for item in page[kind.items]:
            if item[kind.name_member].startswith(start):
                yield Resource(
                    kind,
                    item[kind.name_member],
                    item[kind.arn_member],
                    item["CreationTime"],
                    item.get(kind.status_member),
                )
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


def described(sagemaker: "SageMakerClient", kind: Kind, name: str) -> dict[str, Any] | None:
    """Return what SageMaker says of it; None when it is not there."""
    describe = getattr(sagemaker, kind.method("Describe"))
    try:
        answer: dict[str, Any] = describe(**{kind.name_member: name})
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return answer


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
    """Tell whether SageMaker refused the call because of how things stand with the resource.

    Its state may be the reason, or what depends on it: only another look tells.
    """
    return error.response["Error"]["Code"] in ("ValidationException", "ResourceInUse")
