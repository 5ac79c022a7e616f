"""Jobs that fail, are stopped or killed: each ends in a state that says why."""

import os
import signal
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ENDLESS,
    HYPERPARAMETERS,
    ROOT,
    Cloud,
    alive,
    channel,
    descendants,
    make_table,
    refused,
    start,
    stop,
    to_csv,
    until,
)


@pytest.fixture
def own_cloud(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process of the test's own, which it may kill."""
    running = start(s3_url, tmp_path, "--stop-grace=0.5")
    running.create_model("trained", job="trained")
    yield running
    if running.process.poll() is None:
        stop(running)
    elif running.process.stdout is not None:
        running.process.stdout.close()


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


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("label,a,b\n1,2,3\n0,1,2\n", "The file must have no header"),
        ("1,2,3\n0,1\n", "different numbers of columns: [2, 3]"),
        ("1\n0\n1\n", "leave no feature beside the label"),
        ("2,1,3\n0,1,2\n0,3,4\n0,5,6\n", "for logistic regression"),
    ],
)
def test_wrong_data_fails_the_job(
    cloud: Cloud, body: str, reason: str, request: pytest.FixtureRequest
) -> None:
    """A file that is no CSV with the label first fails the job, quoting what is wrong."""
    name = f"data-{zlib.crc32(request.node.name.encode())}"
    cloud.put(f"{name}/train.csv", body)
    job = cloud.train(
        name,
        InputDataConfig=[channel("train", f"{name}/")],
        HyperParameters={"num_round": "2", "objective": "binary:logistic"},
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ([channel("test", "train/")], "Missing required channel: train"),
        (
            [channel("train", "train/"), channel("test", "train/")],
            "Extraneous channel found: test",
        ),
        ([channel("train", "train/", "image/png")], "configuration for 'train' channel is not"),
        (
            [channel("train", "train/", "application/x-recordio-protobuf")],
            "is not available locally",
        ),
    ],
)
def test_wrong_channels_fail_the_job(
    cloud: Cloud,
    channels: list[dict[str, Any]],
    reason: str,
    request: pytest.FixtureRequest,
) -> None:
    """The container knows train and validation, and its content types."""
    job = cloud.train(
        f"channels-{zlib.crc32(request.node.name.encode())}", InputDataConfig=channels
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_a_stopped_job_ends_stopped(own_cloud: Cloud) -> None:
    """StopTrainingJob leads over Stopping to Stopped, and a second stop is then refused."""
    own_cloud.start_training("stopped", HyperParameters=ENDLESS)
    own_cloud.wait_for_secondary_status("stopped", "Training")

    own_cloud.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = own_cloud.wait_for_training("stopped")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    statuses = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert statuses[-2:] == ["Stopping", "Stopped"]
    assert "FailureReason" not in job
    assert refused(lambda: own_cloud.sagemaker.stop_training_job(TrainingJobName="stopped")) == (
        "ValidationException",
        "The request was rejected because the training job is in status Stopped.",
    )


def test_a_job_can_be_stopped_before_it_trains(slow_cloud: Cloud) -> None:
    """A job stopped while Starting never trains."""
    slow_cloud.start_training("early")
    slow_cloud.sagemaker.stop_training_job(TrainingJobName="early")
    assert slow_cloud.describe_training("early")["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = slow_cloud.wait_for_training("early")
    assert job["TrainingJobStatus"] == "Stopped"
    assert "TrainingStartTime" not in job


def test_delays_make_states_visible(slow_cloud: Cloud) -> None:
    """With a delay, each secondary status lasts at least that long."""
    job = slow_cloud.train("slow")
    assert job["TrainingJobStatus"] == "Completed"
    for step in job["SecondaryStatusTransitions"][:-1]:
        assert (step["EndTime"] - step["StartTime"]).total_seconds() >= 0.5, step["Status"]


def test_the_longest_runtime_stops_a_job(own_cloud: Cloud) -> None:
    """MaxRuntimeInSeconds ends a job Stopped, as MaxRuntimeExceeded, with the model so far.

    A busy machine needs more than a second for the first round.
    """
    job = own_cloud.train(
        "overtime",
        HyperParameters={**ENDLESS, "save_model_on_termination": "true"},
        StoppingCondition={"MaxRuntimeInSeconds": 4},
    )
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    archive = own_cloud.jobs.parent / "model.tar.gz"
    own_cloud.s3.download_file(BUCKET, "model/overtime/output/model.tar.gz", str(archive))
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["xgboost-model"]


def test_a_killed_training_process_fails_its_job(own_cloud: Cloud) -> None:
    """SIGKILL to a training process ends the job Failed, naming the signal."""
    own_cloud.start_training("killed", HyperParameters=ENDLESS)
    own_cloud.wait_for_secondary_status("killed", "Training")
    (child,) = until(lambda: descendants(own_cloud.process.pid))

    os.kill(child, signal.SIGKILL)
    job = own_cloud.wait_for_training("killed")

    assert job["TrainingJobStatus"] == "Failed"
    assert "killed by SIGKILL, exit code: 137" in job["FailureReason"]


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_service(own_cloud: Cloud, number: signal.Signals) -> None:
    """However the process ends, its jobs and model servers end with it."""
    own_cloud.start_training("running", HyperParameters=ENDLESS)
    own_cloud.create_endpoint("running", model="trained")
    own_cloud.wait_for_endpoint("running")
    own_cloud.wait_for_secondary_status("running", "Training")
    children = until(
        lambda: found if len(found := descendants(own_cloud.process.pid)) == 2 else None
    )

    own_cloud.process.send_signal(number)
    own_cloud.process.wait(10)

    until(lambda: not any(alive(child) for child in children), 5)


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
