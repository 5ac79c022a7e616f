"""Boto3's own waiters and paginators, for every operation that is offered."""

from typing import Any

import botocore.session
import httpx
import pytest
from botocore.exceptions import WaiterError

from tests.localcloud.sagemaker.cloud import ROLE, Cloud, until

_SESSION = botocore.session.Session()
_LOADER = _SESSION.get_component("data_loader")
PAGINATORS: dict[str, Any] = _LOADER.load_service_model("sagemaker", "paginators-1")["pagination"]
WAITERS: dict[str, Any] = _LOADER.load_service_model("sagemaker", "waiters-2")["waiters"]
# What waiters are given: a name they find in the wanted state.
WAITED = {
    "EndpointInService": {"EndpointName": "shared"},
    "EndpointDeleted": {"EndpointName": "never-made"},
    "TrainingJobCompletedOrStopped": {"TrainingJobName": "trained"},
    "TransformJobCompletedOrStopped": {"TransformJobName": "waited"},
    "ProcessingJobCompletedOrStopped": {"ProcessingJobName": "waited"},
}
# What paginators need beside nothing.
NARROWED: dict[str, dict[str, str]] = {
    "Search": {"Resource": "TrainingJob"},
    "ListTags": {"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/trained"},
}


def offered(cloud: Cloud) -> set[str]:
    """The operations that the process answers."""
    return set(httpx.get(f"{cloud.url}/_health").json()["operations"])


def processing_request() -> dict[str, Any]:
    """A processing job that runs one command."""
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return {
        "ProcessingJobName": "waited",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", "-c", "pass"]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def call_name(operation: str) -> str:
    """`list_models` of `ListModels`."""
    name: str = botocore.xform_name(operation)
    return name


def test_every_paginator_of_what_is_offered_works(cloud: Cloud, endpoint: str) -> None:
    """Page after page of one item, a paginator shows what one large page shows."""
    for number in range(2):
        name = f"paged-{number}"
        cloud.create_model(name, job="trained")
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "a",
                    "ModelName": name,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
        cloud.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        cloud.sagemaker.create_transform_job(**cloud.transform_request(name))
        cloud.wait_for_transform(name)
    filled = {"ListModels", "ListEndpointConfigs", "ListModelPackageGroups", "ListTransformJobs"}
    seen = set()
    for operation in sorted(offered(cloud) & PAGINATORS.keys()):
        narrowed = NARROWED.get(operation, {})
        if operation == "ListTrainingJobsForHyperParameterTuningJob":
            # Its job takes a while: test_tuning_jobs.py lists one's training jobs.
            continue
        key = PAGINATORS[operation]["result_key"]
        paginator = cloud.sagemaker.get_paginator(call_name(operation))
        together = paginator.paginate(**narrowed).build_full_result().get(key, [])
        size = 50 if operation == "ListTags" else 1
        pages = list(paginator.paginate(**narrowed, PaginationConfig={"PageSize": size}))
        assert [item for page in pages for item in page[key]] == together, operation
        if operation in filled:
            assert len(pages) >= 2, operation
            seen.add(operation)
    assert seen == filled


@pytest.mark.parametrize("waiter", sorted(WAITED))
def test_every_waiter_of_what_is_offered_ends(cloud: Cloud, endpoint: str, waiter: str) -> None:
    """A waiter finds the state it waits for in the words botocore looks for."""
    if waiter == "TransformJobCompletedOrStopped":
        cloud.transform("waited")
    if waiter == "ProcessingJobCompletedOrStopped":
        cloud.sagemaker.create_processing_job(**processing_request())
        until(
            lambda: (
                cloud.sagemaker.describe_processing_job(ProcessingJobName="waited")[
                    "ProcessingJobStatus"
                ]
                != "InProgress"
            )
        )
    ready = cloud.sagemaker.get_waiter(call_name(waiter))
    ready.wait(**WAITED[waiter], WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_no_waiter_is_left_out(cloud: Cloud) -> None:
    """Whatever describes what a waiter asks for is among those tried here."""
    asked = {name for name, waiter in WAITERS.items() if waiter["operation"] in offered(cloud)}
    assert asked == WAITED.keys()


def test_a_waiter_stops_at_a_failure(cloud: Cloud) -> None:
    """A failed job ends the wait at once, as a failure."""
    wrong = {"num_round": "3", "max_depth": "deep"}
    assert cloud.train("unwaited", HyperParameters=wrong)["TrainingJobStatus"] == "Failed"
    ready = cloud.sagemaker.get_waiter("training_job_completed_or_stopped")
    with pytest.raises(WaiterError, match="terminal failure state"):
        ready.wait(TrainingJobName="unwaited", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
