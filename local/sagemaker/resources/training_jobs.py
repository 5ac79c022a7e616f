"""Training jobs: from the request to the model artifact."""

import json
import math
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.sagemaker import algorithms
from local.sagemaker.errors import ApiError, JobError, invalid, not_available
from local.sagemaker.jobs import Job, Stopped, failure_reason
from local.sagemaker.processes import describe_exit
from local.sagemaker.records import Kind, Record
from local.sagemaker.storage import no_objects, pack, parse_uri

from . import Request, Resource, only, operation, value_of

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
_SUPPORTED = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification.TrainingImage",
    "AlgorithmSpecification.TrainingInputMode",
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
    # The built-in algorithms' own definitions apply whatever is given here, as on AWS.
    "AlgorithmSpecification.MetricDefinitions",
    "RoleArn",
    "InputDataConfig.ChannelName",
    "InputDataConfig.DataSource.S3DataSource.S3DataType",
    "InputDataConfig.DataSource.S3DataSource.S3Uri",
    "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
    "InputDataConfig.ContentType",
    "InputDataConfig.CompressionType",
    "InputDataConfig.RecordWrapperType",
    "InputDataConfig.InputMode",
    "OutputDataConfig.KmsKeyId",
    "OutputDataConfig.S3OutputPath",
    "OutputDataConfig.CompressionType",
    "ResourceConfig.InstanceType",
    "ResourceConfig.InstanceCount",
    "ResourceConfig.VolumeSizeInGB",
    "ResourceConfig.VolumeKmsKeyId",
    "ResourceConfig.KeepAlivePeriodInSeconds",
    "VpcConfig",
    "StoppingCondition",
    "Tags",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    # These observe a job without changing its model. Rules, which may stop it, are refused.
    "DebugHookConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "TensorBoardOutputConfig",
    "Environment",
    "RetryStrategy",
    "SessionChainingConfig",
    "InfraCheckConfig",
)
_DAY = 86_400
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


class TrainingJobs(Resource):
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob."""

    @operation
    def create_training_job(self, request: Request) -> dict[str, Any]:
        """Starts a job after the checks that the service makes at once."""
        _check(request)
        image = algorithms.find(request["AlgorithmSpecification"]["TrainingImage"])
        image.check_environment(request.get("Environment", {}))
        name = request["TrainingJobName"]
        if self.store.find(TRAINING_JOB, name) is None:
            self._check_inputs(request)
        now = datetime.now(UTC)
        members = {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **request,
            "StoppingCondition": {
                "MaxRuntimeInSeconds": _DAY,
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
            job = Job(self.platform, self.platform.folder(record))
            record.runtime = job
        self.platform.start(record, lambda: self._run(record, job, image))
        return {"TrainingJobArn": record.arn}

    def _check_inputs(self, request: Request) -> None:
        storage = self.platform.storage_of(request["RoleArn"])
        for channel in request.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            if not storage.has_objects(_location(uri)):
                region, role = self.platform.settings.region, request["RoleArn"]
                raise invalid(no_objects(uri, region=region, role=role))

    def _run(self, record: Record, job: Job, image: algorithms.Image) -> None:
        """A job's whole life. However it goes, it reaches a final state."""
        try:
            status, reason = self._train(record, job, image)
        except Stopped:
            status, reason = "Stopped", None
        except JobError as error:
            status, reason = "Failed", str(error)
        except Exception as error:  # noqa: BLE001 (a job must not hang, whatever has happened)
            status, reason = "Failed", f"InternalServerError: {error!r}"
        if reason:
            job.log(reason)
        self._finish(record, job, status, reason)

    def _train(self, record: Record, job: Job, image: algorithms.Image) -> tuple[str, str | None]:
        """Downloads, trains and uploads; returns the final secondary status and the failure."""
        members = record.members
        job.pause("training")
        self._enter(record, "Downloading")
        self._download(members, job)
        _write_config(members, job.folder)
        job.pause("training")
        self._enter(
            record,
            "Training",
            f"Training image download completed. Training in progress. {image.note}",
        )
        with self.store.lock:
            record.members["TrainingStartTime"] = datetime.now(UTC)
        code, late = self._container(record, job, image)
        self._read_metrics(record, job, image)
        reason = None
        if code != 0 and not late and not job.stopping.is_set():
            text = failure_reason(job.folder) or "the container left no message"
            reason = f"AlgorithmError: {text}, {describe_exit(code)}"
        # What the container has left is uploaded however it ended, as on AWS.
        job.linger("training")
        self._enter(record, "Uploading")
        job.linger("training")
        self._upload(members, job)
        if reason:
            return "Failed", reason
        # The inputs are in S3; a copy of each job's would fill the disk. A failed job keeps them.
        shutil.rmtree(job.folder / "input" / "data", ignore_errors=True)
        return ("MaxRuntimeExceeded" if late else "Completed"), None

    def _container(self, record: Record, job: Job, image: algorithms.Image) -> tuple[int, bool]:
        """Runs the container; returns its exit code and whether its time ran out."""
        (job.folder / "container.json").write_text(
            json.dumps(
                {
                    "image": image.uri,
                    "image_library": f"{image.algorithm.library} {image.version}",
                    "library": f"{image.algorithm.library} {image.algorithm.installed()}",
                }
            )
        )
        job.log(image.note)
        process = self.platform.processes.start(
            image.algorithm.container,
            ["--image-tag", image.tag, "train"],
            folder=job.folder,
            environment={
                "AWS_REGION": self.platform.settings.region,
                "TRAINING_JOB_NAME": record.name,
                "TRAINING_JOB_ARN": record.arn,
                # Jobs share this machine's cores: spinning threads would slow each other down.
                "OMP_WAIT_POLICY": "PASSIVE",
                **record.members.get("Environment", {}),
                "SAGEMAKER_BASE_DIR": str(job.folder),
            },
        )
        job.attach(process)
        late = threading.Event()

        def expire() -> None:
            late.set()
            process.stop(self.platform.settings.stop_grace)

        limit = threading.Timer(record.members["StoppingCondition"]["MaxRuntimeInSeconds"], expire)
        limit.daemon = True
        limit.start()
        try:
            code = process.wait()
        finally:
            limit.cancel()
        return code or 0, late.is_set()

    def _download(self, members: dict[str, Any], job: Job) -> None:
        storage = self.platform.storage_of(members["RoleArn"])
        for channel in members.get("InputDataConfig", []):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            target = job.folder / "input" / "data" / channel["ChannelName"]
            target.mkdir()
            if storage.fetch_prefix(_location(uri), target) == 0:
                region = self.platform.settings.region
                raise JobError(
                    f"ClientError: {no_objects(uri, region=region, role=members['RoleArn'])}"
                )
            if job.stopping.is_set():
                raise Stopped

    def _upload(self, members: dict[str, Any], job: Job) -> None:
        output = _output(members)
        storage = self.platform.storage_of(members["RoleArn"])
        for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
            archive = job.folder / name
            if pack(job.folder / folder, archive):
                storage.put(archive, output.child(name))
                archive.unlink()

    def _read_metrics(self, record: Record, job: Job, image: algorithms.Image) -> None:
        log = (job.folder / "log").read_text(errors="replace")
        now = datetime.now(UTC)
        metrics = [
            {"MetricName": name, "Value": value, "Timestamp": now}
            for name, value in image.algorithm.metrics(log).items()
            # JSON has no NaN.
            if math.isfinite(value)
        ]
        if metrics:
            self.store.update(record, FinalMetricDataList=metrics)

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
        with self.store.lock:
            record = self.store.get(TRAINING_JOB, request["TrainingJobName"])
            status = record.members["TrainingJobStatus"]
            if status == "Stopping":
                return {}
            if status != "InProgress":
                raise invalid(
                    f"The request was rejected because the training job is in status {status}."
                )
            self.store.update(record, TrainingJobStatus="Stopping")
            self._transition(record, "Stopping")
            record.runtime.stop()
        return {}


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


def _check(request: Request) -> None:
    """The checks beyond the service model, and what is not offered here."""
    name = "CreateTrainingJob"
    only(name, request, _SUPPORTED)
    for member in ("AlgorithmSpecification", "ResourceConfig", "InputDataConfig"):
        if member not in request:
            raise invalid(f"{name}: {member} is required for the algorithms available locally.")
    algorithm = request["AlgorithmSpecification"]
    if "TrainingImage" not in algorithm:
        raise invalid(f"{name}: AlgorithmSpecification.TrainingImage is required.")
    value_of(name, "TrainingInputMode", algorithm["TrainingInputMode"], ["File", "FastFile"])
    value_of(
        name,
        "OutputDataConfig.CompressionType",
        request["OutputDataConfig"].get("CompressionType"),
        ["GZIP"],
    )
    _check_channels(request["InputDataConfig"])
    resources = request["ResourceConfig"]
    for member in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
        if not resources.get(member):
            raise invalid(f"{name}: ResourceConfig.{member} is required and must be 1 or more.")
    if resources["InstanceCount"] > 1:
        raise not_available(
            f"ResourceConfig.InstanceCount {resources['InstanceCount']} of {name} "
            "(distributed training)",
            "Use 1.",
        )
    _check_stopping(request)
    _location(request["OutputDataConfig"]["S3OutputPath"])


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise invalid("Channel names in InputDataConfig must be unique.")
    for channel in channels:
        place = f"InputDataConfig {channel['ChannelName']}"
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise invalid(f"{place}: DataSource.S3DataSource is required.")
        for path, value, offered in (
            ("S3DataType", source["S3DataType"], ["S3Prefix"]),
            ("CompressionType", channel.get("CompressionType"), ["None"]),
            ("RecordWrapperType", channel.get("RecordWrapperType"), ["None"]),
            ("InputMode", channel.get("InputMode"), ["File", "FastFile"]),
        ):
            value_of("CreateTrainingJob", f"{place}: {path}", value, offered)
        _location(source["S3Uri"])


def _check_stopping(request: Request) -> None:
    condition = request.get("StoppingCondition", {})
    longest = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if longest is None or longest < condition.get("MaxRuntimeInSeconds", _DAY):
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif longest is not None:
        raise invalid(
            "MaxWaitTimeInSeconds is only allowed when EnableManagedSpotTraining is set to true."
        )


def _location(uri: str) -> Any:
    try:
        return parse_uri(uri)
    except ValueError as error:
        raise invalid(str(error)) from error


def _output(members: dict[str, Any]) -> Any:
    path = _location(members["OutputDataConfig"]["S3OutputPath"])
    return path.child(f"{members['TrainingJobName']}/output")


def _write_config(members: dict[str, Any], folder: Path) -> None:
    """The configuration files of the container contract.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    host = "algo-1"
    resources = members["ResourceConfig"]
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
    files = {
        "hyperparameters.json": members.get("HyperParameters", {}),
        "inputdataconfig.json": channels,
        "resourceconfig.json": {
            "current_host": host,
            "hosts": [host],
            "network_interface_name": "lo",
            "current_instance_type": resources["InstanceType"],
            "current_group_name": "homogeneousCluster",
            "instance_groups": [
                {
                    "instance_group_name": "homogeneousCluster",
                    "instance_type": resources["InstanceType"],
                    "hosts": [host],
                }
            ],
        },
    }
    for name, content in files.items():
        (folder / "input" / "config" / name).write_text(json.dumps(content))
