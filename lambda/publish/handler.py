"""Publish: a CloudFormation custom resource that keeps a job's code where every run finds it.

A run goes on with the definition that it began with, whatever is deployed meanwhile, and so do its
redrives: the code that the definition names must stay. What CDK uploads is of one deployment and in
a bucket that is not the deployment's own. So each version of the code is copied into the data
bucket under a name that holds its digest. When another version takes its place, it is written
anew with a tag, by which S3 deletes it a year later: the age counts from the writing.
"""

from typing import Any

from botocore.exceptions import ClientError

from ..common import aws, cloudformation, log

# CloudFormation takes answers of 4,096 bytes.
_LONGEST_REASON = 1500
_GONE = {"NoSuchBucket", "NoSuchKey", "404"}


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 (Lambda's)
    """Answer a request for `{"Bucket", "Key", "SourceBucket", "SourceKey"}`.

    The resource is called after its key, so that another version of the code is another resource,
    and CloudFormation asks for the removal of the former: once the new one is in use, or of the new
    one when the deployment is rolled back. An answer is sent whatever happens.
    """
    wanted = event["ResourceProperties"]
    key = wanted["Key"]
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            key = event["PhysicalResourceId"]
            _supersede(wanted["Bucket"], key)
        else:
            _copy(wanted)
    except Exception as error:  # noqa: BLE001 (any failure has to be answered, or the stack hangs)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
    log.event("publish", request=event["RequestType"], key=key, status=status, reason=reason)
    cloudformation.respond(event, key, status, reason)


def _copy(wanted: dict[str, str]) -> None:
    """Put the code there; what was superseded before, and comes back, loses its tag."""
    aws.client("s3").copy_object(
        Bucket=wanted["Bucket"],
        Key=wanted["Key"],
        CopySource={"Bucket": wanted["SourceBucket"], "Key": wanted["SourceKey"]},
        TaggingDirective="REPLACE",
    )


def _supersede(bucket: str, key: str) -> None:
    try:
        aws.client("s3").copy_object(
            Bucket=bucket,
            Key=key,
            CopySource={"Bucket": bucket, "Key": key},
            TaggingDirective="REPLACE",
            Tagging="superseded=true",
            # S3 copies nothing onto itself unless it changes.
            MetadataDirective="REPLACE",
            Metadata={"superseded": "true"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
