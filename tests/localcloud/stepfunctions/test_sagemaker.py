"""Step Functions' own integration with SageMaker."""

import json
import time
import uuid
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench, jsonata

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


ROLE = "arn:aws:iam::000000000000:role/sagemaker"


def training(name: str, **changes: Any) -> dict[str, Any]:
    """The arguments of a training job."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/model/"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": "{% 60 * 60 %}"},
    } | changes


def sagemaker(action: str, arguments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A state of SageMaker's integration."""
    resource = f"arn:aws:states:::sagemaker:{action}"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True} | fields


def name(kind: str = "") -> str:
    """A fresh job name that tells the stand-in what to do."""
    return f"job-{kind}-{uuid.uuid4().hex[:8]}" if kind else f"job-{uuid.uuid4().hex[:8]}"


def status(bench: Bench, job: str) -> str:
    """The status of a training job."""
    found = bench.cloud.client("sagemaker").describe_training_job(TrainingJobName=job)
    return str(found["TrainingJobStatus"])


def until(bench: Bench, job: str, wanted: str) -> None:
    """Wait until a training job has a status."""
    deadline = time.monotonic() + 5
    while status(bench, job) != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begun(bench: Bench, execution: str) -> None:
    """Wait until an execution's task is submitted."""
    deadline = time.monotonic() + 5
    while "TaskSubmitted" not in [event["type"] for event in bench.history(execution)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sync_gives_the_description_of_the_ended_job(bench: Bench) -> None:
    """The result is Describe's answer with times in milliseconds; the history has every step."""
    job = name()
    outcome = bench.run(jsonata("A", A=sagemaker("createTrainingJob.sync", training(job))))
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["TrainingJobStatus"] == "Completed"
    assert isinstance(outcome.output["CreationTime"], int)
    assert abs(outcome.output["CreationTime"] / 1000 - time.time()) < 60
    assert "ResponseMetadata" not in outcome.output
    assert outcome.types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    submitted = outcome.events[4]["taskSubmittedEventDetails"]
    assert (submitted["resourceType"], submitted["resource"]) == (
        "sagemaker",
        "createTrainingJob.sync",
    )
    assert json.loads(submitted["output"])["TrainingJobArn"].endswith(job)


def test_a_failed_job_is_task_failed_with_its_description(bench: Bench) -> None:
    """The error is States.TaskFailed, the cause Describe's answer as JSON."""
    job = name("fail")
    outcome = bench.run(jsonata("A", A=sagemaker("createTrainingJob.sync", training(job))))
    assert (outcome.status, outcome.error) == ("FAILED", "States.TaskFailed")
    assert outcome.cause is not None
    details = json.loads(outcome.cause)
    assert (details["TrainingJobName"], details["FailureReason"]) == (job, "it had to")


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("taken", "SageMaker.ResourceInUseException", "ResourceInUse"),
        ("quota", "SageMaker.ResourceLimitExceededException", "ResourceLimitExceeded"),
    ],
)
def test_a_refused_call_has_the_sdks_error_name(
    bench: Bench, kind: str, error: str, code: str
) -> None:
    """Modelled errors are named after their exception, with the service's words in the cause."""
    job = sagemaker("createTrainingJob.sync", training(name(kind)))
    outcome = bench.run(jsonata("A", A=job))
    assert (outcome.status, outcome.error) == ("FAILED", error)
    assert f"Service: AmazonSageMaker; Status Code: 400; Error Code: {code};" in str(outcome.cause)


def test_a_request_that_does_not_fit_the_model(bench: Bench) -> None:
    """A misspelt field or a wrong type fails before the call, naming it."""
    changed = training(name(), TraningInput=1, HyperParameters={"num_round": 42})
    outcome = bench.run(jsonata("A", A=sagemaker("createTrainingJob.sync", changed)))
    assert (outcome.status, outcome.error) == ("FAILED", "States.Runtime")
    assert "TraningInput" in str(outcome.cause)
    assert "HyperParameters.num_round" in str(outcome.cause)


def test_without_sync_the_answer_is_the_services(bench: Bench) -> None:
    """A call that starts no job gives its answer with the SDK's metadata."""
    arguments = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}
    outcome = bench.run(jsonata("A", A=sagemaker("createModel", arguments)))
    assert outcome.output["ModelArn"].endswith("model/m")
    assert outcome.output["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_stopping_the_execution_stops_the_job(bench: Bench) -> None:
    """StopExecution reaches the job of a .sync task."""
    job = name("slow")
    execution = bench.start(jsonata("A", A=sagemaker("createTrainingJob.sync", training(job))))
    begun(bench, execution)
    assert status(bench, job) == "InProgress"
    bench.states.stop_execution(executionArn=execution)
    until(bench, job, "Stopped")


def test_a_failing_sibling_stops_the_job(bench: Bench) -> None:
    """The job of a cancelled branch is stopped."""
    job = name("slow")
    branches = [
        {"StartAt": "A", "States": {"A": sagemaker("createTrainingJob.sync", training(job))}},
        {
            "StartAt": "W",
            "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "F"},
                "F": {"Type": "Fail", "Error": "Bad"},
            },
        },
    ]
    outcome = bench.run(jsonata("P", P={"Type": "Parallel", "Branches": branches, "End": True}))
    assert (outcome.status, outcome.error) == ("FAILED", "Bad")
    until(bench, job, "Stopped")


def test_a_task_over_its_time_stops_the_job(bench: Bench) -> None:
    """A .sync task over its TimeoutSeconds is States.Timeout, and its job is stopped."""
    job = name("slow")
    task = sagemaker("createTrainingJob.sync", training(job), TimeoutSeconds=1)
    outcome = bench.run(jsonata("A", A=task))
    assert (outcome.status, outcome.error) == ("FAILED", "States.Timeout")
    until(bench, job, "Stopped")


def test_a_machine_over_its_time_stops_the_job(bench: Bench) -> None:
    """A machine over its TimeoutSeconds stops the job it waits for."""
    job = name("slow")
    definition = jsonata("A", A=sagemaker("createTrainingJob.sync", training(job)))
    outcome = bench.run(definition | {"TimeoutSeconds": 1})
    assert outcome.status == "TIMED_OUT"
    until(bench, job, "Stopped")


def test_retry_count_in_a_job_name(bench: Bench) -> None:
    """A name with RedriveCount and RetryCount is new at each attempt."""
    base = name("fail")
    expression = (
        "{% '" + base + "-' & $states.context.Execution.RedriveCount & '-' & "
        "$states.context.State.RetryCount %}"
    )
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    task = sagemaker("createTrainingJob.sync", training(expression), Retry=retry)
    assert bench.run(jsonata("A", A=task)).error == "States.TaskFailed"
    assert [status(bench, f"{base}-0-{count}") for count in (0, 1)] == ["Failed", "Failed"]
