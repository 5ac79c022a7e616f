"""What a person put onto a run's endpoint, and keeps it from being deleted."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ..common import aws
from ..common.kinds import Kind
from .resources import Resource, described, is_missing, listed

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def take_off(sagemaker: "SageMakerClient", kind: Kind, name: str) -> dict[str, str]:
    """Take off what stands on it, and return what still does, by kind and name with its status.

    DeleteEndpoint deregisters scalable targets by itself for whoever may deregister them
    (SageMaker developer guide, "Delete endpoints configured for auto scaling"), and is refused as
    long as inference components are there. So this is called when a deletion was refused.

    Args:
        sagemaker: The SageMaker client.
        kind: Of what is to be deleted.
        name: What it is called.
    """
    remains = {}
    try:
        _deregister(sagemaker, kind, name)
        for held in kind.holds:
            for each in listed(sagemaker, held, **{f"{kind.name_member}Equals": name}):
                remains[f"{held.resource_type} {each.name}"] = _taken_off(sagemaker, held, each)
    except (BotoCoreError, ClientError) as error:
        # The deletion's own refusal must not be forgotten over it.
        remains[f"what stands on {name}"] = f"cannot be taken off: {error}"
    return remains


def _taken_off(sagemaker: "SageMakerClient", held: Kind, each: Resource) -> str:
    """Begin to delete one that can be; say how it stands with it, or why it cannot be deleted.

    One may be in the way of another: a base component while adapters are on it
    (`BaseInferenceComponentName`). So each is tried, and again when the rest is gone.
    """
    if each.status not in held.in_progress:
        try:
            _deregister(sagemaker, held, each.name)
            _delete(sagemaker, held, each.name)
        except ClientError as error:
            return f"cannot be taken off: {error}"
    return f"is {each.status}"


def _delete(sagemaker: "SageMakerClient", kind: Kind, name: str) -> None:
    try:
        getattr(sagemaker, kind.method("Delete"))(**{kind.name_member: name})
    except ClientError as error:
        if not is_missing(error):
            raise


def _deregister(sagemaker: "SageMakerClient", kind: Kind, name: str) -> None:
    if kind.scaled_as is None:
        return
    scaling = aws.client("application-autoscaling")
    variants = [""]
    if "{variant}" in kind.scaled_as:
        found: dict[str, Any] = described(sagemaker, kind, name) or {}
        variants = [each["VariantName"] for each in found.get("ProductionVariants", [])]
    for variant in variants:
        for dimension in kind.scalable_dimensions:
            try:
                scaling.deregister_scalable_target(
                    ServiceNamespace="sagemaker",
                    ResourceId=kind.scaled_as.format(name=name, variant=variant),
                    ScalableDimension=dimension,
                )
            except ClientError as error:
                # Nobody registered it, as is usual.
                if error.response["Error"]["Code"] != "ObjectNotFoundException":
                    raise
