"""SageMaker's traffic through the gateway."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import localcloud
from localcloud import Cloud
from tests.localcloud.conftest import STUB


def test_management_and_runtime_calls_reach_sagemaker(running_cloud: Cloud) -> None:
    """Both APIs answer on the gateway's port, and so do the other services."""
    model = running_cloud.client("sagemaker").create_model(
        ModelName="m", ExecutionRoleArn="arn:aws:iam::000000000000:role/sagemaker"
    )
    assert model["ModelArn"].endswith("model/m")
    runtime = running_cloud.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="e", Body=b"1,2\n3,4", ContentType="text/csv")
    assert answer["Body"].read() == b"1,2\n3,4"
    assert running_cloud.client("s3").list_buckets()["Buckets"] is not None


def test_large_bodies_pass_unchanged(running_cloud: Cloud) -> None:
    """The largest body SageMaker takes comes through in both directions."""
    body = os.urandom(6 * 1024 * 1024)
    runtime = running_cloud.client("sagemaker-runtime")
    assert runtime.invoke_endpoint(EndpointName="e", Body=body)["Body"].read() == body


def test_a_path_of_s3_that_looks_like_an_endpoint_is_s3s(running_cloud: Cloud) -> None:
    """A bucket named endpoints keeps its objects: the signature's service decides."""
    s3 = running_cloud.client("s3")
    s3.create_bucket(Bucket="endpoints")
    s3.put_object(Bucket="endpoints", Key="e/invocations", Body=b"an object")
    stored = s3.get_object(Bucket="endpoints", Key="e/invocations")["Body"].read()
    assert stored == b"an object"


@pytest.mark.process
def test_a_dead_sagemaker_process_is_said(tmp_path: Path) -> None:
    """Calls after its death answer an error that names its log; the rest of the cloud goes on."""
    try:
        running = localcloud.start(tmp_path, sagemaker=STUB)
        os.kill(json.loads((tmp_path / "cloud.json").read_text())["sagemaker_pid"], signal.SIGKILL)
        time.sleep(0.2)
        sagemaker = running.client("sagemaker")
        with pytest.raises(ClientError) as refused:
            sagemaker.list_models()
        error = refused.value.response["Error"]
        assert error["Code"] == "InternalFailure"
        assert str(tmp_path / "logs" / "sagemaker.log") in error["Message"]
        assert running.client("s3").list_buckets()["Buckets"] == []
        found = localcloud.running(tmp_path)
        assert found == running
        assert not found.sagemaker_runs
    finally:
        localcloud.stop(tmp_path)
