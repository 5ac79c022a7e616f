"""Quotas, throttling and eventual consistency, which settings of the process switch on."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localcloud.sagemaker.settings import parse_quota
from tests.localcloud.sagemaker.cloud import Cloud, refused, start, stop, until, variant
from tests.localcloud.sagemaker.resources.test_tuning_jobs import request_for

FORBIDDEN = {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture
def limited(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process with two quotas."""
    quotas = ("ml.m4.xlarge/training-job=0", "ml.m5.large/endpoint=1")
    running = start(s3_url, tmp_path, *(f"--quota={quota}" for quota in quotas))
    running.create_model("trained", job="trained")
    yield running
    stop(running)


def test_a_quota_of_nothing_refuses_a_job(limited: Cloud) -> None:
    """A new account's quota of 0 is ResourceLimitExceeded, in the service's sentence."""
    request = limited.training_request("over")
    request["ResourceConfig"]["InstanceType"] = "ml.m4.xlarge"
    code, message = refused(lambda: limited.sagemaker.create_training_job(**request))
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        "The account-level service limit 'ml.m4.xlarge for training job usage' is 0 Instances, "
        "with current utilization of 0 Instances and a request delta of 1 Instances."
    )
    refused(lambda: limited.describe_training("over"))
    assert limited.train("other")["TrainingJobStatus"] == "Completed"


def test_a_tuning_job_asks_for_all_it_may_run_at_once(limited: Cloud) -> None:
    """Its parallel training jobs count, in the older form of its resources and in SDK 2's."""
    request = request_for("beyond", ResourceConfig=FORBIDDEN)
    newer = request_for("beyond", HyperParameterTuningResourceConfig=FORBIDDEN)
    del newer["TrainingJobDefinition"]["ResourceConfig"]
    for each in (request, newer):
        code, message = refused(
            partial(limited.sagemaker.create_hyper_parameter_tuning_job, **each)
        )
        assert code == "ResourceLimitExceeded"
        assert "a request delta of 2 Instances" in message


def test_a_quota_counts_what_runs(limited: Cloud) -> None:
    """What a quota allows is used up by an endpoint and free again after its deletion."""
    limited.create_endpoint("first", model="trained")
    limited.wait_for_endpoint("first")
    code, message = refused(
        lambda: limited.sagemaker.create_endpoint(EndpointName="next", EndpointConfigName="first")
    )
    assert code == "ResourceLimitExceeded"
    assert "with current utilization of 1 Instances" in message
    limited.sagemaker.delete_endpoint(EndpointName="first")
    until(lambda: not limited.sagemaker.list_endpoints()["Endpoints"])
    limited.sagemaker.create_endpoint(EndpointName="next", EndpointConfigName="first")
    assert limited.wait_for_endpoint("next")["EndpointStatus"] == "InService"


def test_requests_can_be_throttled(s3_url: str, tmp_path: Path) -> None:
    """Beyond the rate an operation answers ThrottlingException; other operations go on."""
    running = start(s3_url, tmp_path, "--throttle=2")
    try:
        codes = []
        for _ in range(6):
            try:
                running.sagemaker.list_models()
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])
        assert set(codes) == {"ThrottlingException"}
        assert 2 <= len(codes) <= 4
        running.sagemaker.list_endpoints()
    finally:
        stop(running)


def test_reading_can_lag_behind_writing(s3_url: str, tmp_path: Path, cloud: Cloud) -> None:
    """A configuration just made is not found by CreateEndpoint, and is a moment later."""
    running = start(s3_url, tmp_path, "--consistency-lag=1")
    try:
        running.create_model("trained", job="trained")

        def configure() -> None:
            running.sagemaker.create_endpoint_config(
                EndpointConfigName="late", ProductionVariants=[variant("a", "trained")]
            )

        _, message = refused(configure)
        assert message.startswith("Could not find model")
        # The name is taken all the same.
        _, message = refused(lambda: running.create_model("trained", job="trained"))
        assert message.startswith("Cannot create already existing model")
        until(lambda: not _refused(configure))
        _, message = refused(
            lambda: running.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="late")
        )
        assert message.startswith("Could not find endpoint configuration")
    finally:
        stop(running)


def _refused(call: object) -> bool:
    try:
        call()  # type: ignore[operator]
    except ClientError:
        return True
    return False


@pytest.mark.parametrize("text", ["ml.m4.xlarge=1", "ml.m4.xlarge/notebook=1", "x/endpoint=1"])
def test_a_quota_names_type_and_use(text: str) -> None:
    """A setting that is no quota is refused with the form it has."""
    with pytest.raises(ValueError, match="INSTANCE_TYPE/USE=COUNT"):
        parse_quota(text)
