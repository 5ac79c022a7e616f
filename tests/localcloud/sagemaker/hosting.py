"""Endpoints as tests set them up and ask them."""

from typing import Any

from tests.localcloud.sagemaker.cloud import Cloud

ROW = "0.1,0.2,0.3,0.4,0.5,0.6"


def configure(cloud: Cloud, name: str, *variants: dict[str, Any], **more: Any) -> None:
    """Creates a configuration."""
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants), **more
    )


def host(cloud: Cloud, name: str, *variants: dict[str, Any], **more: Any) -> None:
    """Creates an endpoint with a configuration of its name and waits until it serves."""
    configure(cloud, name, *variants, **more)
    cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert cloud.wait_for_endpoint(name)["EndpointStatus"] == "InService"


def score(cloud: Cloud, endpoint: str, **options: Any) -> bytes:
    """The prediction for a row."""
    body: bytes = cloud.invoke(endpoint, ROW, **options)["Body"].read()
    return body
