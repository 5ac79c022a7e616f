"""What every stack has in common: its place, key, boundary, and the images of its region."""

from typing import Any

import pytest
from aws_cdk import App, Stack

from gates.assembly import Assembly
from spine.shipped import load
from stacks.base import NO_REGISTRY, SpineStack
from stacks.settings import Settings
from tests.stacks.guarding import BOUNDARY, KEY


def test_a_template_is_bound_to_no_place_unless_asked(dev: Assembly) -> None:
    """One synthesized app deploys to any account and any region with the image."""
    assert '"AWS::Region"' in dev.text("pipeline")
    assert "ImageRegistry" in dev.text("pipeline")
    assert "eu-west-3" in dev.text("pipeline")


def test_an_account_and_region_bind_it(chosen: Assembly) -> None:
    """With both given, the image's registry is known at synth and needs no mapping."""
    assert "ImageRegistry" not in chosen.text("pipeline")
    assert "659782779980.dkr.ecr.eu-west-3" in chosen.text("pipeline")


ROOMS = ("storage", "pipeline", "triggers")


def test_the_boundary_bounds_every_role(guarded: Assembly) -> None:
    """CDK's own roles included: an organization that demands one refuses any role without."""
    roles = [role for room in ROOMS for role in guarded.properties(room, "AWS::IAM::Role")]
    assert len(roles) > 8
    assert {role.get("PermissionsBoundary") for role in roles} == {BOUNDARY}


def stack(**given: Any) -> SpineStack:
    """A stack of a development stage, bound to a place and with a key only if asked."""
    chosen = {
        "stage": "dev",
        "account": None,
        "region": None,
        "permissions_boundary": None,
        "encryption_key": None,
        **given,
    }
    settings = Settings.model_construct(**chosen)
    return SpineStack(App(), "room", settings=settings, description="A room.")


def resolved(value: Any, of: SpineStack) -> Any:
    """A value with CDK's tokens as CloudFormation's functions."""
    return Stack.of(of).resolve(value)


def test_a_stack_is_named_by_stage_and_room() -> None:
    """Everything in it carries its stage as a tag."""
    assert stack().stack_name == "spine-dev-room"


def test_without_a_key_nothing_may_be_done_with_one() -> None:
    """A step need not ask whether there is one."""
    found = stack()
    assert found.key is None
    assert found.with_key("kms:Decrypt", via="s3") == []
    assert found.volumes() == []


def test_the_key_is_used_through_one_service_only() -> None:
    """Its ARN and nothing else, in the region of the stack."""
    found = stack(encryption_key=KEY, account="111122223333", region="us-east-1")
    (permission,) = found.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3")
    assert permission.actions == ("kms:Decrypt", "kms:GenerateDataKey")
    assert permission.on == [KEY]
    via = resolved(permission.when, found)["StringEquals"]["kms:ViaService"]
    assert via == {"Fn::Join": ["", ["s3.us-east-1.", {"Ref": "AWS::URLSuffix"}]]}


def test_volumes_take_a_grant_of_sagemakers_own() -> None:
    """A grant to anybody else would outlive the job."""
    found = stack(encryption_key=KEY)
    granting, describing = found.volumes()
    assert granting.actions == ("kms:CreateGrant",)
    assert granting.when == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert describing.actions == ("kms:DescribeKey",)


def test_arns_are_of_the_stacks_own_account_and_region() -> None:
    """In whatever partition it is deployed to."""
    found = stack(account="111122223333", region="eu-west-3")
    assert resolved(found.arns("sagemaker", "model/a-*", "endpoint/a-*"), found) == [
        {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":sagemaker:{place}"]]}
        for place in ("eu-west-3:111122223333:model/a-*", "eu-west-3:111122223333:endpoint/a-*")
    ]


@pytest.mark.parametrize(
    ("region", "account"), [("eu-west-3", "659782779980"), ("mars-north-1", NO_REGISTRY)]
)
def test_the_registry_of_a_region_is_known_at_synthesis(region: str, account: str) -> None:
    """One that AWS has no image in gets an account that nobody can have."""
    found = stack(account="111122223333", region=region, xgboost_version="1.7-1")
    image = resolved(found.image_of(load("algorithms").ALGORITHMS["xgboost"]), found)
    assert image == {
        "Fn::Join": [
            "",
            [
                f"{account}.dkr.ecr.{region}.",
                {"Ref": "AWS::URLSuffix"},
                "/sagemaker-xgboost:1.7-1",
            ],
        ]
    }


def test_a_stack_of_any_region_looks_its_registries_up_in_one_mapping() -> None:
    """It is made once, and has every region of every registry."""
    found = stack()
    for name in ("account", "spark"):
        assert resolved(found.registry(name), found) == {
            "Fn::FindInMap": ["ImageRegistry", {"Ref": "AWS::Region"}, name]
        }
