"""Jobs that fail, are stopped or killed: each ends in a state that says why."""

import os
import signal
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    HYPERPARAMETERS,
    ROOT,
    Cloud,
    alive,
    descendants,
    make_table,
    refused,
    to_csv,
    until,
)


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({**HYPERPARAMETERS, "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({"objective": "binary:logistic"}, "Missing required hyperparameter: num_round"),
        ({**HYPERPARAMETERS, "eta": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({**HYPERPARAMETERS, "num_round": "many"}, "num_round: could not parse value"),
        ({**HYPERPARAMETERS, "objective": "reg:squarederror"}, "Metric 'auc' can only be applied"),
    ],
)
def test_wrong_hyperparameters_fail_the_job(
    cloud: Cloud, hyperparameters: dict[str, str], reason: str, request: pytest.FixtureRequest
) -> None:
    """The container's complaint is the job's FailureReason, as AWS frames it."""
    name = f"wrong-{zlib.crc32(request.node.name.encode())}"
    job = cloud.train(name, HyperParameters=hyperparameters)

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: framework error: ")
    assert reason in job["FailureReason"]
    assert job["FailureReason"].endswith(", exit code: 1")
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"
    assert job["TrainingEndTime"] >= job["TrainingStartTime"]


def test_a_killed_model_server_fails_its_endpoint(own_cloud: Cloud) -> None:
    """SIGKILL to a model server ends the endpoint Failed; it can then be deleted."""
    own_cloud.create_endpoint("killed", model="trained")
    own_cloud.wait_for_endpoint("killed")
    (child,) = descendants(own_cloud.process.pid)

    os.kill(child, signal.SIGKILL)
    described = until(
        lambda: (
            found
            if (found := own_cloud.sagemaker.describe_endpoint(EndpointName="killed"))[
                "EndpointStatus"
            ]
            == "Failed"
            else None
        )
    )

    assert "AllTraffic has ended (killed by SIGKILL" in described["FailureReason"]
    assert refused(lambda: own_cloud.invoke("killed", "1,2,3,4,5,6"))[0] == "ValidationError"
    own_cloud.sagemaker.delete_endpoint(EndpointName="killed")
    until(lambda: not own_cloud.sagemaker.list_endpoints()["Endpoints"])


def test_a_model_that_cannot_be_loaded_fails_its_endpoint(cloud: Cloud, tmp_path: Path) -> None:
    """A pickled model is not loaded: the endpoint fails, quoting the server's log."""
    (tmp_path / "xgboost-model").write_bytes(b"\x80\x04N.")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "xgboost-model", arcname="xgboost-model")
    cloud.put("model/pickled/output/model.tar.gz", (tmp_path / "model.tar.gz").read_bytes())
    cloud.create_model("pickled", job="pickled")
    cloud.create_endpoint("pickled", model="pickled")

    described = cloud.wait_for_endpoint("pickled")

    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        "The primary container for production variant AllTraffic did not pass the ping health check"
    )
    assert "cannot be loaded" in described["FailureReason"]


def test_an_artifact_that_is_no_archive_fails_its_endpoint(cloud: Cloud) -> None:
    """An artifact that is no gzipped tar fails the endpoint, saying so."""
    cloud.put("model/broken/output/model.tar.gz", b"no archive")
    cloud.create_model("broken", job="broken")
    cloud.create_endpoint("broken", model="broken")
    described = cloud.wait_for_endpoint("broken")
    assert described["EndpointStatus"] == "Failed"
    assert "Failed to extract model data archive" in described["FailureReason"]


def test_the_service_ends_with_the_process_that_started_it(s3_url: str, tmp_path: Path) -> None:
    """When the starting process is killed, the service ends by itself."""
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'localcloud.sagemaker', *sys.argv[1:]])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    arguments = ("--port=0", f"--jobs={tmp_path}", f"--aws-endpoint={s3_url}")
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    lines = [parent.stdout.readline(), parent.stdout.readline()]
    (pid,) = (int(line) for line in lines if line.strip().isdigit())
    assert alive(pid)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until(lambda: not alive(pid), 10)


def test_a_transform_that_the_container_refuses_fails(cloud: Cloud) -> None:
    """Rows with their label fail the job as the client's error, with details in its log."""
    cloud.put("labelled/rows.csv", to_csv(make_table(3)))
    request = cloud.transform_request("labelled")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/labelled/"
    cloud.sagemaker.create_transform_job(**request)
    job = cloud.wait_for_transform("labelled")

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: See job logs for more information")
    log = (cloud.jobs / "transform-job" / "labelled" / "log").read_text()
    assert f"[sagemaker logs]: {BUCKET}/labelled/rows.csv: status 400" in log


def test_a_transform_of_nothing_fails(cloud: Cloud) -> None:
    """A prefix that matches no object fails the job, naming it."""
    request = cloud.transform_request("nothing")
    uri = f"s3://{BUCKET}/nothing/"
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = uri
    cloud.sagemaker.create_transform_job(**request)
    job = cloud.wait_for_transform("nothing")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: No S3 objects found under S3 URL")


def test_a_transform_can_be_stopped(slow_cloud: Cloud) -> None:
    """StopTransformJob leads to Stopped."""
    slow_cloud.sagemaker.create_transform_job(**slow_cloud.transform_request("halted"))
    slow_cloud.sagemaker.stop_transform_job(TransformJobName="halted")
    job = slow_cloud.wait_for_transform("halted")
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    code, _ = refused(lambda: slow_cloud.sagemaker.stop_transform_job(TransformJobName="halted"))
    assert code == "ValidationException"


@pytest.fixture
def long_transform(own_cloud: Cloud) -> Cloud:
    """A process in the middle of a transform job `long`, which would take a minute."""
    own_cloud.put("long/rows.csv", to_csv(make_table(100_000)[:, 1:]))
    request = own_cloud.transform_request("long", BatchStrategy="SingleRecord")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/long/"
    own_cloud.sagemaker.create_transform_job(**request)
    result = own_cloud.jobs / "transform-job" / "long" / "output" / "data" / "result"
    until(lambda: result.exists() and result.stat().st_size > 0)
    return own_cloud


def test_a_transform_that_runs_can_be_stopped(long_transform: Cloud) -> None:
    """StopTransformJob ends a job that is sending records."""
    long_transform.sagemaker.stop_transform_job(TransformJobName="long")
    job = long_transform.wait_for_transform("long")
    assert job["TransformJobStatus"] == "Stopped"
    until(lambda: not descendants(long_transform.process.pid))


def test_a_killed_model_server_fails_its_transform_job(long_transform: Cloud) -> None:
    """SIGKILL to the model server of a transform job ends the job Failed, naming the signal."""
    (child,) = descendants(long_transform.process.pid)
    os.kill(child, signal.SIGKILL)
    job = long_transform.wait_for_transform("long")
    assert job["TransformJobStatus"] == "Failed"
    assert "the model server has ended (killed by SIGKILL" in job["FailureReason"]
