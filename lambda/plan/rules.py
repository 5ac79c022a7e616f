"""What a deployment allows, and how a check of the execution input reports what is wrong. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from ..common.problems import closest, show
from .instances import Use


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What this deployment allows: places to read from, and instance types.

    Attributes:
        bucket: Spine's own.
        hosts: Of https sources.
        buckets: Of sources, beside Spine's own.
        instances: The types SageMaker has, by use.
        allowed: Those of them that runs may ask for.
        versions: Of the image that trains, such as "3.2-0", by algorithm.
        spark: Whether SageMaker has its Spark image in this region.
    """

    bucket: str
    hosts: frozenset[str]
    buckets: frozenset[str]
    instances: Mapping[Use, frozenset[str]]
    allowed: frozenset[str]
    versions: Mapping[str, str]
    spark: bool = True


def fault(words: str, remedy: str, *, value: object = None, field: str = "") -> PydanticCustomError:
    """Build the error a validator raises; the words complete "<value> is ...".

    Args:
        words: What is wrong.
        remedy: What to do about it.
        value: What to show, where a whole section is checked; the field's own value otherwise.
        field: The field that the check of a whole section is about.
    """
    context = {"fault": words, "remedy": remedy, "field": field}
    if value is not None:
        context["value"] = show(value)
    return PydanticCustomError("spine", "{fault}", context)


def rules_of(info: ValidationInfo) -> Rules:
    """Return the rules that a section is validated with."""
    rules = info.context
    if not isinstance(rules, Rules):
        raise TypeError("the sections are validated through parse(), which gives the rules")
    return rules


def instance(use: Use) -> Callable[[str, ValidationInfo], str]:
    """Return a check of an instance type, for one use."""

    def check(value: str, info: ValidationInfo) -> str:
        rules = rules_of(info)
        known = rules.instances[use]
        if value not in known:
            near = (
                closest(value if value.startswith("ml.") else f"ml.{value}", known)
                or 'Give a type such as "ml.m5.large". '
            )
            noun = {
                "training": "a training job",
                "processing": "a processing job",
                "endpoint": "an endpoint",
            }.get(use, "a batch transform")
            raise fault(
                f"not an instance type SageMaker has for {noun}",
                f"{near}https://aws.amazon.com/sagemaker/pricing lists them.",
            )
        if value not in rules.allowed:
            raise fault(
                "not among the instance types this deployment allows",
                f"Give one of {', '.join(sorted(rules.allowed & known))}; or add it to "
                "instance_types in cdk.json and deploy again.",
            )
        return value

    return check


def optional_instance(use: Use) -> Callable[[str | None, ValidationInfo], str | None]:
    """Return the same for one that may be left out."""
    check = instance(use)
    return lambda value, info: None if value is None else check(value, info)
