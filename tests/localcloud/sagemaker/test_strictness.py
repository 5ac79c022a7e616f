"""What the service refuses, in its words."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    IMAGE,
    ROLE,
    Cloud,
    channel,
    refused,
    variant,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def container(**changes: Any) -> dict[str, Any]:
    """A model's container."""
    url = f"s3://{BUCKET}/model/trained/output/model.tar.gz"
    return {"Image": IMAGE, "ModelDataUrl": url} | changes


@pytest.mark.parametrize("name", ["under_score", "-leading", "trailing-", "a.b"])
def test_names_have_the_services_pattern(cloud: Cloud, name: str) -> None:
    """A name outside the pattern is refused with value, member and pattern."""
    code, message = refused(lambda: cloud.start_training(name))
    assert code == "ValidationException"
    assert message == (
        f"1 validation error detected: Value '{name}' at 'trainingJobName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_every_violated_constraint_is_listed(cloud: Cloud) -> None:
    """Length, enumeration and range are checked, deep inside the request too."""
    request = cloud.training_request("x" * 64)
    request["ResourceConfig"]["InstanceType"] = "ml.huge"
    request["InputDataConfig"][1]["ContentType"] = "x" * 257

    code, message = refused(lambda: cloud.sagemaker.create_training_job(**request))

    assert code == "ValidationException"
    assert message.startswith("4 validation errors detected: ")
    assert "at 'trainingJobName' failed to satisfy constraint: Member must have length less" in (
        message
    )
    assert "at 'inputDataConfig.2.member.contentType'" in message
    assert (
        "'ml.huge' at 'resourceConfig.instanceType' failed to satisfy constraint: Member must "
        in (message)
    )
    assert "satisfy enum value set: [ml.m4.xlarge, " in message


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


def test_a_configuration_needs_its_model(cloud: Cloud) -> None:
    """An endpoint configuration of a missing model is refused."""
    _, message = refused(lambda: cloud.create_endpoint("modelless", model="none"))
    assert message == f'Could not find model "{ARN}:model/none".'


def test_a_transform_job_needs_its_model(cloud: Cloud) -> None:
    """A transform job of a missing model is refused at once."""
    _, message = refused(lambda: cloud.transform("modelless", ModelName="none"))
    assert message == f'Could not find model "{ARN}:model/none".'


def test_inputs_must_hold_an_object(cloud: Cloud) -> None:
    """CreateTrainingJob refuses an input prefix that matches nothing, and makes no job."""
    for uri in (f"s3://{BUCKET}/nothing/", "s3://no-such-bucket/train/"):
        channels = [channel("train", "train/")]
        channels[0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
        code, message = refused(
            lambda channels=channels: cloud.start_training("empty", InputDataConfig=channels)  # type: ignore[misc]
        )
        assert code == "ValidationException"
        assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data')
    refused(lambda: cloud.describe_training("empty"))


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


def test_spot_needs_a_longest_wait(cloud: Cloud) -> None:
    """Managed spot training needs MaxWaitTimeInSeconds, at least the runtime; others may not."""
    wait = {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 50}
    for changes in (
        {"EnableManagedSpotTraining": True},
        {"EnableManagedSpotTraining": True, "StoppingCondition": wait},
        {"StoppingCondition": wait},
    ):
        _, message = refused(
            lambda changes=changes: cloud.start_training("spotty", **changes)  # type: ignore[misc]
        )
        assert "MaxWaitTimeInSeconds" in message


def test_payloads_of_a_transform_are_limited(cloud: Cloud) -> None:
    """MaxPayloadInMB times MaxConcurrentTransforms is at most 100."""
    _, message = refused(
        lambda: cloud.transform("huge", MaxPayloadInMB=20, MaxConcurrentTransforms=6)
    )
    assert "must not exceed 100 MB; it is 120 MB" in message


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


def test_an_endpoint_in_progress_cannot_be_deleted_or_invoked(slow_cloud: Cloud) -> None:
    """While Creating or Deleting, an endpoint refuses deletion and is unknown to the runtime."""
    cloud = slow_cloud

    def check(status: str) -> None:
        assert cloud.sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"] == status
        assert refused(lambda: cloud.sagemaker.delete_endpoint(EndpointName="slow")) == (
            "ValidationException",
            f'Cannot update in-progress endpoint "{ARN}:endpoint/slow".',
        )
        assert refused(lambda: cloud.invoke("slow", "1,2,3,4,5,6")) == (
            "ValidationError",
            "Endpoint slow of account 000000000000 not found.",
        )

    cloud.create_endpoint("slow", model="trained")
    check("Creating")
    assert cloud.wait_for_endpoint("slow")["EndpointStatus"] == "InService"
    cloud.sagemaker.delete_endpoint(EndpointName="slow")
    check("Deleting")


def test_a_model_in_use_may_be_deleted(cloud: Cloud) -> None:
    """An endpoint goes on serving after its model and configuration have been deleted."""
    cloud.create_model("brief", job="trained")
    cloud.create_endpoint("brief", model="brief")
    cloud.wait_for_endpoint("brief")
    cloud.sagemaker.delete_endpoint_config(EndpointConfigName="brief")
    cloud.sagemaker.delete_model(ModelName="brief")
    assert cloud.invoke("brief", "1,2,3,4,5,6")["Body"].read()


def test_a_role_must_be_given(cloud: Cloud) -> None:
    """A role ARN that is none is refused by its pattern."""
    code, message = refused(lambda: cloud.start_training("roleless", RoleArn="a" * 20))
    assert code == "ValidationException"
    assert "at 'roleArn'" in message
