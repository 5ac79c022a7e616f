"""What every kind of job shares: being stopped, running out of time, being killed."""

import os
import signal
import tarfile

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ENDLESS,
    Cloud,
    alive,
    descendants,
    refused,
    until,
)


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
