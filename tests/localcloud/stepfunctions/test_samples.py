"""AWS's sample machines for SageMaker, run by the local cloud with the real local SageMaker.

The shapes are those of the Step Functions developer guide's sample projects "Train a machine
learning model" and "Tune a machine learning model" (sample-train-model, sample-hyper-tuning),
written again with this project's image, data and places; the guide's functions that make the data
and read the best job's model are an upload and an SDK call.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import localcloud
from tests.localcloud.stepfunctions.machines import Bench, Outcome

pytestmark = pytest.mark.process

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::000000000000:role/sagemaker"
BUCKET = "samples"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A local cloud, with the samples' data in its S3."""
    home = tmp_path_factory.mktemp("samples")
    running = localcloud.start(home)
    try:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        random = np.random.default_rng(3)
        features = random.normal(size=(200, 3)).round(3)
        for key, rows, label in (
            ("csv/train.csv", features[:120], True),
            ("csv/validation.csv", features[120:160], True),
            ("csv/test.csv", features[160:], False),
        ):
            lines = [
                ",".join(f"{value:g}" for value in ([row[0] > 0, *row] if label else row))
                for row in rows
            ]
            s3.put_object(Bucket=BUCKET, Key=key, Body="\n".join(lines))
        yield Bench(cloud=running, function="")
    finally:
        localcloud.stop(home)


def channel(name: str) -> dict[str, Any]:
    """A channel as the samples have it, shards and all."""
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3DataDistributionType": "ShardedByS3Key",
                "S3Uri": f"s3://{BUCKET}/csv/{name}.csv",
            }
        },
    }


JOB: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 30},
    "RoleArn": ROLE,
    "InputDataConfig": [channel("train"), channel("validation")],
}
PARAMETERS = {"objective": "reg:logistic", "eval_metric": "rmse", "num_round": "5"}
TRANSFORM: dict[str, Any] = {
    "TransformInput": {
        "CompressionType": "None",
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/csv/test.csv"}
        },
    },
    "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/output"},
    "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge"},
}
RANGES: dict[str, Any] = {
    "ContinuousParameterRanges": [
        {"Name": name, "MinValue": "0", "MaxValue": "5", "ScalingType": "Auto"}
        for name in ("alpha", "gamma")
    ],
    "IntegerParameterRanges": [
        {"Name": "max_delta_step", "MinValue": "0", "MaxValue": "10", "ScalingType": "Auto"},
        {"Name": "max_depth", "MinValue": "1", "MaxValue": "10", "ScalingType": "Auto"},
    ],
}
TUNING: dict[str, Any] = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": RANGES,
    },
    "TrainingJobDefinition": {**JOB, "StaticHyperParameters": {"num_round": "2"}},
}


def task(language: str, resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task whose parameters ending in `.$` are JSONPaths, or the same in JSONata."""
    field = "Parameters"
    if language == "JSONata":
        field, parameters = "Arguments", in_jsonata(parameters)
    ending = {} if "Next" in more else {"End": True}
    named = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", field: parameters}
    return named | ending | more


def in_jsonata(value: Any) -> Any:
    """JSONPath parameters as JSONata arguments."""
    if isinstance(value, list):
        return [in_jsonata(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        if key.endswith(".$"):
            path = item.replace("$$", "$states.context", 1)
            path = path if path.startswith("$states") else f"$states.input{path[1:]}"
            found[key[:-2]] = f"{{% {path} %}}"
        else:
            found[key] = in_jsonata(item)
    return found


def save_and_transform(language: str, service: str, *, sync: str) -> dict[str, Any]:
    """The last two states of both samples; their input holds a training job's description."""
    container = {
        "Image": IMAGE,
        "Environment": {},
        "ModelDataUrl.$": "$.ModelArtifacts.S3ModelArtifacts",
    }
    return {
        "Save Model": task(
            language,
            f"{service}:createModel",
            {
                "PrimaryContainer": container,
                "ExecutionRoleArn": ROLE,
                "ModelName.$": "$$.Execution.Name",
            },
            Next="Batch transform",
        ),
        "Batch transform": task(
            language,
            f"{service}:createTransformJob{sync}",
            {
                **TRANSFORM,
                "ModelName.$": "$$.Execution.Name",
                "TransformJobName.$": "$$.Execution.Name",
            },
        ),
    }


def run(samples: Bench, definition: dict[str, Any], name: str) -> Outcome:
    """Runs a machine under an execution name that names its jobs."""
    started = samples.states.start_execution(
        stateMachineArn=samples.machine(definition), name=name, input=json.dumps({})
    )
    return samples.finish(started["executionArn"], within=60)


def predictions(samples: Bench) -> list[float]:
    """What the samples' transform has written."""
    body = samples.cloud.client("s3").get_object(Bucket=BUCKET, Key="output/test.csv.out")["Body"]
    return [float(value) for value in body.read().split()]


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_train_save_transform(samples: Bench, language: str) -> None:
    """The sample "Train a machine learning model" runs to its end, in both query languages."""
    parameters = {**JOB, "HyperParameters": PARAMETERS, "TrainingJobName.$": "$$.Execution.Name"}
    definition = {
        "QueryLanguage": language,
        "StartAt": "Train model (XGBoost)",
        "States": {
            "Train model (XGBoost)": task(
                language, "sagemaker:createTrainingJob.sync", parameters, Next="Save Model"
            ),
            **save_and_transform(language, "sagemaker", sync=".sync"),
        },
    }
    outcome = run(samples, definition, f"train-{language}")
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output["TransformJobStatus"] == "Completed"
    # Times of the optimised integration are milliseconds since the epoch.
    assert isinstance(outcome.output["CreationTime"], int)
    assert outcome.types.count("TaskSubmitted") == 2
    found = predictions(samples)
    assert len(found) == 40
    assert all(0 <= value <= 1 for value in found)


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_tune_save_transform(samples: Bench, language: str) -> None:
    """The sample "Tune a machine learning model" runs to its end, in both query languages."""
    name = {"HyperParameterTuningJobName.$": "$$.Execution.Name"}
    best = {"TrainingJobName.$": "$.BestTrainingJob.TrainingJobName"}
    definition = {
        "QueryLanguage": language,
        "StartAt": "HyperparameterTuning",
        "States": {
            "HyperparameterTuning": task(
                language,
                "sagemaker:createHyperParameterTuningJob.sync",
                {**TUNING, **name},
                Next="Extract Model Path",
            ),
            "Extract Model Path": task(
                language, "aws-sdk:sagemaker:describeTrainingJob", best, Next="Save Model"
            ),
            **save_and_transform(language, "sagemaker", sync=".sync"),
        },
    }
    outcome = run(samples, definition, f"tune-{language}")
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output["TransformJobStatus"] == "Completed"
    job = samples.cloud.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=f"tune-{language}"
    )
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def asked_for(language: str, kind: str, parameters: dict[str, Any], then: str) -> dict[str, Any]:
    """A job in the aws-sdk form: create it, wait, look, and go on when it is Completed."""
    member, described = f"{kind}Status", {f"{kind}Name.$": "$$.Execution.Name"}

    def choice(status: str, following: str) -> dict[str, Any]:
        if language == "JSONata":
            return {"Condition": f"{{% $states.input.{member} = '{status}' %}}", "Next": following}
        return {"Variable": f"$.{member}", "StringEquals": status, "Next": following}

    return {
        "Create": task(
            language,
            f"aws-sdk:sagemaker:create{kind}",
            {**parameters, f"{kind}Name.$": "$$.Execution.Name"},
            Next="Wait",
        ),
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Look"},
        "Look": task(language, f"aws-sdk:sagemaker:describe{kind}", described, Next="Ended?"),
        "Ended?": {
            "Type": "Choice",
            "Choices": [choice("InProgress", "Wait"), choice("Completed", then)],
            "Default": "Failed",
        },
        "Failed": {"Type": "Fail", "Error": "JobFailed"},
    }


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
@pytest.mark.parametrize("sample", ["train", "tune"])
def test_the_sdk_form_asks_for_itself(samples: Bench, sample: str, language: str) -> None:
    """With aws-sdk integrations the machine waits and looks, as where .sync is not to be had."""
    if sample == "train":
        given = {**JOB, "HyperParameters": PARAMETERS}
        states = asked_for(language, "TrainingJob", given, "Save Model")
    else:
        best = {"TrainingJobName.$": "$.BestTrainingJob.TrainingJobName"}
        states = asked_for(language, "HyperParameterTuningJob", TUNING, "Extract Model Path")
        states["Extract Model Path"] = task(
            language, "aws-sdk:sagemaker:describeTrainingJob", best, Next="Save Model"
        )
    definition = {
        "QueryLanguage": language,
        "StartAt": "Create",
        "States": {**states, **save_and_transform(language, "aws-sdk:sagemaker", sync="")},
    }
    name = f"{sample}-sdk-{language}"
    outcome = run(samples, definition, name)
    assert outcome.status == "SUCCEEDED", outcome.cause
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:transform-job/{name.lower()}"
    assert outcome.output == {"TransformJobArn": arn}
    waiter = samples.cloud.client("sagemaker").get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert len(predictions(samples)) == 40


def test_a_failed_training_says_why(samples: Bench) -> None:
    """A job that fails is States.TaskFailed with its description as cause."""
    parameters = {
        **JOB,
        "HyperParameters": {**PARAMETERS, "max_depth": "deep"},
        "TrainingJobName.$": "$$.Execution.Name",
    }
    definition = {
        "StartAt": "Train",
        "States": {"Train": task("JSONPath", "sagemaker:createTrainingJob.sync", parameters)},
    }
    outcome = run(samples, definition, "train-failed")
    assert (outcome.status, outcome.error) == ("FAILED", "States.TaskFailed")
    cause = json.loads(outcome.cause or "")
    assert cause["TrainingJobStatus"] == "Failed"
    assert "max_depth" in cause["FailureReason"]


def test_a_duplicate_name_is_a_named_error(samples: Bench) -> None:
    """A name that is taken is SageMaker.ResourceInUseException, which machines catch by name."""
    parameters = {**JOB, "HyperParameters": PARAMETERS, "TrainingJobName": "taken"}
    train = task("JSONPath", "sagemaker:createTrainingJob.sync", parameters)
    first = run(samples, {"StartAt": "A", "States": {"A": train}}, "first")
    assert first.status == "SUCCEEDED", first.cause
    caught = {"ErrorEquals": ["SageMaker.ResourceInUseException"], "Next": "B"}
    definition = {
        "StartAt": "A",
        "States": {"A": train | {"Catch": [caught]}, "B": {"Type": "Succeed"}},
    }
    second = run(samples, definition, "second")
    assert second.status == "SUCCEEDED", second.cause
    assert "Status Code: 400; Error Code: ResourceInUse" in second.output["Cause"]
