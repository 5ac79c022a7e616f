"""The bucket keeps data in, strangers out, and goes when the stage says so."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gates.assembly import Assembly

BUCKET = "AWS::S3::Bucket"


def data_bucket(assembly: Assembly) -> tuple[str, dict[str, Any]]:
    """The bucket of the runs, with its logical id."""
    buckets = assembly.declared("storage", BUCKET)
    return next((name, each) for name, each in buckets.items() if name.startswith("Data"))


def test_every_bucket_is_encrypted_private_and_tls_only(dev: Assembly) -> None:
    """The access-log bucket is held to the same rules as the data."""
    policies = dev.properties("storage", "AWS::S3::BucketPolicy")
    for name, bucket in dev.declared("storage", BUCKET).items():
        properties = bucket["Properties"]
        assert properties["BucketEncryption"], name
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        (policy,) = (each for each in policies if each["Bucket"] == {"Ref": name})
        denied = [
            statement["Condition"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Principal"] == {"AWS": "*"}
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied, name
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied, name


def test_the_data_bucket_versions_logs_and_announces(dev: Assembly) -> None:
    """Old versions are kept a while, accesses are logged, and arrivals reach EventBridge."""
    _, bucket = data_bucket(dev)
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LoggingConfiguration"]["DestinationBucketName"]
    events = properties["NotificationConfiguration"]["EventBridgeConfiguration"]
    assert events == {"EventBridgeEnabled": True}


def test_runs_and_uploads_expire(chosen: Assembly) -> None:
    """Their lifetime is the stage's; files in `incoming/` are the sender's and stay."""
    _, bucket = data_bucket(chosen)
    rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
    lifetimes = {
        rules[name]["Prefix"]: rules[name]["ExpirationInDays"] for name in ("runs", "uploads")
    }
    assert lifetimes == {"runs/": 7, "uploads/": 7}
    assert rules["leftovers"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rules["leftovers"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert not any(rule.get("Prefix", "").startswith("incoming") for rule in rules.values())


@pytest.mark.parametrize(("stage", "deletes"), [("dev", True), ("prod", False)])
def test_destroy_deletes_data_only_where_the_stage_says_so(
    synth: Callable[..., Assembly], stage: str, deletes: bool
) -> None:
    """`dev` empties and deletes its bucket; `prod` retains it."""
    assembly = synth(stage=stage)
    _, bucket = data_bucket(assembly)
    assert bucket["DeletionPolicy"] == ("Delete" if deletes else "Retain")
    assert bool(assembly.declared("storage", "Custom::S3AutoDeleteObjects")) is deletes


def test_sagemaker_writes_models_checkpoints_and_batch_output_only(dev: Assembly) -> None:
    """Its role reads runs, writes three folders of them, and trusts this account's SageMaker."""
    (role,) = (
        each
        for each in dev.properties("storage", "AWS::IAM::Role")
        if "SageMaker" in each.get("Description", "")
    )
    assert "ManagedPolicyArns" not in role
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (policy,) = dev.properties("storage", "AWS::IAM::Policy")
    writes = [
        statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:PutObject" and statement["Effect"] == "Allow"
    ]
    assert [json.dumps(resource).count("/runs/*/") for resource in writes] == [3]
    assert "/runs/*/checkpoints/*" in json.dumps(writes)
    assert "/runs/*/model/*" in json.dumps(writes)
    assert "/runs/*/batch-out/*" in json.dumps(writes)
