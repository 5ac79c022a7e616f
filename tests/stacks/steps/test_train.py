"""The training job: on what was prepared, and given up after SageMaker would have stopped it."""

from typing import Any

import pytest

from gates.machine import Machine
from tests.support import jsonata


@pytest.fixture
def task(machine: Machine) -> dict[str, Any]:
    """The state of the job."""
    return machine.tasks()["Train the model"]


@pytest.mark.parametrize(
    ("condition", "seconds"),
    [
        ({"MaxRuntimeInSeconds": 3600}, 7200),
        ({"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 5000}, 8600),
    ],
)
def test_a_job_has_an_hour_beyond_its_own_limit(
    task: dict[str, Any], condition: dict[str, int], seconds: int
) -> None:
    """For capacity and images; of spot training the limit is the longest wait."""
    seen = {"plan": {"training": {"stopping_condition": condition}}}
    assert jsonata(task["TimeoutSeconds"], seen) == seconds
    assert jsonata(task["Arguments"]["StoppingCondition"], seen) == condition


def test_what_follows_from_the_data_wins(task: dict[str, Any]) -> None:
    """How many classes there are is known once the data is prepared."""
    seen = {
        "plan": {"training": {"hyperparameters": {"objective": "multi:softmax", "eta": "0.3"}}},
        "prepared": {"hyperparameters": {"num_class": "3"}},
    }
    assert jsonata(task["Arguments"]["HyperParameters"], seen) == {
        "objective": "multi:softmax",
        "eta": "0.3",
        "num_class": "3",
    }


def test_it_trains_on_one_part_and_is_watched_on_another(task: dict[str, Any]) -> None:
    """The test part is not among its channels."""
    places = {"train": "s3://b/train/", "validate": "s3://b/validate/", "test": "s3://b/test/"}
    seen = {"plan": {"places": places, "preparation": {"distribution": "ShardedByS3Key"}}}
    channels = {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]
        for each in task["Arguments"]["InputDataConfig"]
    }
    assert {name: jsonata(each["S3Uri"], seen) for name, each in channels.items()} == {
        "train": "s3://b/train/",
        "validation": "s3://b/validate/",
    }
    for each in channels.values():
        assert jsonata(each["S3DataDistributionType"], seen) == "ShardedByS3Key"


@pytest.mark.parametrize(("told", "seconds"), [({"TrainingTimeInSeconds": 74}, 74), ({}, 0)])
def test_what_later_steps_need_is_kept_of_the_answer(
    task: dict[str, Any], told: dict[str, int], seconds: int
) -> None:
    """Names and numbers, also where SageMaker tells no time and only one metric."""
    metric = {"MetricName": "validation:auc", "Value": 0.9, "Timestamp": 1}
    answer = {
        "TrainingJobName": "spine-dev-x-0-0",
        "AlgorithmSpecification": {"TrainingImage": "image:1"},
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        "FinalMetricDataList": [metric],
        **told,
    }
    kept = {
        name: jsonata(expression, {"states": {"result": answer}})
        for name, expression in task["Assign"]["training"].items()
    }
    assert kept == {
        "job_name": "spine-dev-x-0-0",
        "image": "image:1",
        "model_data": "s3://b/model.tar.gz",
        "seconds": seconds,
        "metrics": [{"MetricName": "validation:auc", "Value": 0.9}],
    }


def test_the_volume_is_what_the_prepared_data_takes(task: dict[str, Any]) -> None:
    """The preparation has measured what it wrote."""
    size = task["Arguments"]["ResourceConfig"]["VolumeSizeInGB"]
    assert jsonata(size, {"prepared": {"training_volume_gb": 129}}) == 129


def test_on_spot_each_attempt_goes_on_from_the_checkpoints_of_the_last(machine: Machine) -> None:
    """They lie in the run's folder, whatever the attempt; the job is otherwise the same."""
    demand = dict(machine.tasks()["Train the model"]["Arguments"])
    spot = dict(machine.tasks()["Train on spot"]["Arguments"])
    seen = {"plan": {"places": {"checkpoints": "s3://b/runs/r/checkpoints/"}}}
    checkpoints = spot.pop("CheckpointConfig")
    assert jsonata(checkpoints["S3Uri"], seen) == "s3://b/runs/r/checkpoints/"
    assert "CheckpointConfig" not in demand
    assert spot.pop("EnableManagedSpotTraining") is True
    assert demand.pop("EnableManagedSpotTraining") is False
    assert spot == demand


@pytest.mark.parametrize(("spot", "way"), [(True, "Train on spot"), (False, "Train the model")])
def test_the_plan_says_on_what_capacity(machine: Machine, spot: bool, way: str) -> None:
    """Both go on with the model."""
    choice = machine.states()["On spot?"]
    (rule,) = choice["Choices"]
    is_spot = jsonata(rule["Condition"], {"plan": {"training": {"spot": spot}}})
    assert (rule["Next"] if is_spot else choice["Default"]) == way
    assert machine.states()[way]["Next"] == "Create the model"
