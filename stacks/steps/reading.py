"""What it takes to read sources, from the folders and buckets they may lie in."""

from aws_cdk import Aws

from stacks.base import SpineStack
from stacks.permissions import Permission, allow
from stacks.storage import Storage


def reading(stack: SpineStack, storage: Storage) -> list[Permission]:
    """The permissions of whoever looks at a source."""
    others = [f"arn:{Aws.PARTITION}:s3:::{name}" for name in stack.settings.source_buckets]
    files = storage.objects("incoming/*", "uploads/*", to=stack)
    return [
        allow(
            "s3:GetObject",
            "s3:GetObjectVersion",
            on=[*files, *(f"{arn}/*" for arn in others)],
            because="Files arrive under names of their senders' choice.",
        ),
        # Without it S3 answers "access denied" for a file that is not there.
        allow("s3:ListBucket", on=[storage.bucket.bucket_arn, *others]),
        *stack.with_key("kms:Decrypt", via="s3"),
    ]
