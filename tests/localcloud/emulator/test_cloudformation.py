"""What the local CloudFormation must not leave out."""

import json
from typing import Any

from localcloud import Cloud


def create(cloud: Cloud, name: str, resources: dict[str, Any]) -> str:
    """Create a stack and return the status it has when CreateStack answers."""
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
    return str(stack["StackStatus"])


def bucket(name: str, **properties: Any) -> dict[str, Any]:
    """A bucket resource."""
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}


def test_a_buckets_tags_and_lifecycle_rules(running_cloud: Cloud) -> None:
    """Tags and rules of the template are those S3 gives back; an update replaces them."""
    rules = [
        {
            "Id": "runs",
            "Status": "Enabled",
            "Prefix": "runs/",
            "ExpirationInDays": 30,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
    tags = [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]
    properties = {"Tags": tags, "LifecycleConfiguration": {"Rules": rules}}
    assert create(running_cloud, "kept", {"B": bucket("kept", **properties)}) == "CREATE_COMPLETE"
    s3 = running_cloud.client("s3")
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"] == tags
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket="kept")["Rules"]
    assert rule == {
        "ID": "runs",
        "Status": "Enabled",
        "Filter": {"Prefix": "runs/"},
        "Expiration": {"Days": 30},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    changed = {"Resources": {"B": bucket("kept", Tags=[{"Key": "k", "Value": "v"}])}}
    formation = running_cloud.client("cloudformation")
    formation.update_stack(StackName="kept", TemplateBody=json.dumps(changed))
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"] == [{"Key": "k", "Value": "v"}]


def test_a_bucket_with_objects_is_not_deleted(running_cloud: Cloud) -> None:
    """Deleting the stack fails while the bucket holds even a delete marker, as on AWS."""
    versioned = bucket("full", VersioningConfiguration={"Status": "Enabled"})
    assert create(running_cloud, "full", {"B": versioned}) == "CREATE_COMPLETE"
    s3, formation = running_cloud.client("s3"), running_cloud.client("cloudformation")
    marker = s3.delete_object(Bucket="full", Key="k")["VersionId"]
    formation.delete_stack(StackName="full")
    (stack,) = formation.describe_stacks(StackName="full")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    s3.delete_object(Bucket="full", Key="k", VersionId=marker)
    formation.delete_stack(StackName="full")
    assert "full" not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_function_without_its_package_fails_the_stack(running_cloud: Cloud) -> None:
    """A package that is not in S3 fails the deployment and is named."""
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Code": {"S3Bucket": "absent", "S3Key": "package.zip"},
        },
    }
    assert create(running_cloud, "packageless", {"F": function}) == "ROLLBACK_COMPLETE"
    formation = running_cloud.client("cloudformation")
    events = formation.describe_stack_events(StackName="packageless")["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert "s3://absent/package.zip" in reasons
