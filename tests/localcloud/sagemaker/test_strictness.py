"""What the service refuses, in its words."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    Cloud,
    refused,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


DUPLICATES: dict[str, tuple[str, str, Callable[[Cloud], Any]]] = {
    "training job": (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region",
        lambda cloud: cloud.start_training("trained"),
    ),
    "model": (
        "ValidationException",
        f'Cannot create already existing model "{ARN}:model/trained".',
        lambda cloud: cloud.create_model("trained", job="trained"),
    ),
    "endpoint configuration": (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{ARN}:endpoint-config/shared".',
        lambda cloud: cloud.create_endpoint("shared", model="trained"),
    ),
    "endpoint": (
        "ValidationException",
        f'Cannot create already existing endpoint "{ARN}:endpoint/shared".',
        lambda cloud: cloud.sagemaker.create_endpoint(
            EndpointName="shared", EndpointConfigName="shared"
        ),
    ),
}


@pytest.mark.parametrize("kind", DUPLICATES)
def test_a_name_exists_once(cloud: Cloud, endpoint: str, kind: str) -> None:
    """Creating a resource of a name that exists is refused as the service words it."""
    code, message, create = DUPLICATES[kind]
    found_code, found_message = refused(lambda: create(cloud))
    assert found_code == code
    assert found_message.startswith(message)


def test_a_transform_job_name_exists_once(cloud: Cloud) -> None:
    """A second transform job of a name is ResourceInUse."""
    cloud.transform("once")
    code, _ = refused(lambda: cloud.transform("once"))
    assert code == "ResourceInUse"


MISSING: dict[str, tuple[str, dict[str, str], str]] = {
    "training job": (
        "describe_training_job",
        {"TrainingJobName": "none"},
        "Requested resource not found.",
    ),
    "training job to stop": (
        "stop_training_job",
        {"TrainingJobName": "none"},
        "Requested resource not found.",
    ),
    "transform job": (
        "describe_transform_job",
        {"TransformJobName": "none"},
        "Could not find requested job with name: none",
    ),
    "model": ("describe_model", {"ModelName": "none"}, f'Could not find model "{ARN}:model/none".'),
    "model to delete": (
        "delete_model",
        {"ModelName": "none"},
        f'Could not find model "{ARN}:model/none".',
    ),
    "endpoint": (
        "describe_endpoint",
        {"EndpointName": "none"},
        f'Could not find endpoint "{ARN}:endpoint/none".',
    ),
    "endpoint to delete": (
        "delete_endpoint",
        {"EndpointName": "none"},
        f'Could not find endpoint "{ARN}:endpoint/none".',
    ),
    "endpoint configuration": (
        "delete_endpoint_config",
        {"EndpointConfigName": "none"},
        f'Could not find endpoint configuration "{ARN}:endpoint-config/none".',
    ),
    "configuration of a new endpoint": (
        "create_endpoint",
        {"EndpointName": "new", "EndpointConfigName": "none"},
        f'Could not find endpoint configuration "{ARN}:endpoint-config/none".',
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_does_not_exist_is_not_found(cloud: Cloud, case: str) -> None:
    """A missing resource is a ValidationException that names it."""
    method, arguments, message = MISSING[case]
    assert refused(lambda: getattr(cloud.sagemaker, method)(**arguments)) == (
        "ValidationException",
        message,
    )


def test_operations_that_are_not_offered_say_so(cloud: Cloud) -> None:
    """An operation that AWS has and nothing here answers is refused by name."""
    assert refused(
        lambda: cloud.sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="none"
        )
    ) == (
        "UnknownOperationException",
        "CreateNotebookInstanceLifecycleConfig is not available locally.",
    )
