"""Kinds that the table of what runs make does not have, and a stack that could make them."""

from typing import Any

from stacks.permissions import Permission, allow
from tests.support import load

Kind: Any = load("common.kinds").Kind

JOB = Kind(
    noun="TuningJob",
    items="TuningJobSummaries",
    events_rule="RuleForTuning",
    instance_types=("Definition.InstanceType",),
    network_isolation="Definition.Isolated",
    kms_keys=("Definition.KmsKeyId",),
)
CARD = Kind(noun="Card", items="Cards")


class Stack:
    """What grants ask of a stack."""

    class settings:  # noqa: N801 (stands in for an attribute)
        """Of a development stage."""

        prefix = "spine-dev"
        instance_types = ("ml.m5.large",)

    def arns(self, service: str, *resources: str) -> list[str]:
        """Short ones."""
        return [f"{service}:{resource}" for resource in resources]

    def volumes(self) -> list[Permission]:
        """Of a key."""
        return [allow("kms:CreateGrant", on=["key"])]
