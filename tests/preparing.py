# ruff: noqa: N803 (the double takes boto3's own argument names)
"""What the tests of the preparation share: the part of a plan that it reads, and its S3."""

from collections.abc import Iterator
from typing import Any

from spine.shipped import load
from tests.support import SAMPLE, FakeS3, planned

SOURCE = "s3://bucket/uploads/a.arff"
RUN = planned({"source": {"uri": SOURCE}}, bucket="bucket")["prefix"]
CONTENT = SAMPLE.read_bytes()


def plan(objective: str = "binary:logistic", task: str = "binary", **source: Any) -> dict[str, Any]:
    """The part of a plan that the function reads."""
    return {
        "task": task,
        "training": {
            "hyperparameters": {"objective": objective},
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
        },
        "run": {"id": "r-1", "name": "spine-dev-r-1"},
        "bucket": "runs-bucket",
        "prefix": "runs/r-1",
        "source": {
            "uri": "s3://runs-bucket/uploads/sample.arff",
            "member": None,
            "label": "class",
            "positive": "Abnormal",
            "sha256": None,
            "version_id": None,
            "rest": False,
            "format": {"kind": None, "delimiter": None, "header": None, "encoding": None},
            "drop": [],
            "rename": {},
            "categorical": [],
            "missing": "refuse",
            "allow_leakage": False,
            **source,
        },
        "split": {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42},
        "preparation": {
            "engine": "lambda",
            "instance_count": 1,
            "shards": 1,
            "distribution": "FullyReplicated",
            "limits": load("plan.engines").LIMITS["lambda"],
        },
    }


class Store(FakeS3):
    """An S3 that also lists and deletes."""

    def get_paginator(self, _operation: str) -> "Store":
        """List is the only operation in pages."""
        return self

    def paginate(self, *, Bucket: str, Prefix: str, **_: object) -> Iterator[dict[str, Any]]:
        """One page."""
        keys = [key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix)]
        found = [{"Key": key, "Size": len(self.objects[Bucket, key][-1])} for key in keys]
        yield {"Contents": found} if keys else {}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        """Delete every version."""
        del self.objects[Bucket, Key]
