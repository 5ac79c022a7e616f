"""Hyperparameter tuning jobs: training jobs one after the other, each with values of its own."""

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker import algorithms, tuning
from localcloud.sagemaker.errors import ApiError, invalid, not_available
from localcloud.sagemaker.jobs import Job
from localcloud.sagemaker.records import Kind, Record
from localcloud.sagemaker.resources import Request, Resource, only, operation, value_of
from localcloud.sagemaker.resources.training_jobs import TRAINING_JOB, TrainingJobs
from localcloud.sagemaker.tuning import Search

TUNING_JOB = Kind(
    noun="hyperparameter tuning job",
    segment="hyper-parameter-tuning-job",
    prefix="HyperParameterTuningJob",
    status="HyperParameterTuningJobStatus",
    missing=lambda name, _: ApiError(
        "ResourceNotFound",
        f"Amazon SageMaker can't find a tuning job with the name {name}. Provide a valid tuning "
        "job name.",
    ),
    duplicate=lambda name, _: ApiError(
        "ResourceInUse",
        f"There is already an existing hyperparameter tuning job with the name {name}. Tuning job "
        "names must be unique within an AWS account and region.",
    ),
)
_CONFIG = "HyperParameterTuningJobConfig"
_DEFINITION = "TrainingJobDefinition"
RESOURCES = "HyperParameterTuningResourceConfig"
_SUPPORTED = (
    "HyperParameterTuningJobName",
    f"{_CONFIG}.Strategy",
    f"{_CONFIG}.HyperParameterTuningJobObjective",
    f"{_CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs",
    f"{_CONFIG}.ResourceLimits.MaxParallelTrainingJobs",
    f"{_CONFIG}.ParameterRanges.IntegerParameterRanges",
    f"{_CONFIG}.ParameterRanges.ContinuousParameterRanges",
    f"{_CONFIG}.ParameterRanges.CategoricalParameterRanges",
    f"{_CONFIG}.TrainingJobEarlyStoppingType",
    f"{_CONFIG}.TuningJobCompletionCriteria.TargetObjectiveMetricValue",
    f"{_CONFIG}.TuningJobCompletionCriteria.BestObjectiveNotImproving",
    f"{_CONFIG}.RandomSeed",
    "Tags",
    f"{_DEFINITION}.DefinitionName",
    f"{_DEFINITION}.StaticHyperParameters",
    # The newer form of ResourceConfig, which SDK 2 sends; one instance type, no strategy to choose.
    f"{_DEFINITION}.{RESOURCES}.InstanceType",
    f"{_DEFINITION}.{RESOURCES}.InstanceCount",
    f"{_DEFINITION}.{RESOURCES}.VolumeSizeInGB",
    f"{_DEFINITION}.{RESOURCES}.VolumeKmsKeyId",
)
# What a training job takes as it stands; CreateTrainingJob's own check says what is offered of it.
_PASSED = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)
_RUNNING = ("InProgress", "Stopping")
_POLL_SECONDS = 0.05
_PAGE = 10


@dataclass
class _Tuning:
    """A tuning job that runs."""

    record: Record
    job: Job
    search: Search
    # The optimiser's number of each training job that has not ended.
    running: dict[str, int] = field(default_factory=dict)
    launched: list[Record] = field(default_factory=list)
    exhausted: bool = False
    # How many jobs in a row have not improved the best.
    idle: int = 0

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.record.members[_CONFIG]
        return found


class TuningJobs(Resource):
    """Create, Describe, List and Stop of tuning jobs, and the list of their training jobs."""

    @operation
    def create_hyper_parameter_tuning_job(self, request: Request) -> dict[str, Any]:
        """Starts a tuning job after the checks that the service makes at once."""
        _check(request)
        config = request[_CONFIG]
        search = tuning.search_for(config)
        name = request["HyperParameterTuningJobName"]
        if self.store.find(TUNING_JOB, name) is None:
            # What would be wrong with every training job is wrong with the request.
            TrainingJobs(self.platform).check(_training_request(request, f"{name}-000", {}))
        members = {
            **request,
            "HyperParameterTuningJobStatus": "InProgress",
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            **_counters([]),
        }
        with self.store.lock:
            record = self.store.create(TUNING_JOB, name, members, request.get("Tags", []))
            record.runtime = Job(self.platform, self.platform.folder(record, ()))
        run = _Tuning(record, record.runtime, search)
        self.platform.start(record, lambda: self._run(run))
        return {"HyperParameterTuningJobArn": record.arn}

    def _run(self, run: _Tuning) -> None:
        """A job's whole life. However it goes, it reaches a final state."""
        reason = None
        try:
            while not self._over(run):
                self._launch(run)
                run.job.stopping.wait(_POLL_SECONDS)
                self._collect(run)
            self._end_training(run)
        except Exception as error:  # noqa: BLE001 (a job must not hang, whatever has happened)
            reason = f"InternalServerError: {error!r}"
            if isinstance(error, ApiError):
                reason = error.message
            self._end_training(run)
        with self.store.lock:
            if run.job.stopping.is_set():
                status, reason = "Stopped", None
            elif reason or "BestTrainingJob" not in run.record.members:
                status = "Failed"
                reason = reason or (
                    "All training jobs failed. Please take a look at the training job failures to "
                    "get more details."
                )
            else:
                status = "Completed"
            if reason:
                run.job.log(reason)
            self.store.update(
                run.record,
                HyperParameterTuningJobStatus=status,
                HyperParameterTuningEndTime=datetime.now(UTC),
                **({"FailureReason": reason[:1024]} if reason else {}),
            )

    def _over(self, run: _Tuning) -> bool:
        if run.job.stopping.is_set():
            return True
        if run.running:
            return self._good_enough(run)
        limit = run.config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
        return run.exhausted or len(run.launched) == limit or self._good_enough(run)

    def _good_enough(self, run: _Tuning) -> bool:
        """Whether a completion criterion is met."""
        criteria = run.config.get("TuningJobCompletionCriteria", {})
        best = run.record.members.get("BestTrainingJob")
        if best is None:
            return False
        target = criteria.get("TargetObjectiveMetricValue")
        value = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        if target is not None and not self._better(run, target, value):
            return True
        stopping = criteria.get("BestObjectiveNotImproving", {})
        most = stopping.get("MaxNumberOfTrainingJobsNotImproving")
        return most is not None and run.idle >= most

    def _launch(self, run: _Tuning) -> None:
        """Starts as many training jobs as the limits allow."""
        limits = run.config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs")
        while len(run.running) < limits["MaxParallelTrainingJobs"] and len(run.launched) != most:
            proposal = run.search.propose()
            if proposal is None:
                run.exhausted = True
                return
            number, values = proposal
            # As the service names them: three digits and eight of a hash.
            name = f"{run.record.name}-{len(run.launched) + 1:03d}-{uuid.uuid4().hex[:8]}"
            request = _training_request(run.record.members, name, values)
            run.job.log(f"{name}: {values}")
            tuned = {"TuningJobArn": run.record.arn, "TunedHyperParameters": values}
            run.launched.append(TrainingJobs(self.platform).begin(request, tuned))
            run.running[name] = number
            self._count(run)

    def _collect(self, run: _Tuning) -> None:
        """Tells the search of training jobs that have ended, and keeps the best."""
        objective = run.config["HyperParameterTuningJobObjective"]
        for record in run.launched:
            with self.store.lock:
                ended = record.members["TrainingJobStatus"] not in _RUNNING
                summary = _summary(record, objective) if ended else {}
            if not ended or record.name not in run.running:
                continue
            metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
            value = metric["Value"] if metric else None
            run.search.judge(run.running.pop(record.name), value)
            run.job.log(f"{record.name}: {objective['MetricName']} {value}")
            best = run.record.members.get("BestTrainingJob")
            run.idle += 1
            if metric and (
                best is None
                or self._better(
                    run, value, best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
                )
            ):
                run.idle = 0
                self.store.update(run.record, BestTrainingJob=summary)
            self._count(run)

    def _better(self, run: _Tuning, one: Any, other: Any) -> bool:
        greater = run.config["HyperParameterTuningJobObjective"]["Type"] == "Maximize"
        return bool(one > other if greater else one < other)

    def _count(self, run: _Tuning) -> None:
        objective = run.config["HyperParameterTuningJobObjective"]
        with self.store.lock:
            found = [_summary(record, objective) for record in run.launched]
            self.store.update(run.record, **_counters(found))

    def _end_training(self, run: _Tuning) -> None:
        """Stops training jobs that still run, and waits for their end."""
        training = TrainingJobs(self.platform)
        for record in run.launched:
            with self.store.lock:
                if record.members["TrainingJobStatus"] == "InProgress":
                    training.stop_training_job({"TrainingJobName": record.name})
        while run.running:
            self.platform.closing.wait(_POLL_SECONDS)
            if self.platform.closing.is_set():
                return
            self._collect(run)

    @operation
    def describe_hyper_parameter_tuning_job(self, request: Request) -> dict[str, Any]:
        """Describes a job."""
        return self.store.describe(TUNING_JOB, request["HyperParameterTuningJobName"])

    @operation
    def list_hyper_parameter_tuning_jobs(self, request: Request) -> dict[str, Any]:
        """Lists jobs."""
        return self.listing(
            TUNING_JOB,
            {"SortBy": "Name", **request},
            "HyperParameterTuningJobSummaries",
            ascending=True,
        )

    @operation
    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Request) -> dict[str, Any]:
        """Lists a tuning job's training jobs; by Name, the order of their start, by default."""
        with self.store.lock:
            job = self.store.get(TUNING_JOB, request["HyperParameterTuningJobName"])
            objective = job.members[_CONFIG]["HyperParameterTuningJobObjective"]
            found = [
                _summary(record, objective)
                for record in self.store.records()
                if record.kind is TRAINING_JOB and record.members.get("TuningJobArn") == job.arn
            ]
        if status := request.get("StatusEquals"):
            found = [item for item in found if item["TrainingJobStatus"] == status]
        found = _sorted(found, request)
        start = _offset(request.get("NextToken"))
        end = start + request.get("MaxResults", _PAGE)
        return {
            "TrainingJobSummaries": found[start:end],
            "NextToken": _token(end) if end < len(found) else None,
        }

    @operation
    def stop_hyper_parameter_tuning_job(self, request: Request) -> dict[str, Any]:
        """Tells a job to stop, and with it its training jobs."""
        return self.stop(TUNING_JOB, request)


def _training_request(members: Request, name: str, values: dict[str, str]) -> Request:
    """The request of a training job with proposed values."""
    definition = members[_DEFINITION]
    objective = members[_CONFIG]["HyperParameterTuningJobObjective"]
    passed = {member: definition[member] for member in _PASSED if member in definition}
    if RESOURCES in definition:
        passed["ResourceConfig"] = definition[RESOURCES]
    return passed | {
        "TrainingJobName": name,
        "HyperParameters": {
            **definition.get("StaticHyperParameters", {}),
            **values,
            "_tuning_objective_metric": objective["MetricName"],
        },
    }


def _summary(record: Record, objective: dict[str, str]) -> dict[str, Any]:
    """A training job as a tuning job shows it."""
    members = record.members
    value = next(
        (
            metric["Value"]
            for metric in members.get("FinalMetricDataList", [])
            if metric["MetricName"] == objective["MetricName"]
        ),
        None,
    )
    status = members["TrainingJobStatus"]
    found = {
        member: members[member]
        for member in (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingStartTime",
            "TrainingEndTime",
            "TrainingJobStatus",
            "TunedHyperParameters",
            "FailureReason",
        )
        if member in members
    }
    # A job that was stopped has a metric too, of the rounds it had.
    if status in _RUNNING:
        return found | {"ObjectiveStatus": "Pending"}
    if value is None or status == "Failed":
        return found | {"ObjectiveStatus": "Failed"}
    metric = {"MetricName": objective["MetricName"], "Value": value}
    return found | {
        "ObjectiveStatus": "Succeeded",
        "FinalHyperParameterTuningJobObjectiveMetric": metric,
    }


def _counters(found: list[dict[str, Any]]) -> dict[str, Any]:
    statuses = [item["TrainingJobStatus"] for item in found]
    objectives = [item["ObjectiveStatus"] for item in found]
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(status in _RUNNING for status in statuses),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {
            status: objectives.count(status) for status in ("Succeeded", "Pending", "Failed")
        },
    }


def _sorted(found: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    by = request.get("SortBy", "Name")
    backwards = request.get("SortOrder", "Ascending") == "Descending"
    if by == "FinalObjectiveMetricValue":
        key = "FinalHyperParameterTuningJobObjectiveMetric"
        valued = [item for item in found if key in item]
        # Source: the API reference: jobs without a value are not listed.
        return sorted(valued, key=lambda item: float(item[key]["Value"]), reverse=backwards)
    member = {"CreationTime": "CreationTime", "Status": "TrainingJobStatus"}.get(
        by, "TrainingJobName"
    )
    return sorted(found, key=lambda item: str(item[member]), reverse=backwards)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def _offset(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except (binascii.Error, ValueError):
        raise invalid(f"Invalid NextToken: {token}") from None


def _check(request: Request) -> None:
    """The checks beyond the service model, and what is not offered here."""
    name = "CreateHyperParameterTuningJob"
    if "WarmStartConfig" in request:
        raise not_available(
            f"WarmStartConfig of {name}",
            "Leave it out: each tuning job here begins without knowledge of earlier ones.",
        )
    if "TrainingJobDefinitions" in request:
        raise not_available(
            f"TrainingJobDefinitions of {name}", "Use TrainingJobDefinition, one algorithm a job."
        )
    if _DEFINITION not in request:
        raise invalid(f"{name}: {_DEFINITION} is required.")
    only(name, request, (*_SUPPORTED, *(f"{_DEFINITION}.{member}" for member in _PASSED)))
    config = request[_CONFIG]
    value_of(name, "Strategy", config["Strategy"], ["Bayesian", "Random", "Grid"])
    value_of(
        name, "TrainingJobEarlyStoppingType", config.get("TrainingJobEarlyStoppingType"), ["Off"]
    )
    _check_limits(name, config)
    objective = config.get("HyperParameterTuningJobObjective")
    if objective is None:
        raise invalid(f"{name}: HyperParameterTuningJobObjective is required.")
    definition = request[_DEFINITION]
    if ("ResourceConfig" in definition) == (RESOURCES in definition):
        raise invalid(
            f"{name}: {_DEFINITION} needs either ResourceConfig or {RESOURCES}, and not both."
        )
    uri = definition["AlgorithmSpecification"].get("TrainingImage")
    if uri is None:
        raise invalid(f"{name}: AlgorithmSpecification.TrainingImage is required.")
    algorithm = algorithms.find(uri).algorithm
    if algorithm.objectives.get(objective["MetricName"]) != objective["Type"]:
        offered = ", ".join(f"{key} ({way})" for key, way in sorted(algorithm.objectives.items()))
        raise invalid(
            f"The objective metric {objective['MetricName']} with type {objective['Type']} isn't "
            f"valid for the {algorithm.repository} algorithm. Choose a valid objective metric and "
            f"type: {offered}."
        )
    ranges = config.get("ParameterRanges", {})
    tuned = {item["Name"] for items in ranges.values() for item in items}
    for both in sorted(tuned & definition.get("StaticHyperParameters", {}).keys()):
        raise invalid(
            f"The hyperparameter {both} can't be both in StaticHyperParameters and in "
            "ParameterRanges."
        )


def _check_limits(name: str, config: dict[str, Any]) -> None:
    limits = config["ResourceLimits"]
    most = limits.get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid":
        count = tuning.combinations(config.get("ParameterRanges", {}))
        if most is not None and most != count:
            raise invalid(
                f"MaxNumberOfTrainingJobs {most} must be left out, or {count}: the number of "
                "combinations of the grid."
            )
    elif most is None:
        raise invalid(f"{name}: ResourceLimits.MaxNumberOfTrainingJobs is required.")
