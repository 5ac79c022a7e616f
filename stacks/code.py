"""The code of jobs, kept where a run finds it however much later it is redriven."""

from aws_cdk import CustomResource, Duration, Fn
from aws_cdk import aws_s3_assets as s3_assets

from spine.shipped import load
from stacks.base import SpineStack
from stacks.bundling import Architecture, Bundle
from stacks.functions import Function
from stacks.permissions import allow
from stacks.storage import CODE, Storage


class JobCode:
    """One version of a job's code, in the data bucket (`lambda/publish/handler.py`).

    Attributes:
        uri: Where it lies; who refers to it is deployed after it.
        file: Its name: an archive that Python runs.
    """

    def __init__(
        self,
        stack: SpineStack,
        construct_id: str,
        *,
        storage: Storage,
        bundle: Bundle,
        architecture: Architecture | None,
    ) -> None:
        """Upload it with the deployment, and have it kept.

        Args:
            stack: Whose machines use it.
            construct_id: Stable.
            storage: Where it is kept.
            bundle: What it is made of.
            architecture: Of the third-party packages in it; None for our code alone.
        """
        digest = bundle.digest(architecture)
        asset = s3_assets.Asset(
            stack, construct_id, path=str(bundle.stage(architecture)), asset_hash=digest
        )
        kept = f"{CODE}{digest}/{bundle.name}.zip"
        publish = Function(
            stack,
            f"{construct_id}Publish",
            bundle="publish",
            description="keeps the code of jobs where runs find it",
            permissions=[
                allow(
                    "s3:GetObject",
                    on=[f"{asset.bucket.bucket_arn}/{asset.s3_object_key}"],
                ),
                allow(
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:PutObjectTagging",
                    on=storage.objects(f"{CODE}*", to=stack),
                    because="What takes another version's place supersedes that.",
                ),
                *stack.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3"),
            ],
            environment={},
            timeout=Duration.minutes(5),
        )
        resource = CustomResource(
            stack,
            f"{construct_id}Kept",
            resource_type="Custom::SpineJobCode",
            service_token=publish.function_arn,
            service_timeout=Duration.minutes(10),
            properties={
                "Bucket": storage.bucket.bucket_name,
                "Key": kept,
                "SourceBucket": asset.s3_bucket_name,
                "SourceKey": asset.s3_object_key,
            },
        )
        # The policy must be there before the resource, and outlive it.
        resource.node.add_dependency(publish)
        self.file = f"{bundle.name}.zip"
        # The resource is called after the key, and the request that had it kept.
        between = load("publish.handler").BETWEEN
        key = Fn.select(0, Fn.split(between, resource.ref))
        self.uri = f"s3://{storage.bucket.bucket_name}/{key}"
