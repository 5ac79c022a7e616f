"""Processing jobs: a command over files from S3, in the container's layout.

There is no container: the command is a process of this machine, and `/opt/ml` is the folder of its
host. Wherever the request names a path below `/opt/ml`, in the command, its arguments or its
environment, the folder's path takes its place, and likewise in the text of the scripts beside the
one that the command runs (the job's own copies). A script that builds such a path from parts finds
its root in the environment variable `SAGEMAKER_BASE_DIR`, which is unset on AWS:
`os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")`.
"""

import json
import os
import re
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from localcloud.sagemaker import logs, sources
from localcloud.sagemaker.child_processes import Process, describe_exit
from localcloud.sagemaker.containers import spark
from localcloud.sagemaker.errors import ApiError, JobError, invalid, not_available
from localcloud.sagemaker.jobs import Ended, Host, Job, Stopped, write_hosts
from localcloud.sagemaker.records import Kind, Record
from localcloud.sagemaker.resources import (
    Request,
    Resource,
    only,
    operation,
    training_requests,
    value_of,
)
from localcloud.sagemaker.storage import Storage, no_objects, parse_uri
from localcloud.sagemaker.syncing import Mirror

PROCESSING_JOB = Kind(
    noun="processing job",
    segment="processing-job",
    prefix="ProcessingJob",
    status="ProcessingJobStatus",
    missing=lambda name, _: invalid(f"Could not find requested job with name: {name}"),
    duplicate=lambda _, arn: ApiError(
        "ResourceInUse",
        "Processing job names must be unique within an AWS account and region, and a processing "
        f"job with this name already exists ({arn}).",
    ),
)
_SUPPORTED = (
    "ProcessingJobName",
    "ProcessingInputs.InputName",
    "ProcessingInputs.S3Input",
    "ProcessingOutputConfig.KmsKeyId",
    "ProcessingOutputConfig.Outputs.OutputName",
    "ProcessingOutputConfig.Outputs.S3Output",
    "ProcessingResources.ClusterConfig.InstanceCount",
    "ProcessingResources.ClusterConfig.InstanceType",
    "ProcessingResources.ClusterConfig.VolumeSizeInGB",
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "Tags",
    "ExperimentConfig",
)
# Images of Python whose libraries this project's environment has too, and the one they are for.
_IMAGES = {"sagemaker-scikit-learn": "scikit-learn", "sagemaker-xgboost": "xgboost-cpu"}
# The one whose library has an environment of its own.
_SPARK = "sagemaker-spark-processing"
_IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+):(?P<tag>[\w.-]+)"
)
_BASE = "/opt/ml"
_BELOW = f"{_BASE}/processing/"
# The base itself or what is below it, and no other folder whose name begins alike.
_BASE_IN_TEXT = re.compile(rf"{_BASE}(?![\w.-])")
_LAYOUT = ("config", "output", "processing")
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")
_SCRIPTS = (".py", ".sh")
_DAY = 86_400
_MOST_HOSTS = 20


@dataclass(frozen=True)
class _Run:
    """A job that runs, and all that its steps share."""

    record: Record
    job: Job
    hosts: list[Host]
    storage: Storage

    @property
    def members(self) -> dict[str, Any]:
        return self.record.members

    @property
    def outputs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.members.get("ProcessingOutputConfig", {}).get(
            "Outputs", []
        )
        return found


class ProcessingJobs(Resource):
    """CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs, StopProcessingJob."""

    @operation
    def create_processing_job(self, request: Request) -> dict[str, Any]:
        """Starts a job after the checks that the service makes at once."""
        _check(request)
        name = request["ProcessingJobName"]
        if self.store.find(PROCESSING_JOB, name) is None:
            self._check_inputs(request)
        members = {
            **request,
            "StoppingCondition": {
                "MaxRuntimeInSeconds": _DAY,
                **request.get("StoppingCondition", {}),
            },
            "ProcessingJobStatus": "InProgress",
        }
        count = request["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        with self.store.lock:
            record = self.store.create(PROCESSING_JOB, name, members, request.get("Tags", []))
            hosts = self.platform.hosts(record, count, _LAYOUT)
            folder = self.platform.settings.jobs / PROCESSING_JOB.segment / name
            job = Job(self.platform, folder)
            record.runtime = job
        self.platform.start(record, lambda: self._run(record, job, hosts))
        return {"ProcessingJobArn": record.arn}

    def _check_inputs(self, request: Request) -> None:
        storage = self.platform.storage_of(request["RoleArn"])
        for item in request.get("ProcessingInputs", []):
            uri = item["S3Input"]["S3Uri"]
            if not storage.has_objects(_location(uri)):
                region, role = self.platform.settings.region, request["RoleArn"]
                raise invalid(no_objects(uri, region=region, role=role))

    def _run(self, record: Record, job: Job, hosts: list[Host]) -> None:
        """A job's whole life. However it goes, it reaches a final state."""
        tails = [
            self.platform.logs.follow(
                host.folder / "log", logs.PROCESSING, logs.stream_of(record.name, host.name)
            )
            for host in hosts
        ]
        status, reason = "Completed", None
        try:
            storage = self.platform.storage_of(record.members["RoleArn"])
            with job.slot():
                status, reason = self._process(_Run(record, job, hosts, storage))
        except Stopped:
            status = "Stopped"
        except JobError as error:
            status, reason = "Failed", str(error)
        except ApiError as error:
            status, reason = "Failed", f"ClientError: {error.message}"
        except Exception as error:  # noqa: BLE001 (a job must not hang, whatever has happened)
            status, reason = "Failed", f"InternalServerError: {error!r}"
        if reason:
            job.log(reason)
        for tail in tails:
            tail.finish()
        with self.store.lock:
            if job.stopping.is_set():
                status, reason = "Stopped", None
            members: dict[str, Any] = {
                "ProcessingJobStatus": status,
                "ProcessingEndTime": datetime.now(UTC),
            }
            if reason:
                members["FailureReason"] = reason[:1024]
            self.store.update(record, **members)

    def _process(self, run: _Run) -> tuple[str, str | None]:
        """Downloads, runs and uploads; returns the final status and the failure."""
        job = run.job
        self._download(run)
        if job.stopping.is_set():
            raise Stopped
        for place in run.outputs:
            for host in run.hosts:
                mapped(place["S3Output"]["LocalPath"], host).mkdir(parents=True, exist_ok=True)
        with self.store.lock:
            run.members["ProcessingStartTime"] = datetime.now(UTC)
        with ExitStack() as mirrors:
            for mirror in self._mirrors(run, "Continuous"):
                mirrors.enter_context(mirror)
            ended = self._commands(run)
        self._read_message(run, ended)
        if job.stopping.is_set():
            raise Stopped
        if ended.late:
            return "Stopped", None
        if ended.code != 0:
            how = describe_exit(ended.code)
            where = f" ({ended.host.name})" if len(run.hosts) > 1 else ""
            return "Failed", f"AlgorithmError: See job logs for more information, {how}{where}"
        for mirror in self._mirrors(run, "EndOfJob"):
            mirror.send()
        return "Completed", None

    def _download(self, run: _Run) -> None:
        region = self.platform.settings.region
        size = run.members["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"]
        volumes = [sources.Volume(size) for _ in run.hosts]
        for item in run.members.get("ProcessingInputs", []):
            source = item["S3Input"]
            items = sources.resolve(run.storage, source, region=region, role=run.members["RoleArn"])
            for number, host in enumerate(run.hosts):
                distribution = source.get("S3DataDistributionType")
                mine = sources.share(items, distribution, number, len(run.hosts))
                target = mapped(source["LocalPath"], host)
                sources.download(run.storage, mine, target, volume=volumes[number])

    def _mirrors(self, run: _Run, mode: str) -> list[Mirror]:
        return [
            Mirror(
                run.storage,
                mapped(place["S3Output"]["LocalPath"], host),
                parse_uri(place["S3Output"]["S3Uri"]),
                fetch=False,
            )
            for place in run.outputs
            if place["S3Output"]["S3UploadMode"] == mode
            for host in run.hosts
        ]

    def _commands(self, run: _Run) -> Ended:
        cluster = run.members["ProcessingResources"]["ClusterConfig"]
        write_hosts(run.hosts, cluster["InstanceType"], "config")
        config = {
            name: run.members[name]
            for name in (
                "ProcessingJobArn",
                "ProcessingJobName",
                "ProcessingInputs",
                "ProcessingOutputConfig",
                "ProcessingResources",
                "RoleArn",
                "StoppingCondition",
                "AppSpecification",
                "Environment",
            )
            if name in run.members
        }
        for host in run.hosts:
            text = _BASE_IN_TEXT.sub(str(host.folder), json.dumps(config))
            (host.folder / "config" / "processingjobconfig.json").write_text(text)
        processes = {host: self._start(run, host) for host in run.hosts}
        return run.job.wait(processes, run.members["StoppingCondition"]["MaxRuntimeInSeconds"])

    def _start(self, run: _Run, host: Host) -> Process:
        application = run.members["AppSpecification"]
        words = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        command = [_BASE_IN_TEXT.sub(str(host.folder), word) for word in words]
        _map_scripts(command, host)
        if _PYTHON.fullmatch(command[0]):
            command[0] = str(_interpreter(application["ImageUri"]))
        (host.folder / "log").write_text(f"{_note(application['ImageUri'])}\n")
        told = host.folder / "config" / "command.json"
        content = {
            "command": command,
            "environment": self._environment(run, host),
            "folder": str(host.folder),
        }
        told.write_text(json.dumps(content))
        process = self.platform.processes.start(
            f"{__package__.rpartition('.')[0]}.containers.command",
            [str(told)],
            folder=host.folder,
            environment={},
        )
        run.job.attach(process)
        return process

    def _environment(self, run: _Run, host: Host) -> dict[str, str]:
        """The command's variables; none of this process's but PATH."""
        settings = self.platform.settings
        image = run.members["AppSpecification"]["ImageUri"]
        # Scripts that call `python3` mean the one with the libraries.
        path = [str(_interpreter(image).parent), os.environ.get("PATH", os.defpath)]
        if _repository(image) == _SPARK:
            path.insert(0, str(spark.PROGRAMS))
        environment = {
            "PATH": os.pathsep.join(path),
            "LANG": "C.UTF-8",
            "HOME": str(host.folder),
            "PYTHONUNBUFFERED": "1",
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            # A local cloud has no instance to ask for credentials.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        isolated = run.members.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        if settings.aws_endpoint and not isolated:
            # The role's, where roles are assumed: its permissions decide inside the job, too.
            environment |= {"AWS_ENDPOINT_URL": settings.aws_endpoint, **run.storage.credentials}
        given = run.members.get("Environment", {})
        environment |= {
            name: _BASE_IN_TEXT.sub(str(host.folder), value) for name, value in given.items()
        }
        return environment | {"SAGEMAKER_BASE_DIR": str(host.folder)}

    def _read_message(self, run: _Run, ended: Ended) -> None:
        """What the command has left for the job's description, one kilobyte of it."""
        for host in (ended.host, *run.hosts):
            with suppress(OSError):
                text = (host.folder / "output" / "message").read_text(errors="replace")
                self.store.update(run.record, ExitMessage=text[:1024])
                return

    @operation
    def describe_processing_job(self, request: Request) -> dict[str, Any]:
        """Describes a job."""
        return self.store.describe(PROCESSING_JOB, request["ProcessingJobName"])

    @operation
    def list_processing_jobs(self, request: Request) -> dict[str, Any]:
        """Lists jobs."""
        return self.listing(PROCESSING_JOB, request, "ProcessingJobSummaries", ascending=True)

    @operation
    def stop_processing_job(self, request: Request) -> dict[str, Any]:
        """Tells a job to stop; outputs already uploaded stay."""
        return self.stop(PROCESSING_JOB, request)


def mapped(path: str, host: Host) -> Path:
    """Where a path of the container lies on this machine."""
    return Path(_BASE_IN_TEXT.sub(str(host.folder), path))


def _map_scripts(command: list[str], host: Host) -> None:
    """Maps the paths in the scripts that lie beside those the command names."""
    named = (Path(word) for word in command if word.startswith(f"{host.folder}{os.sep}"))
    folders = {path.parent for path in named if path.is_file() and path.suffix in _SCRIPTS}
    scripts = {path for folder in folders for path in folder.rglob("*") if path.suffix in _SCRIPTS}
    for script in sorted(scripts):
        with suppress(UnicodeDecodeError):
            text = script.read_text()
            script.write_text(_BASE_IN_TEXT.sub(str(host.folder), text))


def _note(uri: str) -> str:
    """Which library really runs, for the log."""
    repository = _repository(uri)
    if repository == _SPARK:
        return f"Instead of the image {uri}, PySpark {spark.version()} runs here."
    name = _IMAGES[repository]
    python, version = sys.version.split()[0], metadata.version(name)
    return f"Instead of the image {uri}, Python {python} with {name} {version} runs here."


def _repository(uri: str) -> str:
    """The repository of an image that has been checked."""
    match = _IMAGE.fullmatch(uri)
    return match["repository"] if match else ""


def _interpreter(uri: str) -> Path:
    """The Python that an image stands for here."""
    python = spark.python() if _repository(uri) == _SPARK else None
    return python or Path(sys.executable)


def _check(request: Request) -> None:
    """The checks beyond the service model, and what is not offered here."""
    name = "CreateProcessingJob"
    only(name, request, _SUPPORTED)
    application = request["AppSpecification"]
    uri = application["ImageUri"]
    offered = (*_IMAGES, _SPARK)
    if _repository(uri) not in offered:
        raise not_available(
            f'The image "{uri}"', f"Images of these ECR repositories are: {', '.join(offered)}."
        )
    if _repository(uri) == _SPARK and spark.python() is None:
        raise not_available(
            f'The image "{uri}" without PySpark in {spark.ENVIRONMENT}',
            f"Run `{spark.INSTALL}` in the project's folder: it installs PySpark and its Java.",
        )
    if not application.get("ContainerEntrypoint"):
        raise not_available(
            f"{name} without AppSpecification.ContainerEntrypoint",
            "Give the command: there is no image to take it from.",
        )
    cluster = request["ProcessingResources"]["ClusterConfig"]
    for member in ("InstanceType", "InstanceCount"):
        if not cluster.get(member):
            raise invalid(f"{name}: ClusterConfig.{member} is required and must be 1 or more.")
    if cluster["InstanceCount"] > _MOST_HOSTS:
        raise not_available(
            f"ClusterConfig.InstanceCount {cluster['InstanceCount']} of {name}",
            f"Use {_MOST_HOSTS} or fewer: each is a process on this machine.",
        )
    training_requests.check_volume(name, cluster["VolumeSizeInGB"], "processing")
    _check_places(request)


def _check_places(request: Request) -> None:
    names = [item["InputName"] for item in request.get("ProcessingInputs", [])]
    names += [
        item["OutputName"] for item in request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    ]
    if len(set(names)) != len(names):
        raise invalid("Names in ProcessingInputs and ProcessingOutputConfig must be unique.")
    for item in request.get("ProcessingInputs", []):
        place = f"ProcessingInputs {item['InputName']}"
        if "S3Input" not in item:
            raise invalid(f"{place}: S3Input is required.")
        source = item["S3Input"]
        value_of(
            "CreateProcessingJob", f"{place}: S3InputMode", source.get("S3InputMode"), ["File"]
        )
        # AWS decompresses in Pipe mode only.
        value_of(
            "CreateProcessingJob",
            f"{place}: S3CompressionType",
            source.get("S3CompressionType"),
            ["None"],
        )
        _check_path(place, source)
    for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        place = f"ProcessingOutputConfig {item['OutputName']}"
        if "S3Output" not in item:
            raise invalid(f"{place}: S3Output is required.")
        _check_path(place, item["S3Output"])


def _check_path(place: str, described: dict[str, Any]) -> None:
    _location(described["S3Uri"])
    path = described.get("LocalPath")
    # Source: the API reference of ProcessingS3Input and ProcessingS3Output.
    if path is None or not f"{path}/".startswith(_BELOW) or ".." in Path(path).parts:
        raise invalid(f"{place}: LocalPath {path!r} must begin with {_BELOW}")


def _location(uri: str) -> Any:
    try:
        return parse_uri(uri)
    except ValueError as error:
        raise invalid(str(error)) from error
