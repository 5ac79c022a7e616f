"""A machine's role may do what its states do, by the rows of the kinds that they make."""

import json
from typing import Any

from spine.shipped import load
from stacks.machine.grants import Grants
from stacks.permissions import Permission, allow

Kind: Any = load("common.kinds").Kind

# Kinds that the table does not have.
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


def granted(grants: Grants) -> dict[str, list[tuple[list[str], str]]]:
    """Resources and condition of every statement, by action."""
    found: dict[str, list[tuple[list[str], str]]] = {}
    for each in grants.permissions():
        for action in each.actions:
            found.setdefault(action, []).append((each.on, json.dumps(each.when)))
    return found


def test_a_job_is_made_watched_and_tagged_and_its_role_passed() -> None:
    """Isolated and of the allowed types only; the rule that tells of its end is its own."""
    stack: Any = Stack()
    grants = Grants(stack)
    grants.creation(JOB, role_arn="arn:role")
    found = granted(grants)
    ((on, when),) = found["sagemaker:CreateTuningJob"]
    assert on == ["sagemaker:tuning-job/spine-dev-*"]
    assert json.loads(when) == {
        "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.large"]},
        "Bool": {"sagemaker:NetworkIsolation": "true"},
    }
    assert {"sagemaker:DescribeTuningJob", "sagemaker:StopTuningJob"} <= found.keys()
    assert found["sagemaker:AddTags"] == [(on, "{}")]
    assert found["events:PutRule"] == [(["events:rule/RuleForTuning"], "{}")]
    ((role, condition),) = found["iam:PassRole"]
    assert role == ["arn:role"]
    assert "sagemaker.amazonaws.com" in condition
    assert "kms:CreateGrant" in found


def test_what_is_no_job_is_neither_waited_for_nor_stopped() -> None:
    """It has no instances, no key and no role either: nothing is allowed for their sake."""
    stack: Any = Stack()
    grants = Grants(stack)
    grants.creation(CARD, role_arn=None)
    grants.adoption(CARD)
    found = granted(grants)
    assert found.keys() == {"sagemaker:CreateCard", "sagemaker:AddTags", "sagemaker:ListTags"}
    assert found["sagemaker:CreateCard"] == [(["sagemaker:card/spine-dev-*"], "{}")]
