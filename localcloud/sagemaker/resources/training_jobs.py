"""Training jobs: from the request to the model artifact."""

import json
import math
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from localcloud.sagemaker import algorithms, logs, sources
from localcloud.sagemaker.child_processes import Process, describe_exit
from localcloud.sagemaker.errors import ApiError, JobError, invalid
from localcloud.sagemaker.jobs import Ended, Host, Job, Stopped, failure_reason, write_hosts
from localcloud.sagemaker.records import Kind, Record
from localcloud.sagemaker.resources import Request, Resource, only, operation, training_requests
from localcloud.sagemaker.storage import Storage, no_objects, pack, parse_uri
from localcloud.sagemaker.syncing import Mirror

TRAINING_JOB = Kind(
    noun="training job",
    segment="training-job",
    prefix="TrainingJob",
    status="TrainingJobStatus",
    missing=lambda _, __: invalid("Requested resource not found."),
    duplicate=lambda _, arn: ApiError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({arn}).",
    ),
)
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


@dataclass(frozen=True)
class _Run:
    """A job that runs, and all that its steps share."""

    record: Record
    job: Job
    image: algorithms.Image
    hosts: list[Host]
    storage: Storage

    @property
    def members(self) -> dict[str, Any]:
        return self.record.members


class TrainingJobs(Resource):
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob."""

    @operation
    def create_training_job(self, request: Request) -> dict[str, Any]:
        """Starts a job after the checks that the service makes at once."""
        self.check(request)
        return {"TrainingJobArn": self.begin(request, {}).arn}

    def check(self, request: Request) -> None:
        """The checks that the service makes at once, but for the name being taken.

        Raises:
            ApiError: The request is refused.
        """
        training_requests.check(request)
        image = algorithms.find(request["AlgorithmSpecification"]["TrainingImage"])
        image.check_environment(request.get("Environment", {}))
        if self.store.find(TRAINING_JOB, request["TrainingJobName"]) is None:
            self._check_inputs(request)

    def begin(self, request: Request, more: dict[str, Any]) -> Record:
        """Starts a job that has been checked.

        Args:
            request: A request for CreateTrainingJob.
            more: Further members of the job, of a tuning job for instance.

        Raises:
            ApiError: The name is taken.
        """
        image = algorithms.find(request["AlgorithmSpecification"]["TrainingImage"])
        name = request["TrainingJobName"]
        now = datetime.now(UTC)
        members = {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **request,
            **more,
            **training_requests.described(request, image),
            "StoppingCondition": {
                "MaxRuntimeInSeconds": training_requests.LONGEST_SECONDS,
                **request.get("StoppingCondition", {}),
            },
            "ModelArtifacts": {"S3ModelArtifacts": str(_output(request).child("model.tar.gz"))},
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [
                {
                    "Status": "Starting",
                    "StartTime": now,
                    "StatusMessage": _MESSAGES["Starting"],
                }
            ],
        }
        with self.store.lock:
            record = self.store.create(TRAINING_JOB, name, members, request.get("Tags", []))
            hosts = self.platform.hosts(record, request["ResourceConfig"]["InstanceCount"])
            folder = self.platform.settings.jobs / TRAINING_JOB.segment / name
            job = Job(self.platform, folder)
            record.runtime = job
        self.platform.start(record, lambda: self._run(record, job, image, hosts))
        return record

    def _check_inputs(self, request: Request) -> None:
        storage = self.platform.storage_of(request["RoleArn"])
        for channel in request.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            if not storage.has_objects(training_requests.location(uri)):
                region, role = self.platform.settings.region, request["RoleArn"]
                raise invalid(no_objects(uri, region=region, role=role))

    def _run(self, record: Record, job: Job, image: algorithms.Image, hosts: list[Host]) -> None:
        """A job's whole life. However it goes, it reaches a final state."""
        speakers: list[Host] = []

        def heard(host: Host, lines: list[str]) -> None:
            found = image.algorithm.series(lines)
            # Every host that trains logs the same: the first who does speaks for all.
            if found and host in (speakers or [host]):
                speakers[:] = [host]
                self.platform.metrics.put(record.name, found)

        tails = [
            self.platform.logs.follow(
                host.folder / "log",
                logs.TRAINING,
                logs.stream_of(record.name, host.name),
                partial(heard, host),
            )
            for host in hosts
        ]
        try:
            storage = self.platform.storage_of(record.members["RoleArn"])
            job.pause("training")
            with job.slot():
                status, reason = self._train(_Run(record, job, image, hosts, storage))
        except Stopped:
            status, reason = "Stopped", None
        except JobError as error:
            status, reason = "Failed", str(error)
        except ApiError as error:
            status, reason = "Failed", f"ClientError: {error.message}"
        except Exception as error:  # noqa: BLE001 (a job must not hang, whatever has happened)
            status, reason = "Failed", f"InternalServerError: {error!r}"
        if reason:
            job.log(reason)
        for tail in tails:
            # Clients read the log's end as soon as they see the job's.
            tail.finish()
        self._finish(record, job, status, reason)

    def _train(self, run: _Run) -> tuple[str, str | None]:
        """Downloads, trains and uploads; returns the final secondary status and the failure."""
        record, job = run.record, run.job
        self._enter(record, "Downloading")
        self._download(run)
        _write_config(run.members, run.hosts)
        job.pause("training")
        self._enter(
            record,
            "Training",
            f"Training image download completed. Training in progress. {run.image.note}",
        )
        with self.store.lock:
            record.members["TrainingStartTime"] = datetime.now(UTC)
        with ExitStack() as mirrors:
            for mirror in _checkpoints(run):
                mirrors.enter_context(mirror)
            ended = self._containers(run)
        self._read_metrics(run)
        reason = None
        if ended.code != 0 and not ended.late and not job.stopping.is_set():
            text = failure_reason(ended.host.folder) or "the container left no message"
            place = f" ({ended.host.name})" if len(run.hosts) > 1 else ""
            reason = f"AlgorithmError: {text}, {describe_exit(ended.code)}{place}"
        # What the container has left is uploaded however it ended, as on AWS.
        job.linger("training")
        self._enter(record, "Uploading")
        job.linger("training")
        self._upload(run)
        if reason:
            return "Failed", reason
        for host in run.hosts:
            # The inputs are in S3; a copy of each job's would fill the disk. A failed job keeps
            # them.
            shutil.rmtree(host.folder / "input" / "data", ignore_errors=True)
        return ("MaxRuntimeExceeded" if ended.late else "Completed"), None

    def _containers(self, run: _Run) -> Ended:
        """Runs one container a host."""
        (run.job.folder / "container.json").write_text(
            json.dumps(
                {
                    "image": run.image.uri,
                    "image_library": f"{run.image.algorithm.library} {run.image.version}",
                    "library": f"{run.image.algorithm.library} {run.image.algorithm.installed()}",
                }
            )
        )
        run.job.log(run.image.note)
        processes = {host: self._start(run, host) for host in run.hosts}
        seconds = run.members["StoppingCondition"]["MaxRuntimeInSeconds"]
        return run.job.wait(processes, seconds)

    def _start(self, run: _Run, host: Host) -> Process:
        environment = {
            "AWS_REGION": self.platform.settings.region,
            "TRAINING_JOB_NAME": run.record.name,
            "TRAINING_JOB_ARN": run.record.arn,
            # Jobs share this machine's cores: spinning threads would slow each other down.
            "OMP_WAIT_POLICY": "PASSIVE",
            **run.members.get("Environment", {}),
            "SAGEMAKER_BASE_DIR": str(host.folder),
        }
        if len(run.hosts) > 1:
            threads = max(1, (os.cpu_count() or 1) // len(run.hosts))
            environment.setdefault("OMP_NUM_THREADS", str(threads))
            # Hosts are names in a network of their own on AWS; here they meet in a folder.
            environment["SAGEMAKER_CLUSTER_DIR"] = str(run.job.folder)
        process = self.platform.processes.start(
            run.image.algorithm.container,
            ["--image-tag", run.image.tag, "train"],
            folder=host.folder,
            environment=environment,
        )
        run.job.attach(process)
        return process

    def _download(self, run: _Run) -> None:
        region = self.platform.settings.region
        size = run.members["ResourceConfig"]["VolumeSizeInGB"]
        volumes = [sources.Volume(size) for _ in run.hosts]
        mode = run.members["AlgorithmSpecification"]["TrainingInputMode"]
        for channel in run.members["InputDataConfig"]:
            is_stored = channel.get("InputMode", mode) == "File"
            source = channel["DataSource"]["S3DataSource"]
            items = sources.resolve(run.storage, source, region=region, role=run.members["RoleArn"])
            for number, host in enumerate(run.hosts):
                mine = sources.share(
                    items, source.get("S3DataDistributionType"), number, len(run.hosts)
                )
                target = host.folder / "input" / "data" / channel["ChannelName"]
                sources.download(
                    run.storage, mine, target, volume=volumes[number] if is_stored else None
                )
                if run.job.stopping.is_set():
                    raise Stopped

    def _upload(self, run: _Run) -> None:
        output = _output(run.members)
        for part, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
            archive = run.job.folder / name
            if pack([host.folder / part for host in run.hosts], archive):
                run.storage.put(archive, output.child(name))
                archive.unlink()

    def _read_metrics(self, run: _Run) -> None:
        now = datetime.now(UTC)
        for host in run.hosts:
            log = (host.folder / "log").read_text(errors="replace")
            metrics = [
                {"MetricName": name, "Value": value, "Timestamp": now}
                for name, value in run.image.algorithm.metrics(log).items()
                # JSON has no NaN.
                if math.isfinite(value)
            ]
            if metrics:
                # Every host that trains logs the same.
                self.store.update(run.record, FinalMetricDataList=metrics)
                return

    def _enter(self, record: Record, status: str, message: str | None = None) -> None:
        """Goes to the next secondary status, unless the job is being stopped."""
        with self.store.lock:
            if record.members["SecondaryStatus"] != "Stopping":
                self._transition(record, status, message)

    def _transition(self, record: Record, status: str, message: str | None = None) -> None:
        now = datetime.now(UTC)
        transitions = record.members["SecondaryStatusTransitions"]
        transitions[-1]["EndTime"] = now
        transitions.append(
            {
                "Status": status,
                "StartTime": now,
                "StatusMessage": message or _MESSAGES[status],
            }
        )
        self.store.update(record, SecondaryStatus=status)

    def _finish(self, record: Record, job: Job, status: str, reason: str | None) -> None:
        with self.store.lock:
            if reason is None and job.stopping.is_set():
                # Stopped after training had ended: the client has asked for Stopped.
                status = "Stopped"
            self._transition(record, status, reason)
            last = record.members["SecondaryStatusTransitions"][-1]
            now = last["EndTime"] = last["StartTime"]
            members: dict[str, Any] = {
                "TrainingJobStatus": status if status in ("Completed", "Failed") else "Stopped",
                "TrainingEndTime": now,
            }
            if started := record.members.get("TrainingStartTime"):
                seconds = max(1, round((now - started).total_seconds()))
                members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
            if reason:
                members["FailureReason"] = reason[:1024]
            self.store.update(record, **members)

    @operation
    def describe_training_job(self, request: Request) -> dict[str, Any]:
        """Describes a job."""
        return self.store.describe(TRAINING_JOB, request["TrainingJobName"])

    @operation
    def list_training_jobs(self, request: Request) -> dict[str, Any]:
        """Lists jobs."""
        only("ListTrainingJobs", request, _LISTED)
        return self.listing(TRAINING_JOB, request, "TrainingJobSummaries", ascending=True)

    @operation
    def stop_training_job(self, request: Request) -> dict[str, Any]:
        """Tells a job to stop; what it has left in its model folder is uploaded."""
        return self.stop(TRAINING_JOB, request, lambda record: self._transition(record, "Stopping"))


_LISTED = (
    "NextToken",
    "MaxResults",
    "CreationTimeAfter",
    "CreationTimeBefore",
    "LastModifiedTimeAfter",
    "LastModifiedTimeBefore",
    "NameContains",
    "StatusEquals",
    "SortBy",
    "SortOrder",
)


def _checkpoints(run: _Run) -> list[Mirror]:
    """Each host's checkpoint folder as a mirror of the S3 prefix."""
    config = run.members.get("CheckpointConfig")
    if config is None:
        return []
    path = config.get("LocalPath", training_requests.CHECKPOINTS).removeprefix(
        training_requests.BASE
    )
    place = parse_uri(config["S3Uri"])
    return [Mirror(run.storage, host.folder / path, place, fetch=True) for host in run.hosts]


def _output(members: dict[str, Any]) -> Any:
    path = training_requests.location(members["OutputDataConfig"]["S3OutputPath"])
    return path.child(f"{members['TrainingJobName']}/output")


def _write_config(members: dict[str, Any], hosts: Sequence[Host]) -> None:
    """The configuration files of the container contract.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    channels = {
        channel["ChannelName"]: {
            # A channel without a content type has no such key: the container has its default.
            **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}),
            "TrainingInputMode": "File",
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": "None",
        }
        for channel in members["InputDataConfig"]
    }
    write_hosts(hosts, members["ResourceConfig"]["InstanceType"], "input/config")
    for host in hosts:
        files: dict[str, Any] = {
            "hyperparameters.json": members.get("HyperParameters", {}),
            "inputdataconfig.json": channels,
        }
        if config := members.get("CheckpointConfig"):
            path = config.get("LocalPath", training_requests.CHECKPOINTS).removeprefix(
                training_requests.BASE
            )
            files["checkpointconfig.json"] = {"LocalPath": str(host.folder / path)}
        for name, content in files.items():
            (host.folder / "input" / "config" / name).write_text(json.dumps(content))
