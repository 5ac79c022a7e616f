"""Killing any process of any kind of work at any moment, and what the service says of it."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ENDLESS,
    Cloud,
    descendants,
    make_table,
    to_csv,
    until,
    variant,
)
from tests.localcloud.sagemaker.resources import test_processing_jobs, test_tuning_jobs

# All of these take far longer than any moment at which they are killed.
_ROWS = 20_000


@dataclass(frozen=True)
class Outcome:
    """How something ended.

    Attributes:
        status: Its final status.
        reason: What the service says about it.
        left: Processes of it that are left.
    """

    status: str
    reason: str
    left: list[int]


def prepare(cloud: Cloud) -> None:
    """Makes what the kinds of work need."""
    cloud.create_model("trained", job="trained")
    cloud.put("kills/rows.csv", to_csv(make_table(_ROWS)[:, 1:]))
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName="killed", ProductionVariants=[variant("AllTraffic", "trained")]
    )


def training(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """One host."""
    cloud.start_training(name, HyperParameters=ENDLESS)
    return lambda: _training(cloud, name)


def hosts(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """Two hosts joined by the library's own collective."""
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}
    cloud.start_training(name, HyperParameters=ENDLESS, ResourceConfig=resources)
    return lambda: _training(cloud, name)


def _training(cloud: Cloud, name: str) -> tuple[str, str]:
    job = cloud.describe_training(name)
    return job["TrainingJobStatus"], job.get("FailureReason", "")


def transform(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """A model server that is sent one row after the other."""
    request = cloud.transform_request(name, BatchStrategy="SingleRecord")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/kills/"
    cloud.sagemaker.create_transform_job(**request)

    def look() -> tuple[str, str]:
        job = cloud.sagemaker.describe_transform_job(TransformJobName=name)
        return job["TransformJobStatus"], job.get("FailureReason", "")

    return look


def endpoint(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """A model server that is starting, or in service."""
    cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="killed")
    return lambda: _endpoint(cloud, name)


def update(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """The old or the new model server of an endpoint that is being updated."""
    cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="killed")
    cloud.wait_for_endpoint(name)
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="killed")
    return lambda: _endpoint(cloud, name)


def _endpoint(cloud: Cloud, name: str) -> tuple[str, str]:
    found = cloud.sagemaker.describe_endpoint(EndpointName=name)
    return found["EndpointStatus"], found.get("FailureReason", "")


def processing(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """A command, or one that it has started and whose failure is its own."""
    code = "import subprocess; subprocess.run(['sleep', '60'], check=True)"
    request = test_processing_jobs.request_for(
        name, **test_processing_jobs.running("python3", "-c", code)
    )
    cloud.sagemaker.create_processing_job(**request)

    def look() -> tuple[str, str]:
        job = cloud.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job["ProcessingJobStatus"], job.get("FailureReason", "")

    return look


def tuning(cloud: Cloud, name: str) -> Callable[[], tuple[str, str]]:
    """The only training job of a tuning job."""
    config = test_tuning_jobs.configuration(
        most=1, ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    )
    given = test_tuning_jobs.without_metric(ENDLESS)
    request = test_tuning_jobs.request_for(name, config, StaticHyperParameters=given)
    cloud.sagemaker.create_hyper_parameter_tuning_job(**request)

    def look() -> tuple[str, str]:
        job: dict[str, Any] = cloud.sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        return job["HyperParameterTuningJobStatus"], job.get("FailureReason", "")

    return look


def _victims(cloud: Cloud) -> list[int]:
    """Everything that runs, but for what only waits to end the rest: a command's guard."""
    found = descendants(cloud.process.pid)
    if not found:
        return []
    asked = ["ps", "-ww", "-o", "pid=,pgid=,args=", "-p", ",".join(map(str, found))]
    lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    shown = [line.split(None, 2) for line in lines]
    return [
        int(pid)
        for pid, group, arguments in shown
        if pid == group or "containers.command" not in arguments
    ]


KINDS = (training, hosts, transform, endpoint, update, processing, tuning)
_GOING = ("InProgress", "Creating", "Updating", "RollingBack", "InService")


def kill(
    cloud: Cloud, kind: Callable[..., Callable[[], tuple[str, str]]], name: str, *, after: float
) -> Outcome:
    """Starts something, kills one of its processes and waits for what comes of it.

    Args:
        cloud: A service in which nothing else runs.
        kind: One of `KINDS`.
        name: A name that has not been used.
        after: Seconds from its first process to the kill.
    """
    look = kind(cloud, name)
    until(lambda: _victims(cloud))
    time.sleep(after)
    victim = random.Random(name).choice(_victims(cloud))  # noqa: S311 (no secret)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)

    def ended() -> tuple[str, str] | None:
        status, reason = look()
        # An update whose new server was killed goes back to the old one, in service and explained;
        # one whose old server is replaced just then has not been hurt.
        settled = status == "InService" and (reason or kind is update)
        return (status, reason) if settled or status not in _GOING else None

    status, reason = until(ended)
    if kind in (endpoint, update):
        cloud.sagemaker.delete_endpoint(EndpointName=name)
    with suppress(AssertionError):
        until(lambda: not descendants(cloud.process.pid), 10)
    return Outcome(status, reason, descendants(cloud.process.pid))
