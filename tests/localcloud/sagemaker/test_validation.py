"""Requests are held to the service's own model, in its words."""

import botocore.session
import pytest
from botocore.model import Shape, StringShape, StructureShape

from localcloud.sagemaker import validation
from localcloud.sagemaker.errors import ApiError
from tests.localcloud.sagemaker.cloud import (
    Cloud,
    refused,
)


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


def test_a_role_must_be_given(cloud: Cloud) -> None:
    """A role ARN that is none is refused by its pattern."""
    code, message = refused(lambda: cloud.start_training("roleless", RoleArn="a" * 20))
    assert code == "ValidationException"
    assert "at 'roleArn'" in message


def shapes(shape: Shape | None, seen: set[str]) -> list[Shape]:
    """A shape and all below it."""
    if shape is None or shape.name in seen:
        return []
    seen.add(shape.name)
    below: list[Shape] = []
    if isinstance(shape, StructureShape):
        below = list(shape.members.values())
    for part in ("member", "key", "value"):
        if hasattr(shape, part):
            below.append(getattr(shape, part))
    return [shape, *(found for child in below for found in shapes(child, seen))]


@pytest.mark.slow
def test_every_pattern_of_the_service_model_can_be_checked() -> None:
    """Java's patterns, character classes included, all work as Python's."""
    seen: set[str] = set()
    for service in ("sagemaker", "sagemaker-runtime"):
        model = botocore.session.Session().get_service_model(service)
        for name in model.operation_names:
            for shape in shapes(model.operation_model(name).input_shape, seen):
                if isinstance(shape, StringShape) and "pattern" in shape.metadata:
                    validation._compiled(shape.metadata["pattern"])
    assert len(seen) > 500


@pytest.mark.parametrize(
    ("key", "valid"), [("spine:run", True), ("Größe 1_.:/=+-@", True), ("a#b", False), ("", False)]
)
def test_tag_keys_are_letters_digits_and_some_signs(key: str, valid: bool) -> None:
    """The pattern of tag keys has Unicode classes."""
    model = botocore.session.Session().get_service_model("sagemaker").operation_model("AddTags")
    request = {
        "ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m",
        "Tags": [{"Key": key, "Value": ""}],
    }
    if valid:
        assert validation.check(model, request) == request
    else:
        with pytest.raises(ApiError, match=r"tags\.1\.member\.key"):
            validation.check(model, request)
