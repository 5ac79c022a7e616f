"""Statements are put into a role's policy, and a wildcard says why it must be one."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from stacks import permissions
from stacks.permissions import allow, grant


@pytest.fixture
def stack() -> Stack:
    """An empty stack."""
    return Stack(App(), "stack")


@pytest.fixture
def role(stack: Stack) -> iam.Role:
    """A role in it."""
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


@pytest.fixture
def acknowledged(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The findings that are accepted, with their reasons."""
    found: dict[str, str] = {}
    monkeypatch.setattr(permissions, "acknowledge", lambda _, reasons: found.update(reasons))
    return found


def statements(stack: Stack) -> list[dict[str, Any]]:
    """The statements of the one policy of a stack."""
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_each_permission_is_a_statement(
    stack: Stack, role: iam.Role, acknowledged: dict[str, str]
) -> None:
    """Actions, resources and conditions as they were given; nothing is accepted for them."""
    when = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    one = "arn:aws:s3:::one"
    grant(role, [allow("s3:ListBucket", on=[one]), allow("s3:a", "s3:b", on=[one], when=when)])
    first, second = statements(stack)
    assert first == {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": one}
    assert (second["Action"], second["Condition"]) == (["s3:a", "s3:b"], when)
    assert acknowledged == {}


def test_a_wildcard_without_a_reason_is_refused(role: iam.Role) -> None:
    """The action and the resource are named, and what to add."""
    with pytest.raises(ValueError, match=r"s3:GetObject.* on arn:aws:s3:::one/\*: .*because="):
        grant(role, [allow("s3:GetObject", on=["arn:aws:s3:::one/*"])])


def test_a_wildcard_is_accepted_with_its_own_reason(
    stack: Stack, role: iam.Role, acknowledged: dict[str, str]
) -> None:
    """By the name that cdk-nag gives the finding: references in angle brackets."""
    bucket = s3.Bucket(stack, "Bucket")
    logical_id = stack.get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
    grant(
        role,
        [
            allow("sagemaker:ListModels", on=["*"], because="IAM knows no resource for lists."),
            allow("s3:GetObject", on=[bucket.arn_for_objects("runs/*")], because="Any run."),
        ],
    )
    assert acknowledged == {
        "AwsSolutions-IAM5[Resource::*]": "IAM knows no resource for lists.",
        f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>/runs/*]": "Any run.",
    }


@pytest.mark.parametrize(
    ("resolved", "shown"),
    [
        ("arn:aws:s3:::a/*", "arn:aws:s3:::a/*"),
        ({"Ref": "Bucket"}, "<Bucket>"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "<Bucket.Arn>"),
        ({"Fn::ImportValue": "storage:BucketArn"}, "storage:BucketArn"),
        (
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::x/*"]]},
            "arn:<AWS::Partition>:s3:::x/*",
        ),
        (
            {"Fn::Join": [":", [{"Fn::ImportValue": {"Ref": "Name"}}, "*"]]},
            "<Name>:*",
        ),
        ({"Fn::Sub": "${Bucket}/*"}, json.dumps({"Fn::Sub": "${Bucket}/*"})),
    ],
)
def test_a_resource_is_shown_as_the_finding_shows_it(resolved: Any, shown: str) -> None:
    """What cdk-nag words in another way stays an open finding: it is not accepted by accident."""
    assert permissions._as_shown(resolved) == shown


def test_nothing_is_granted_to_a_role_of_another_app(stack: Stack) -> None:
    """CDK would drop the statement without a word."""
    imported = iam.Role.from_role_arn(stack, "Other", "arn:aws:iam::111122223333:role/other")
    for other in (imported, None):
        with pytest.raises(ValueError, match="is no role of this app"):
            grant(other, [allow("s3:ListBucket", on=["arn:aws:s3:::one"])])
