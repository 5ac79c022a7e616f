"""Tuning and processing jobs as tasks, on the real local SageMaker."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import localcloud
from tests.localcloud.sagemaker.cloud import make_table, to_csv
from tests.localcloud.stepfunctions.machines import ROLE, Bench, jsonata

pytestmark = pytest.mark.process

BUCKET = "jobs-of-machines"
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
STATES = "arn:aws:states:::"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A local cloud with its own SageMaker, and data."""
    home = tmp_path_factory.mktemp("jobs")
    running = localcloud.start(home)
    try:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        table = make_table()
        for name, rows in (("train", table[:248]), ("validation", table[248:])):
            s3.put_object(Bucket=BUCKET, Key=f"{name}/{name}.csv", Body=to_csv(rows).encode())
        yield Bench(cloud=running, function="")
    finally:
        localcloud.stop(home)


def name(kind: str) -> str:
    """A fresh job name."""
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def channel(part: str) -> dict[str, Any]:
    """A training channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{part}/"}
    return {
        "ChannelName": part,
        "DataSource": {"S3DataSource": source},
        "ContentType": "text/csv",
    }


def tuning(**changes: Any) -> dict[str, Any]:
    """The arguments of a tuning job, but for its name."""
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {
                "Type": "Minimize",
                "MetricName": "validation:error",
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "CategoricalParameterRanges": [],
                "ContinuousParameterRanges": [],
                "IntegerParameterRanges": [
                    {"Name": "max_depth", "MinValue": "2", "MaxValue": "6", "ScalingType": "Auto"}
                ],
            },
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": f"{REGISTRY}/sagemaker-xgboost:3.2-0",
                "TrainingInputMode": "File",
            },
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 10,
            },
            "RoleArn": ROLE,
            "StaticHyperParameters": {"num_round": "5", "objective": "binary:logistic"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    } | changes


def processing(job: str, code: str) -> dict[str, Any]:
    """The arguments of a processing job."""
    return {
        "ProcessingJobName": job,
        "AppSpecification": {
            "ImageUri": f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "ContainerEntrypoint": ["python3", "-c", code],
        },
        "ProcessingInputs": [
            {
                "InputName": "data",
                "S3Input": {
                    "S3Uri": f"s3://{BUCKET}/train/",
                    "LocalPath": "/opt/ml/processing/data",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 10,
            }
        },
        "RoleArn": ROLE,
    }


def test_tune_then_use_the_best_job_in_jsonpath(real: Bench) -> None:
    """The result of createHyperParameterTuningJob.sync names the best job and its model's place."""
    definition = {
        "StartAt": "Tune",
        "States": {
            "Tune": {
                "Type": "Task",
                "Resource": f"{STATES}sagemaker:createHyperParameterTuningJob.sync",
                "Parameters": {"HyperParameterTuningJobName.$": "$.name", **tuning()},
                "ResultPath": "$.tuned",
                "Next": "Look at the best",
            },
            "Look at the best": {
                "Type": "Task",
                "Resource": f"{STATES}aws-sdk:sagemaker:describeTrainingJob",
                "Parameters": {"TrainingJobName.$": "$.tuned.BestTrainingJob.TrainingJobName"},
                "ResultPath": "$.best",
                "End": True,
            },
        },
    }
    job = name("tune")
    outcome = real.finish(real.start(definition, {"name": job}), within=60)

    assert outcome.status == "SUCCEEDED", outcome.cause
    tuned, best = outcome.output["tuned"], outcome.output["best"]
    assert tuned["HyperParameterTuningJobStatus"] == "Completed"
    assert tuned["TrainingJobStatusCounters"]["Completed"] == 2
    assert tuned["BestTrainingJob"]["TunedHyperParameters"].keys() == {"max_depth"}
    assert isinstance(tuned["HyperParameterTuningEndTime"], int)
    assert best["TuningJobArn"] == tuned["HyperParameterTuningJobArn"]
    assert best["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{BUCKET}/models/{job}-00")
    assert outcome.types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    scheduled = outcome.events[2]["taskScheduledEventDetails"]
    assert scheduled["resource"] == "createHyperParameterTuningJob.sync"


def test_a_tuning_job_that_fails_fails_its_task(real: Bench) -> None:
    """States.TaskFailed carries the description with its FailureReason."""
    arguments = tuning(HyperParameterTuningJobName=name("bad"))
    arguments["TrainingJobDefinition"]["StaticHyperParameters"] = {"num_round": "none"}
    state = {
        "Type": "Task",
        "Resource": f"{STATES}sagemaker:createHyperParameterTuningJob.sync",
        "Arguments": arguments,
        "End": True,
    }
    outcome = real.finish(real.start(jsonata("A", A=state)), within=60)
    assert (outcome.status, outcome.error) == ("FAILED", "States.TaskFailed")
    assert json.loads(outcome.cause or "")["FailureReason"].startswith("All training jobs failed.")


def test_a_processing_job_is_a_task_in_jsonata(real: Bench) -> None:
    """The result of createProcessingJob.sync has the message that the command has left."""
    code = (
        "n = len(open('/opt/ml/processing/data/train.csv').readlines());"
        "open('/opt/ml/output/message', 'w').write(str(n))"
    )
    state = {
        "Type": "Task",
        "Resource": f"{STATES}sagemaker:createProcessingJob.sync",
        "Arguments": processing(name("process"), code),
        "Output": "{% $number($states.result.ExitMessage) %}",
        "End": True,
    }
    outcome = real.run(jsonata("A", A=state))
    assert (outcome.status, outcome.output) == ("SUCCEEDED", 248)


def test_a_processing_job_that_fails_can_be_caught(real: Bench) -> None:
    """Catch gets States.TaskFailed with the exit code in the cause."""
    caught = {"ErrorEquals": ["States.TaskFailed"], "Next": "B"}
    task = {
        "Type": "Task",
        "Resource": f"{STATES}sagemaker:createProcessingJob.sync",
        "Arguments": processing(name("fails"), "raise SystemExit(4)"),
        "Catch": [caught | {"Output": "{% $parse($states.errorOutput.Cause) %}"}],
        "End": True,
    }
    outcome = real.run(jsonata("A", A=task, B={"Type": "Pass", "End": True}))
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output["ProcessingJobStatus"] == "Failed"
    assert "exit code: 4" in outcome.output["FailureReason"]


@pytest.mark.parametrize("kind", ["Processing", "HyperParameterTuning"])
def test_aborting_an_execution_stops_its_job(real: Bench, kind: str) -> None:
    """The job of an execution that is stopped is stopped, and its training jobs with it."""
    job = name("abort")
    if kind == "Processing":
        arguments = processing(job, "import time; time.sleep(60)")
    else:
        arguments = tuning(HyperParameterTuningJobName=job)
        static = {"num_round": "100000000", "objective": "binary:logistic"}
        arguments["TrainingJobDefinition"]["StaticHyperParameters"] = static
    state = {
        "Type": "Task",
        "Resource": f"{STATES}sagemaker:create{kind}Job.sync",
        "Arguments": arguments,
        "End": True,
    }
    execution = real.start(jsonata("A", A=state))
    client = real.cloud.client("sagemaker")

    def status() -> str:
        if kind == "Processing":
            found = client.describe_processing_job(ProcessingJobName=job)
            return str(found["ProcessingJobStatus"])
        tuned = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
        return str(tuned["HyperParameterTuningJobStatus"])

    deadline = time.monotonic() + 20
    while "TaskSubmitted" not in [event["type"] for event in real.history(execution)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    real.states.stop_execution(executionArn=execution)
    while (found := status()) != "Stopped":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
