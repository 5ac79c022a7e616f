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
