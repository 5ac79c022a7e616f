"""Hyperparameter tuning jobs: what they try, how many at once, and what they say was best."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ENDLESS,
    IMAGE,
    ROLE,
    Cloud,
    channel,
    descendants,
    refused,
    start,
    stop,
    until,
)

RANGES: dict[str, Any] = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
    ],
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "6"}],
}
OBJECTIVE = {"Type": "Maximize", "MetricName": "validation:auc"}


def configuration(strategy: str = "Bayesian", most: int | None = 3, **changes: Any) -> Any:
    """A HyperParameterTuningJobConfig."""
    limits = {"MaxParallelTrainingJobs": 2}
    if most is not None:
        limits["MaxNumberOfTrainingJobs"] = most
    return {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ResourceLimits": limits,
        "ParameterRanges": RANGES,
    } | changes


def request_for(name: str, config: Any = None, **changes: Any) -> dict[str, Any]:
    """A request for CreateHyperParameterTuningJob."""
    definition = {
        "StaticHyperParameters": {"num_round": "10", "objective": "binary:logistic"},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel("train", "train/"), channel("validation", "validation/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuned/"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    } | changes
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config or configuration(),
        "TrainingJobDefinition": definition,
    }


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    """Describes a tuning job."""
    found: dict[str, Any] = cloud.sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )
    return found


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    """Waits for a tuning job's end."""

    def over() -> dict[str, Any] | None:
        found = describe(cloud, name)
        running = found["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping")
        return None if running else found

    found: dict[str, Any] = until(over, 40)
    return found


def tune(cloud: Cloud, request: dict[str, Any]) -> dict[str, Any]:
    """Creates a tuning job and waits for its end."""
    cloud.sagemaker.create_hyper_parameter_tuning_job(**request)
    return ended(cloud, request["HyperParameterTuningJobName"])


def training_jobs(cloud: Cloud, name: str, **options: Any) -> list[dict[str, Any]]:
    """A tuning job's training jobs, through the paginator."""
    paginator = cloud.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    pages = paginator.paginate(
        HyperParameterTuningJobName=name, PaginationConfig={"PageSize": 2}, **options
    )
    return [item for page in pages for item in page["TrainingJobSummaries"]]


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_the_best_training_job_is_found(cloud: Cloud, strategy: str) -> None:
    """A tuning job trains as often as allowed and names the job with the best objective."""
    name = f"tune-{strategy.lower()}"
    job = tune(cloud, request_for(name, configuration(strategy)))

    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] <= job["HyperParameterTuningEndTime"]
    found = training_jobs(cloud, name)
    assert [item["TrainingJobName"][: len(name) + 5] for item in found] == [
        f"{name}-{number:03d}-" for number in (1, 2, 3)
    ]
    for item in found:
        values = item["TunedHyperParameters"]
        assert 0.01 <= float(values["eta"]) <= 0.5
        assert 2 <= int(values["max_depth"]) <= 6
        trained = cloud.describe_training(item["TrainingJobName"])
        assert trained["TuningJobArn"] == job["HyperParameterTuningJobArn"]
        assert trained["HyperParameters"] == {
            "num_round": "10",
            "objective": "binary:logistic",
            "_tuning_objective_metric": "validation:auc",
            **values,
        }
        metrics = {m["MetricName"]: m["Value"] for m in trained["FinalMetricDataList"]}
        final = item["FinalHyperParameterTuningJobObjectiveMetric"]
        assert final["Value"] == pytest.approx(metrics["validation:auc"])
    ranked = training_jobs(cloud, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(
        ranked[0]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    )
    assert best["ObjectiveStatus"] == "Succeeded"
    key = f"tuned/{best['TrainingJobName']}/output/model.tar.gz"
    assert cloud.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0


def test_a_grid_tries_every_combination(cloud: Cloud) -> None:
    """Grid needs no number of jobs: it trains each combination of the categories once."""
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "max_depth", "Values": ["2", "4"]},
            {"Name": "booster", "Values": ["gbtree", "dart"]},
        ]
    }
    job = tune(cloud, request_for("grid", configuration("Grid", None, ParameterRanges=ranges)))
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    tried = [item["TunedHyperParameters"] for item in training_jobs(cloud, "grid")]
    assert sorted((each["max_depth"], each["booster"]) for each in tried) == [
        ("2", "dart"),
        ("2", "gbtree"),
        ("4", "dart"),
        ("4", "gbtree"),
    ]


def test_a_target_ends_tuning_early(cloud: Cloud) -> None:
    """TargetObjectiveMetricValue ends the job Completed as soon as a training job reaches it."""
    config = configuration(
        most=20,
        ResourceLimits={"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 1},
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.5},
    )
    job = tune(cloud, request_for("target", config))
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1


def test_training_jobs_that_all_fail_fail_the_job(cloud: Cloud) -> None:
    """Without one success the job is Failed, and the training jobs say why."""
    request = request_for(
        "hopeless", configuration(most=2), StaticHyperParameters={"num_round": "none"}
    )
    job = tune(cloud, request)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed.")
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert job["ObjectiveStatusCounters"]["Failed"] == 2
    (first, _) = training_jobs(cloud, "hopeless", StatusEquals="Failed")
    assert "num_round: could not parse value" in first["FailureReason"]


def test_parallel_limits_killed_jobs_and_stopping(
    s3_url: str, tmp_path: Path, cloud: Cloud
) -> None:
    """Never more than allowed run at once; a killed one counts as failed; a stop ends the rest."""
    own = start(s3_url, tmp_path, "--stop-grace=1")
    try:
        request = request_for(
            "endless", configuration(most=50), StaticHyperParameters=without_metric(ENDLESS)
        )
        own.sagemaker.create_hyper_parameter_tuning_job(**request)
        children = until(lambda: two if len(two := descendants(own.process.pid)) == 2 else None)
        assert describe(own, "endless")["TrainingJobStatusCounters"]["InProgress"] == 2

        os.kill(children[0], signal.SIGKILL)
        until(
            lambda: describe(own, "endless")["TrainingJobStatusCounters"]["NonRetryableError"] == 1
        )
        until(lambda: len(descendants(own.process.pid)) == 2)
        assert describe(own, "endless")["TrainingJobStatusCounters"]["InProgress"] == 2

        own.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="endless")
        job = ended(own, "endless")
        assert job["HyperParameterTuningJobStatus"] == "Stopped"
        assert "FailureReason" not in job
        assert job["TrainingJobStatusCounters"] == {
            "Completed": 0,
            "InProgress": 0,
            "RetryableError": 0,
            "NonRetryableError": 1,
            "Stopped": 2,
        }
        assert not descendants(own.process.pid)
        code, _ = refused(
            lambda: own.sagemaker.stop_hyper_parameter_tuning_job(
                HyperParameterTuningJobName="endless"
            )
        )
        assert code == "ValidationException"
    finally:
        stop(own)


def without_metric(given: dict[str, str]) -> dict[str, str]:
    """Hyperparameters without the metric that the objective asks for anyway."""
    return {name: value for name, value in given.items() if name != "eval_metric"}


def test_tuning_jobs_are_listed(cloud: Cloud) -> None:
    """The list shows strategy, limits and counters."""
    tune(cloud, request_for("listed-tuning", configuration("Random", 1)))
    (found,) = cloud.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="listed-tuning")[
        "HyperParameterTuningJobSummaries"
    ]
    assert found["Strategy"] == "Random"
    assert found["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 1
    assert found["TrainingJobStatusCounters"]["Completed"] == 1
    code, _ = refused(
        lambda: cloud.sagemaker.create_hyper_parameter_tuning_job(**request_for("listed-tuning"))
    )
    assert code == "ResourceInUse"
    code, message = refused(lambda: describe(cloud, "nothing"))
    assert (code, "nothing" in message) == ("ResourceNotFound", True)


def changed(config: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """A request that differs from the good one."""
    return request_for("refused", configuration(**(config or {}))) | members


SAME = {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.2"}
REFUSED: dict[str, dict[str, Any]] = {
    "WarmStartConfig of CreateHyperParameterTuningJob is not available locally": changed(
        WarmStartConfig={
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "grid"}],
            "WarmStartType": "IdenticalDataAndAlgorithm",
        }
    ),
    "Strategy 'Hyperband'": changed({"strategy": "Hyperband"}),
    "TrainingJobEarlyStoppingType 'Auto'": changed({"TrainingJobEarlyStoppingType": "Auto"}),
    "Autotune.Mode": changed(Autotune={"Mode": "Enabled"}),
    "objective metric validation:auc with type Minimize isn't valid": changed(
        {"HyperParameterTuningJobObjective": {**OBJECTIVE, "Type": "Minimize"}}
    ),
    "objective metric train:auc": changed(
        {"HyperParameterTuningJobObjective": {**OBJECTIVE, "MetricName": "train:auc"}}
    ),
    "MaxNumberOfTrainingJobs is required": changed({"most": None}),
    "At least one hyperparameter range": changed({"ParameterRanges": {}}),
    "must be unique": changed({"ParameterRanges": {"ContinuousParameterRanges": [SAME, SAME]}}),
    "MinValue 0.3 must not be greater than MaxValue 0.2": changed(
        {"ParameterRanges": {"ContinuousParameterRanges": [{**SAME, "MinValue": "0.3"}]}}
    ),
    "MinValue 'low'": changed(
        {"ParameterRanges": {"ContinuousParameterRanges": [{**SAME, "MinValue": "low"}]}}
    ),
    "Logarithmic scaling needs": changed(
        {
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {**SAME, "MinValue": "0", "ScalingType": "Logarithmic"}
                ]
            }
        }
    ),
    "takes CategoricalParameterRanges only": changed({"strategy": "Grid", "most": None}),
    "can't be both in StaticHyperParameters": changed(
        {
            "ParameterRanges": {
                "CategoricalParameterRanges": [{"Name": "num_round", "Values": ["1"]}]
            }
        }
    ),
    "No S3 objects found": request_for("refused", InputDataConfig=[channel("train", "not-there/")]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_wrong_requests_are_refused(cloud: Cloud, what: str) -> None:
    """What is wrong or not offered is said at once, by name."""
    code, message = refused(
        lambda: cloud.sagemaker.create_hyper_parameter_tuning_job(**REFUSED[what])
    )
    assert code == "ValidationException"
    assert what in message
