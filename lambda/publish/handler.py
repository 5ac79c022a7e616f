"""Publish: a CloudFormation custom resource that keeps a job's code where every run finds it.

A run goes on with the definition that it began with, whatever is deployed meanwhile, and so do its
redrives: the code that the definition names must stay. What CDK uploads is of one deployment and in
a bucket that is not the deployment's own. So each version of the code is copied into the data
bucket under a name that holds its digest. When another version takes its place, it is written
anew with a tag, by which S3 deletes it a year later: the age counts from the writing.

The same version may come back, by a rollback or a later deployment. So the resource is called after
the key and the request that published it, and the object says which publication it is of: a removal
of an earlier one, however late it comes, does not touch what is in use again.
"""

from typing import Any

from botocore.exceptions import ClientError

from ..common import aws, cloudformation, folders, log

# CloudFormation takes answers of 4,096 bytes.
_LONGEST_REASON = 1500
_GONE = {"NoSuchBucket", "NoSuchKey", "404"}
# Between the key and the request in what the resource is called; no key has it.
BETWEEN = "@"
_PUBLISHED_AS = "published-as"


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001 (Lambda's)
    """Answer a request for `{"Bucket", "Key", "SourceBucket", "SourceKey"}`.

    Another version of the code is another resource, and CloudFormation asks for the removal of the
    former: once the new one is in use, or of the new one when the deployment is rolled back. An
    answer is sent whatever happens; after a failure the resource is what it was before, or nothing
    that would have to be removed.
    """
    wanted = event["ResourceProperties"]
    before = event.get("PhysicalResourceId") or event["RequestId"]
    name = before
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            _supersede(wanted["Bucket"], before)
        else:
            name = _name(wanted["Key"], event)
            _copy(wanted, name)
    except Exception as error:  # noqa: BLE001 (any failure has to be answered, or the stack hangs)
        name = before
        status, reason = "FAILED", f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
    log.event("publish", request=event["RequestType"], kept=name, status=status, reason=reason)
    cloudformation.respond(event, name, status, reason)


def _name(key: str, event: dict[str, Any]) -> str:
    """Return what the resource is called: as before, unless it is another version."""
    before: str = event.get("PhysicalResourceId", "")
    return before if _key(before) == key else f"{key}{BETWEEN}{event['RequestId']}"


def _key(name: str) -> str:
    """Return the key; a resource of earlier deployments is called after it alone."""
    return name.partition(BETWEEN)[0]


def _copy(wanted: dict[str, str], name: str) -> None:
    """Put the code there; what was superseded before, and comes back, loses its tag."""
    aws.client("s3").copy_object(
        Bucket=wanted["Bucket"],
        Key=wanted["Key"],
        CopySource={"Bucket": wanted["SourceBucket"], "Key": wanted["SourceKey"]},
        TaggingDirective="REPLACE",
        MetadataDirective="REPLACE",
        Metadata={_PUBLISHED_AS: name},
    )


def _supersede(bucket: str, name: str) -> None:
    key = _key(name)
    if not key.startswith(folders.CODE):
        # What a creation that failed is called: there is nothing of it.
        return
    client = aws.client("s3")
    try:
        published = client.head_object(Bucket=bucket, Key=key)["Metadata"]
        if published.get(_PUBLISHED_AS, key) != name:
            # Published again since, or superseded already.
            return
        client.copy_object(
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
