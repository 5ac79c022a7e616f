"""The code of jobs, kept where a run finds it however much later it is redriven."""

import json
import re
from typing import Any

import pytest

from gates.assembly import Assembly
from stacks.bundling import JOB


@pytest.fixture
def kept(dev: Assembly) -> dict[str, Any]:
    """The custom resource that has the code kept, as it is declared."""
    (found,) = dev.declared("pipeline", "Custom::SpineJobCode").values()
    return dict(found)


def test_jobs_may_read_the_code_of_every_deployment(dev: Assembly) -> None:
    """Not that of the present one alone: an earlier definition names an earlier version."""
    policies = dev.resources("AWS::IAM::Policy")
    (role,) = (each for each in policies.values() if each["Roles"] == ["PreparationRole"])
    granted = [
        statement["Resource"]
        for statement in role["PolicyDocument"]["Statement"]
        if "s3:GetObject" in statement["Action"]
    ]
    assert "arn:aws:s3:::Data/code/*" in json.dumps(granted)
    assert "assets" not in json.dumps(granted)
    (kept,) = dev.resources("Custom::SpineJobCode").values()
    assert re.fullmatch(r"code/[0-9a-f]{64}/prepare_job\.zip", kept["Key"])
    (rule,) = (
        rule
        for rule in dev.properties("storage", "AWS::S3::Bucket")[1]["LifecycleConfiguration"][
            "Rules"
        ]
        if rule["Id"] == "code"
    )
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("code/", 366)
    assert rule["TagFilters"] == [{"Key": "superseded", "Value": "true"}]


def test_a_version_is_called_by_its_content(dev: Assembly) -> None:
    """Another content has another name, so that what was there before is not overwritten."""
    (properties,) = dev.resources("Custom::SpineJobCode").values()
    assert properties["Key"] == f"code/{JOB.digest(None)}/prepare_job.zip"
    assert properties["Bucket"] == "Data"


def test_who_refers_to_the_code_is_deployed_after_it(dev: Assembly, kept: dict[str, Any]) -> None:
    """The machine names it by what the custom resource answers, not by what it was asked for."""
    (machine,) = dev.properties("pipeline", "AWS::StepFunctions::StateMachine")
    assert '{"Ref": "PreparationCodeKept"}' in json.dumps(machine)
    assert kept["Properties"]["Key"] not in json.dumps(machine)


def test_the_code_is_kept_by_a_function_whose_policy_is_there(
    dev: Assembly, kept: dict[str, Any]
) -> None:
    """Before the resource asks for it and until it is gone; no answer in ten minutes is a no."""
    (function,) = kept["DependsOn"]
    publishing = dev.declared("pipeline", "AWS::Lambda::Function")[function]
    assert kept["Properties"]["ServiceToken"] == {"Fn::GetAtt": [function, "Arn"]}
    role = {"Ref": publishing["Properties"]["Role"]["Fn::GetAtt"][0]}
    (policy,) = (
        name
        for name, each in dev.declared("pipeline", "AWS::IAM::Policy").items()
        if each["Properties"]["Roles"] == [role]
    )
    assert policy in publishing["DependsOn"]
    assert kept["Properties"]["ServiceTimeout"] == "600"


def test_the_function_reads_the_upload_and_writes_only_code(dev: Assembly) -> None:
    """One object of the deployment's assets, and what lies in the folder for code."""
    (policy,) = (
        each
        for each in dev.resources("AWS::IAM::Policy").values()
        if each["PolicyName"].startswith("PreparationCodePublishRole")
    )
    statements = [
        each
        for each in policy["PolicyDocument"]["Statement"]
        if each["Effect"] == "Allow" and "s3:" in json.dumps(each["Action"])
    ]
    (properties,) = dev.resources("Custom::SpineJobCode").values()
    upload = f"arn:aws:s3:::{properties['SourceBucket']}/{properties['SourceKey']}"
    found = {json.dumps(each["Resource"]): each["Action"] for each in statements}
    assert found == {
        json.dumps(upload): "s3:GetObject",
        json.dumps("arn:aws:s3:::Data/code/*"): [
            "s3:GetObject",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ],
    }
