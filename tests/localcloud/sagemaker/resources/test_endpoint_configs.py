"""Configurations of endpoints: their models exist, and what is not offered is refused."""

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    Cloud,
    refused,
    variant,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def test_a_configuration_needs_its_model(cloud: Cloud) -> None:
    """An endpoint configuration of a missing model is refused."""
    _, message = refused(lambda: cloud.create_endpoint("modelless", model="none"))
    assert message == f'Could not find model "{ARN}:model/none".'


def test_asynchronous_endpoints_are_refused(cloud: Cloud) -> None:
    """A configuration for asynchronous inference is not available, and says so."""
    place = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/async/"}}
    _, message = refused(
        lambda: cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="asynchronous",
            ProductionVariants=[variant("all", "trained")],
            AsyncInferenceConfig=place,
        )
    )
    assert "AsyncInferenceConfig" in message
    assert "not available locally" in message


def test_serverless_variants_are_refused(cloud: Cloud) -> None:
    """A variant without instances is not available, and says so."""
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    _, message = refused(
        lambda: cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="serverless",
            ProductionVariants=[variant("all", "trained", ServerlessConfig=serverless)],
        )
    )
    assert "ServerlessConfig" in message
    assert "not available locally" in message


def test_a_variant_needs_an_instance(cloud: Cloud) -> None:
    """A variant without an instance type is refused."""
    incomplete = variant("all", "trained")
    del incomplete["InstanceType"]
    _, message = refused(
        lambda: cloud.sagemaker.create_endpoint_config(
            EndpointConfigName="incomplete", ProductionVariants=[incomplete]
        )
    )
    assert message == "InstanceType is required for production variant all."
