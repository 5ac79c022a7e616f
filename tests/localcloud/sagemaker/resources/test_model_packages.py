"""Model package groups, versions, approval, and models made of packages."""

from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import BUCKET, IMAGE, ROLE, Cloud, refused

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
URL = f"s3://{BUCKET}/model/trained/output/model.tar.gz"


@pytest.fixture
def group(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    """A group of the test's own."""
    name: str = request.node.name.replace("_", "-")[:60]
    cloud.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def register(cloud: Cloud, group: str, **more: Any) -> str:
    """Adds a version to a group; returns its ARN."""
    arn: str = cloud.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": URL, "Environment": {"A": "1"}}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        **more,
    )["ModelPackageArn"]
    return arn


def create_model(cloud: Cloud, name: str, package: str) -> None:
    """Creates a model of a package."""
    cloud.sagemaker.create_model(
        ModelName=name, PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=ROLE
    )


def test_versions_are_numbered(cloud: Cloud, group: str) -> None:
    """A group's packages get the numbers 1, 2, ...; a deleted one's number is not given again."""
    assert register(cloud, group) == f"{ARN}:model-package/{group}/1"
    second = register(cloud, group)
    cloud.sagemaker.delete_model_package(ModelPackageName=second)
    assert register(cloud, group).endswith("/3")
    described = cloud.sagemaker.describe_model_package(ModelPackageName=f"{group}/3")
    assert described["ModelPackageVersion"] == 3
    assert described["ModelPackageGroupName"] == group
    assert described["ModelPackageStatus"] == "Completed"


def test_a_version_waits_for_approval(cloud: Cloud, group: str) -> None:
    """A version is PendingManualApproval; a model can be made of it once it is Approved."""
    package = register(cloud, group)
    described = cloud.sagemaker.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    code, message = refused(lambda: create_model(cloud, "packaged", package))
    assert code == "ValidationException"
    assert "its ModelApprovalStatus is PendingManualApproval" in message

    cloud.sagemaker.update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="measured"
    )
    create_model(cloud, "packaged", package)
    container = cloud.sagemaker.describe_model(ModelName="packaged")["PrimaryContainer"]
    assert container["ModelPackageName"] == package
    assert "Image" not in container
    cloud.create_endpoint("packaged", model="packaged")
    assert cloud.wait_for_endpoint("packaged")["EndpointStatus"] == "InService"
    assert cloud.invoke("packaged", "1,2,3,4,5,6")["Body"].read()
    assert cloud.transform("packaged", ModelName="packaged")["TransformJobStatus"] == "Completed"


def test_versions_are_listed_by_approval(cloud: Cloud, group: str) -> None:
    """ListModelPackages shows a group's versions, newest first, narrowed by their approval."""
    first = register(cloud, group, ModelApprovalStatus="Approved")
    second = register(cloud, group)

    def listed(**more: Any) -> list[str]:
        pages = cloud.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, **more
        )
        return [
            item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]
        ]

    assert listed() == [second, first]
    assert listed(ModelApprovalStatus="Approved") == [first]


def test_a_group_with_versions_stays(cloud: Cloud, group: str) -> None:
    """DeleteModelPackageGroup refuses while there are versions."""
    package = register(cloud, group)

    def delete() -> None:
        cloud.sagemaker.delete_model_package_group(ModelPackageGroupName=group)

    code, _ = refused(delete)
    assert code == "ConflictException"
    cloud.sagemaker.delete_model_package(ModelPackageName=package)
    delete()
    arn = f"{ARN}:model-package-group/{group}"
    assert refused(
        lambda: cloud.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    ) == ("ValidationException", f"ModelPackageGroup {arn} does not exist.")


def test_a_group_exists_once(cloud: Cloud, group: str) -> None:
    """A second group of a name is refused in the words the SDKs look for."""
    code, message = refused(
        lambda: cloud.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    )
    assert code == "ValidationException"
    assert "already exists" in message


def test_a_package_may_stand_alone(cloud: Cloud) -> None:
    """A package outside of groups has a name, needs no approval, and is listed by itself."""
    cloud.sagemaker.create_model_package(
        ModelPackageName="alone",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": URL}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    create_model(cloud, "alone", "alone")
    summaries = cloud.sagemaker.list_model_packages()["ModelPackageSummaryList"]
    assert [each["ModelPackageName"] for each in summaries] == ["alone"]


def test_a_package_brings_its_own_image(cloud: Cloud, group: str) -> None:
    """A container names a package or an image, not both."""
    package = register(cloud, group, ModelApprovalStatus="Approved")
    _, message = refused(
        lambda: cloud.sagemaker.create_model(
            ModelName="both",
            PrimaryContainer={"ModelPackageName": package, "Image": IMAGE},
            ExecutionRoleArn=ROLE,
        )
    )
    assert "not both" in message
