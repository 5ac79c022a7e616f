"""The real CDK command line against the local cloud, with a small app."""

import json
import sys
from pathlib import Path

import pytest

import localcloud
from localcloud import Cloud, DeployError
from tests.support import ROOT

APP = """
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3, aws_stepfunctions as sfn

app = cdk.App()
stack = cdk.Stack(app, "Small")
bucket = s3.Bucket(
    stack,
    "Bucket",
    versioned=True,
    auto_delete_objects=True,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
definition = {
    "QueryLanguage": "JSONata",
    "StartAt": "A",
    "States": {"A": {"Type": "Pass", "Output": app.node.get_context("answer"), "End": True}},
}
body = sfn.DefinitionBody.from_string(stack.to_json_string(definition))
machine = sfn.StateMachine(stack, "Machine", definition_body=body)
cdk.CfnOutput(stack, "BucketName", value=bucket.bucket_name)
cdk.CfnOutput(stack, "MachineArn", value=machine.state_machine_arn)
app.synth()
"""


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    """An app whose build step would fail, with the project's CDK command line."""
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        pytest.skip("the CDK command line is not installed: npm ci")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "app.py").write_text(APP)
    settings = {"app": f"{sys.executable} app.py", "build": "false", "context": {"answer": "old"}}
    (tmp_path / "cdk.json").write_text(json.dumps(settings))
    return tmp_path


@pytest.mark.e2e
def test_deploy_diff_and_destroy(running_cloud: Cloud, app_dir: Path) -> None:
    """An app is deployed, compared, and removed with the versions in its bucket."""
    lines: list[str] = []
    outputs = localcloud.deploy(
        running_cloud, app_dir=app_dir, context={"answer": "first"}, on_output=lines.append
    )
    assert any("bootstrapped" in line for line in lines)
    # The CDK's rules for CloudFormation, which write it, are left to the gates: they take longest.
    assert not (running_cloud.home / "cdk.out" / "validation-report.json").exists()
    states, s3 = running_cloud.client("stepfunctions"), running_cloud.client("s3")
    machine, bucket = outputs["Small"]["MachineArn"], outputs["Small"]["BucketName"]
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    assert json.loads(definition)["States"]["A"]["Output"] == "first"

    assert localcloud.diff(running_cloud, app_dir=app_dir, context={"answer": "first"}) is False
    assert localcloud.diff(running_cloud, app_dir=app_dir, context={"answer": "other"}) is True

    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="<a & b>.csv", Body=body)
    s3.delete_object(Bucket=bucket, Key="<a & b>.csv")
    localcloud.destroy(running_cloud, app_dir=app_dir, context={"answer": "first"})
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert machine not in str(states.list_state_machines())


def test_a_failing_app_is_said(running_cloud: Cloud, app_dir: Path) -> None:
    """What the app said is in the error."""
    (app_dir / "app.py").write_text("raise SystemExit('the stage must be one of dev, prod')")
    with pytest.raises(DeployError, match="the stage must be one of dev, prod"):
        localcloud.diff(running_cloud, app_dir=app_dir, context={})


def test_a_missing_command_line_is_said(running_cloud: Cloud, tmp_path: Path) -> None:
    """Without the CDK command line the error says how to install it."""
    with pytest.raises(DeployError, match="npm ci"):
        localcloud.diff(running_cloud, app_dir=tmp_path, context={})
