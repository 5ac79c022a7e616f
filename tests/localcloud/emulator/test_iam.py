"""The checks that AWS makes of a SageMaker call, as the local cloud makes them."""

import json
from typing import Any

import pytest

from localcloud.emulator.iam import SageMakerGate

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def checks(operation: str, request: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """What is authorized for one request."""

    async def nothing(*_: object) -> None:
        raise AssertionError("nothing is passed on here")

    gate = SageMakerGate(nothing, region="us-east-1", account="000000000000")
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    return gate._checks("/", headers, json.dumps(request).encode())


def test_a_creation_is_authorized_with_its_tags_and_the_role_it_passes() -> None:
    """Three decisions: the job under its conditions, the tagging, and the role for SageMaker."""
    role = "arn:aws:iam::000000000000:role/R"
    asked = checks(
        "CreateTrainingJob",
        {
            "TrainingJobName": "Spine-X",
            "RoleArn": role,
            "EnableNetworkIsolation": True,
            "ResourceConfig": {"InstanceType": "ml.m5.large"},
            "Tags": [{"Key": "spine:run", "Value": "x"}],
        },
    )
    assert [(action, resource) for action, resource, _ in asked] == [
        ("sagemaker:CreateTrainingJob", f"{ARN}:training-job/spine-x"),
        ("sagemaker:AddTags", f"{ARN}:training-job/spine-x"),
        ("iam:PassRole", role),
    ]
    assert asked[0][2]["sagemaker:NetworkIsolation"] == "true"
    assert asked[0][2]["sagemaker:InstanceTypes"] == ["ml.m5.large"]
    assert asked[1][2]["sagemaker:TaggingAction"] == "CreateTrainingJob"
    assert asked[2][2] == {"iam:PassedToService": "sagemaker.amazonaws.com"}


def test_an_endpoint_is_authorized_on_its_config_as_well() -> None:
    """As the Service Authorization Reference lists both for CreateEndpoint."""
    asked = checks("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})
    assert [resource for _, resource, _ in asked] == [
        f"{ARN}:endpoint/e",
        f"{ARN}:endpoint-config/c",
    ]


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("ListEndpoints", {"NameContains": "x"}, "*"),
        ("DescribeEndpoint", {"EndpointName": "e"}, f"{ARN}:endpoint/e"),
        ("DeleteModel", {"ModelName": "m"}, f"{ARN}:model/m"),
        ("StopTransformJob", {"TransformJobName": "t"}, f"{ARN}:transform-job/t"),
        ("ListTags", {"ResourceArn": f"{ARN}:model/m"}, f"{ARN}:model/m"),
    ],
)
def test_other_calls_are_authorized_on_what_they_name(
    operation: str, request_: dict[str, Any], resource: str
) -> None:
    """One decision each, on the narrowest resource."""
    ((action, on, _),) = checks(operation, request_)
    assert (action, on) == (f"sagemaker:{operation}", resource)
