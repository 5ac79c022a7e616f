"""Models: what a container needs, and what becomes of one in use."""

from typing import Any

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    IMAGE,
    ROLE,
    Cloud,
    refused,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def container(**changes: Any) -> dict[str, Any]:
    """A model's container."""
    url = f"s3://{BUCKET}/model/trained/output/model.tar.gz"
    return {"Image": IMAGE, "ModelDataUrl": url} | changes


def test_a_model_needs_its_artifact(cloud: Cloud) -> None:
    """CreateModel looks for the artifact: the object first, then whether the bucket can be read."""

    def create(url: str) -> None:
        cloud.sagemaker.create_model(
            ModelName="artless",
            PrimaryContainer=container(ModelDataUrl=url),
            ExecutionRoleArn=ROLE,
        )

    missing = f"s3://{BUCKET}/no/model.tar.gz"
    assert refused(lambda: create(missing)) == (
        "ValidationException",
        f"Could not find model data at {missing}.",
    )
    _, message = refused(lambda: create("s3://no-such-bucket/model.tar.gz"))
    assert message.startswith("Could not access model data at s3://no-such-bucket/model.tar.gz. ")
    assert ROLE in message


def test_pipelines_of_containers_are_refused(cloud: Cloud) -> None:
    """A model has one container; one in the list of containers is that one."""
    one = container()
    cloud.sagemaker.create_model(ModelName="listed", Containers=[one], ExecutionRoleArn=ROLE)
    described = cloud.sagemaker.describe_model(ModelName="listed")
    assert described["PrimaryContainer"]["Image"] == IMAGE
    _, message = refused(
        lambda: cloud.sagemaker.create_model(
            ModelName="piped", Containers=[one, one], ExecutionRoleArn=ROLE
        )
    )
    assert "not available locally" in message


def test_a_model_in_use_may_be_deleted(cloud: Cloud) -> None:
    """An endpoint goes on serving after its model and configuration have been deleted."""
    cloud.create_model("brief", job="trained")
    cloud.create_endpoint("brief", model="brief")
    cloud.wait_for_endpoint("brief")
    cloud.sagemaker.delete_endpoint_config(EndpointConfigName="brief")
    cloud.sagemaker.delete_model(ModelName="brief")
    assert cloud.invoke("brief", "1,2,3,4,5,6")["Body"].read()
