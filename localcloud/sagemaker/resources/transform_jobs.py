"""Batch transform jobs: every object under a prefix through a model server, piece by piece."""

import gzip
import http.client
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from localcloud.sagemaker import logs
from localcloud.sagemaker.batching import payloads
from localcloud.sagemaker.child_processes import describe_exit
from localcloud.sagemaker.errors import ApiError, JobError, invalid, not_available
from localcloud.sagemaker.filters import Processing, selector
from localcloud.sagemaker.jobs import Job, Stopped
from localcloud.sagemaker.records import Kind, Record
from localcloud.sagemaker.resources import Request, Resource, only, operation, value_of
from localcloud.sagemaker.resources.models import served_model
from localcloud.sagemaker.serving import Answer, ModelServer
from localcloud.sagemaker.storage import Location, no_objects, parse_uri, relative_key

TRANSFORM_JOB = Kind(
    noun="transform job",
    segment="transform-job",
    prefix="TransformJob",
    status="TransformJobStatus",
    missing=lambda name, _: invalid(f"Could not find requested job with name: {name}"),
    duplicate=lambda _, arn: ApiError(
        "ResourceInUse",
        "Transform job names must be unique within an AWS account and region, and a transform job "
        f"with this name already exists ({arn}).",
    ),
)
_SUPPORTED = (
    "TransformJobName",
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "DataProcessing",
    "Tags",
)
_MEGABYTE = 1024**2
# Source: the API reference of CreateTransformJob and ModelClientConfig.
_LARGEST_TOTAL_MB = 100
_DEFAULT_TIMEOUT, _DEFAULT_RETRIES = 600, 3
_STARTUP_SECONDS = 300


@dataclass(frozen=True)
class _Plan:
    """How a job cuts, sends and joins."""

    lines: bool
    multiple: bool
    limit: int
    concurrent: int
    newline: bool
    zipped: bool
    headers: dict[str, str]
    timeout: float
    retries: int
    processing: Processing


class TransformJobs(Resource):
    """CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob."""

    @operation
    def create_transform_job(self, request: Request) -> dict[str, Any]:
        """Starts a job over a model that exists."""
        _check(request)
        with self.store.lock:
            model = served_model(self.store, request["ModelName"])
            members = {
                **request,
                "TransformJobStatus": "InProgress",
            }
            record = self.store.create(
                TRANSFORM_JOB, request["TransformJobName"], members, request.get("Tags", [])
            )
            job = Job(self.platform, self.platform.folder(record))
            record.runtime = job
        self.platform.start(record, lambda: self._run(record, job, model))
        return {"TransformJobArn": record.arn}

    def _run(self, record: Record, job: Job, model: dict[str, Any]) -> None:
        """A job's whole life. However it goes, it reaches a final state."""
        role: str = model["ExecutionRoleArn"]
        server = ModelServer(
            self.platform,
            model["PrimaryContainer"],
            job.folder,
            role,
            group=(logs.TRANSFORM, record.name),
        )
        status, reason = "Completed", None
        try:
            job.pause("transform")
            with job.slot():
                self._transform(record, job, server, role)
                # Its memory is another job's before the slot is.
                server.stop()
        except Stopped:
            status = "Stopped"
        except JobError as error:
            status, reason = "Failed", str(error)
        except Exception as error:  # noqa: BLE001 (a job must not hang, whatever has happened)
            status, reason = "Failed", f"InternalServerError: {error!r}"
        if reason and not job.stopping.is_set():
            job.log(reason)
        server.stop()
        with self.store.lock:
            if job.stopping.is_set():
                # Whatever the server said when it was stopped, the client has asked for it.
                status, reason = "Stopped", None
            members: dict[str, Any] = {
                "TransformJobStatus": status,
                "TransformEndTime": datetime.now(UTC),
            }
            if reason:
                members["FailureReason"] = reason[:1024]
            self.store.update(record, **members)

    def _transform(self, record: Record, job: Job, server: ModelServer, role: str) -> None:
        members = record.members
        storage = self.platform.storage_of(role)
        with self.store.lock:
            members["TransformStartTime"] = datetime.now(UTC)
        uri = members["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        source = parse_uri(uri)
        keys = list(storage.keys(source)) if storage.has_objects(source) else []
        if not keys:
            region = self.platform.settings.region
            raise JobError(f"ClientError: {no_objects(uri, region=region, role=None)}")
        process = server.launch(
            {
                **members.get("Environment", {}),
                "SAGEMAKER_BATCH": "true",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(members.get("MaxPayloadInMB", 6)),
                "SAGEMAKER_BATCH_STRATEGY": (
                    "SINGLE_RECORD"
                    if members.get("BatchStrategy") == "SingleRecord"
                    else "MULTI_RECORD"
                ),
                "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(
                    members.get("MaxConcurrentTransforms") or 1
                ),
            }
        )
        job.attach(process)
        server.wait_until_ready(subject="The primary container", timeout=_STARTUP_SECONDS)
        plan = _plan(members, server)
        target = parse_uri(members["TransformOutput"]["S3OutputPath"])
        for key in keys:
            name = relative_key(source.key, key)
            result = job.folder / "output" / "data" / "result"
            local = job.folder / "input" / "data" / "object"
            storage.fetch(Location(source.bucket, key), local)
            sender = _Sender(job, server, plan, f"{source.bucket}/{key}")
            with _opened(local, zipped=plan.zipped) as stream, result.open("wb") as output:
                sender.send(stream, output)
            storage.put(result, target.child(f"{name}.out"))
            local.unlink()
            result.unlink()

    @operation
    def describe_transform_job(self, request: Request) -> dict[str, Any]:
        """Describes a job."""
        return self.store.describe(TRANSFORM_JOB, request["TransformJobName"])

    @operation
    def list_transform_jobs(self, request: Request) -> dict[str, Any]:
        """Lists jobs."""
        return self.listing(TRANSFORM_JOB, request, "TransformJobSummaries")

    @operation
    def stop_transform_job(self, request: Request) -> dict[str, Any]:
        """Tells a job to stop; results of objects already finished stay."""
        return self.stop(TRANSFORM_JOB, request)


class _Sender:
    """Sends one object's payloads, several at once, and writes the answers in their order."""

    def __init__(self, job: Job, server: ModelServer, plan: _Plan, name: str) -> None:
        self._job = job
        self._server = server
        self._plan = plan
        self._name = name

    def send(self, source: BinaryIO, output: BinaryIO) -> None:
        plan = self._plan
        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(plan.concurrent) as pool:
            try:
                for payload in self._payloads(source):
                    if len(waiting) == plan.concurrent:
                        self._write(output, waiting.popleft().result())
                    waiting.append(pool.submit(self._invoke, payload))
                while waiting:
                    self._write(output, waiting.popleft().result())
            finally:
                for future in waiting:
                    future.cancel()

    def _payloads(self, source: BinaryIO) -> Iterator[bytes]:
        plan = self._plan
        for payload in payloads(source, lines=plan.lines, multiple=plan.multiple, limit=plan.limit):
            if self._job.stopping.is_set():
                raise Stopped
            yield payload

    def _write(self, output: BinaryIO, answer: bytes) -> None:
        output.write(answer)
        # What has been joined or filtered is lines already.
        if self._plan.newline and not self._plan.processing.wanted:
            # AssembleWith Line adds a newline to each answer, also where the container has
            # written one: readers must skip blank lines.
            output.write(b"\n")

    def _invoke(self, payload: bytes) -> bytes:
        processing = self._plan.processing
        return processing.answer(payload, self._predict(processing.request(payload)))

    def _predict(self, payload: bytes) -> bytes:
        for attempt in range(self._plan.retries + 1):
            try:
                answer = self._server.request(
                    "POST",
                    "/invocations",
                    body=payload,
                    headers=self._plan.headers,
                    timeout=self._plan.timeout,
                )
            except (OSError, http.client.HTTPException) as error:
                self._check_running(error)
                continue
            if answer.status < http.HTTPStatus.BAD_REQUEST:
                return answer.body
            self._log(answer)
            # The service repeats what the container may get over, never what it has refused.
            if answer.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                raise JobError(f"ClientError: {self._hint(answer)}")
            if attempt == self._plan.retries:
                raise JobError(f"AlgorithmError: {self._hint(answer)}")
        raise JobError(
            f"AlgorithmError: See job logs for more information ({self._name}: no answer within "
            f"{self._plan.timeout} seconds)"
        )

    def _hint(self, answer: Answer) -> str:
        text = answer.body.decode(errors="replace")
        return (
            f"See job logs for more information ({self._name}: status {answer.status}: "
            f"{text[:300]})"
        )

    def _log(self, answer: Answer) -> None:
        text = answer.body.decode(errors="replace")
        self._job.log(f"[sagemaker logs]: {self._name}: status {answer.status}, message: {text}")

    def _check_running(self, error: Exception) -> None:
        process = self._server.process
        # A server whose connection has just broken may need a moment to be gone.
        code = process.wait(1) if process else None
        if code is not None:
            raise JobError(
                f"AlgorithmError: the model server has ended ({describe_exit(code)}) while "
                f"transforming {self._name}. Last line of its log: {self._server.last_line()}"
            ) from error


def _plan(members: dict[str, Any], server: ModelServer) -> _Plan:
    """The request's choices, and the container's for those it leaves open."""
    answer = server.request("GET", "/execution-parameters", timeout=10)
    proposed = json.loads(answer.body) if answer.status == http.HTTPStatus.OK else {}
    strategy = members.get("BatchStrategy") or {
        "MULTI_RECORD": "MultiRecord",
        "SINGLE_RECORD": "SingleRecord",
    }.get(proposed.get("BatchStrategy", ""), "MultiRecord")
    source, target = members["TransformInput"], members["TransformOutput"]
    client = members.get("ModelClientConfig", {})
    headers = {}
    if content_type := source.get("ContentType"):
        headers["content-type"] = content_type
    if accept := target.get("Accept"):
        headers["accept"] = accept
    megabytes = members.get("MaxPayloadInMB") or proposed.get("MaxPayloadInMB", 6)
    return _Plan(
        lines=source.get("SplitType") == "Line",
        multiple=strategy == "MultiRecord",
        limit=megabytes * _MEGABYTE,
        concurrent=members.get("MaxConcurrentTransforms")
        or proposed.get("MaxConcurrentTransforms", 1),
        newline=target.get("AssembleWith") == "Line",
        zipped=source.get("CompressionType") == "Gzip",
        headers=headers,
        timeout=client.get("InvocationsTimeoutInSeconds", _DEFAULT_TIMEOUT),
        retries=client.get("InvocationsMaxRetries", _DEFAULT_RETRIES),
        processing=_processing(members),
    )


def _opened(path: Path, *, zipped: bool) -> BinaryIO:
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _processing(members: dict[str, Any]) -> Processing:
    """A request's `DataProcessing`.

    Raises:
        ValueError: A filter is none for CSV.
    """
    given = members.get("DataProcessing", {})
    return Processing(
        before=selector(given.get("InputFilter")),
        after=selector(given.get("OutputFilter")),
        joined=given.get("JoinSource") == "Input",
    )


def _check_processing(request: Request) -> None:
    try:
        processing = _processing(request)
    except ValueError as error:
        raise invalid(f"DataProcessing: {error}") from error
    if not processing.wanted:
        return
    # Records are told apart by their lines, and predictions joined line by line.
    source, target = request["TransformInput"], request["TransformOutput"]
    content_type = source.get("ContentType", "").partition(";")[0].strip().lower()
    value_of("CreateTransformJob", "ContentType with DataProcessing", content_type, ["text/csv"])
    accept = target.get("Accept")
    value_of("CreateTransformJob", "Accept with DataProcessing", accept, ["text/csv"])
    for member, place in (("SplitType", source), ("AssembleWith", target)):
        if place.get(member) != "Line":
            raise invalid(
                f"CreateTransformJob: DataProcessing needs {member} Line; it is "
                f"{place.get(member, 'None')}."
            )


def _check(request: Request) -> None:
    name = "CreateTransformJob"
    only(name, request, _SUPPORTED)
    source = request["TransformInput"]
    value_of(name, "S3DataType", source["DataSource"]["S3DataSource"]["S3DataType"], ["S3Prefix"])
    value_of(name, "SplitType", source.get("SplitType"), ["None", "Line"])
    _check_processing(request)
    if request.get("MaxPayloadInMB") == 0:
        raise not_available("MaxPayloadInMB 0 of CreateTransformJob (chunked transfer)")
    total = request.get("MaxPayloadInMB", 6) * (request.get("MaxConcurrentTransforms") or 1)
    if total > _LARGEST_TOTAL_MB:
        raise invalid(
            "The product of MaxConcurrentTransforms and MaxPayloadInMB must not exceed "
            f"{_LARGEST_TOTAL_MB} MB; it is {total} MB."
        )
    for uri in (
        source["DataSource"]["S3DataSource"]["S3Uri"],
        request["TransformOutput"]["S3OutputPath"],
    ):
        try:
            parse_uri(uri)
        except ValueError as error:
            raise invalid(str(error)) from error
