"""What all kinds of resources share: members and values that are not offered are refused."""

from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    IMAGE,
    Cloud,
    channel,
    refused,
)

UNAVAILABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "InstanceCount 21": (
        "create_training_job",
        {
            "ResourceConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": 21,
                "VolumeSizeInGB": 1,
            }
        },
    ),
    "TrainingInputMode 'Pipe'": (
        "create_training_job",
        {"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}},
    ),
    "InputMode 'Pipe'": (
        "create_training_job",
        {"InputDataConfig": [channel("train", "train/") | {"InputMode": "Pipe"}]},
    ),
    "CompressionType 'Gzip'": (
        "create_training_job",
        {"InputDataConfig": [channel("train", "train/") | {"CompressionType": "Gzip"}]},
    ),
    "InputDataConfig.ShuffleConfig.Seed": (
        "create_training_job",
        {"InputDataConfig": [channel("train", "train/") | {"ShuffleConfig": {"Seed": 1}}]},
    ),
    "CheckpointConfig.LocalPath '/checkpoints'": (
        "create_training_job",
        {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/cp/", "LocalPath": "/checkpoints"}},
    ),
    "SAGEMAKER_SUBMIT_DIRECTORY": (
        "create_training_job",
        {"Environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/code.tar.gz"}},
    ),
    "S3DataType 'ManifestFile'": (
        "create_transform_job",
        {
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/m"}
                }
            }
        },
    ),
    "MaxPayloadInMB 0": ("create_transform_job", {"MaxPayloadInMB": 0}),
    "DataCaptureConfig.DestinationS3Uri": (
        "create_transform_job",
        {"DataCaptureConfig": {"DestinationS3Uri": f"s3://{BUCKET}/capture/"}},
    ),
}


@pytest.mark.parametrize("what", UNAVAILABLE)
def test_what_would_change_the_result_is_refused(cloud: Cloud, what: str) -> None:
    """A field that AWS acts on and nothing here does is refused by name, never ignored."""
    method, changes = UNAVAILABLE[what]
    make = cloud.training_request if "training" in method else cloud.transform_request
    request = make("unavailable", **changes)
    code, message = refused(lambda: getattr(cloud.sagemaker, method)(**request))
    assert code == "ValidationException"
    assert what in message
    assert "not available locally" in message
