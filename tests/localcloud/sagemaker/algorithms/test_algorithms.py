"""Algorithms are found by their image, and only those that something here stands in for."""

import pytest

from tests.localcloud.sagemaker.cloud import (
    Cloud,
    refused,
)


@pytest.mark.parametrize(
    "image",
    [
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:9.9-9",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0-cpu-py3",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "somebody/their-image:latest",
    ],
)
def test_only_known_images_run(cloud: Cloud, image: str) -> None:
    """A job or model of an image that nothing here stands in for is refused, saying what is."""
    specification = {"TrainingImage": image, "TrainingInputMode": "File"}
    for call in (
        lambda: cloud.start_training("imageless", AlgorithmSpecification=specification),
        lambda: cloud.create_model("imageless", job="trained", image=image),
    ):
        code, message = refused(call)
        assert code == "ValidationException"
        assert message.startswith(f'The image "{image}" is not available locally.')
        assert "sagemaker-xgboost" in message
