"""What the steps of a run ask of an algorithm: completed hyperparameters, objective, answers."""

import dataclasses
from typing import Any

import pytest

from spine.shipped import load
from tests.algorithms import LINEAR

XGBOOST: Any = load("algorithms").ALGORITHMS["xgboost"]
rules = load("algorithms.hyperparameters")


def test_the_version_has_one_name_in_the_settings_and_in_the_environment() -> None:
    """Both follow from the algorithm's own."""
    assert LINEAR.version_setting == "linear_version"
    assert LINEAR.version_variable == "LINEAR_VERSION"


def test_an_algorithm_completes_what_was_not_given() -> None:
    """As text, which is what SageMaker takes."""
    assert LINEAR.resolve({"epochs": 3}, version="1") == (
        {"predictor_type": "binary_classifier", "epochs": "3"},
        [],
    )


@pytest.mark.parametrize(
    ("given", "metric"),
    [
        ({}, "auc"),
        ({"objective": "multi:softprob"}, "mlogloss"),
        ({"objective": "reg:squarederror"}, "rmse"),
        ({"eval_metric": "logloss"}, "logloss"),
    ],
)
def test_the_watched_metric_follows_the_objective_unless_given(
    given: dict[str, object], metric: str
) -> None:
    """A metric of another task would fail the job after its data was loaded."""
    values, problems = XGBOOST.resolve(given, version="3.2-0")
    assert problems == []
    assert values["eval_metric"] == metric


def test_an_algorithm_without_a_choice_of_metrics_is_given_none() -> None:
    """Its container would refuse the hyperparameter."""
    values, _ = LINEAR.resolve({"predictor_type": "regressor"}, version="1")
    assert values == {"predictor_type": "regressor", "epochs": "15"}


def test_what_an_older_image_does_not_know_is_refused_by_value_and_version() -> None:
    """With both remedies; only what was given can be too new."""
    newer = dataclasses.replace(
        LINEAR,
        hyperparameters=dataclasses.replace(LINEAR.hyperparameters, since={"epochs": "2.1"}),
    )
    values, (problem,) = newer.resolve({"epochs": 3}, version="2.0-4")
    assert values["epochs"] == "3"
    assert problem.path == "training.hyperparameters.epochs"
    assert "Linear learner image 2.1 or a newer one" in problem.fault
    assert "this deployment trains with 2.0-4" in problem.fault
    assert "raise linear_version in cdk.json" in problem.remedy
    assert newer.resolve({"epochs": 3}, version="2.1-1")[1] == []
    assert newer.resolve({}, version="2.0-4")[1] == []


def test_a_wrong_value_is_told_before_what_it_would_lead_to() -> None:
    """Versions and combinations are looked at only once each value is right by itself."""
    values, problems = XGBOOST.resolve({"eta": 2, "objective": "multi:softmax"}, version="3.2-0")
    assert values
    assert [problem.path for problem in problems] == ["training.hyperparameters.eta"]


def test_the_usual_objective_is_the_first_of_its_task() -> None:
    """In the order of the table."""
    assert XGBOOST.usual_objective("multiclass") == "multi:softprob"
    assert LINEAR.usual_objective("regression") == "regressor"
    with pytest.raises(StopIteration):
        LINEAR.usual_objective("multiclass")


def test_the_objective_says_how_an_answer_is_read() -> None:
    """With as many classes as the data has."""
    form = XGBOOST.answer("multi:softprob", 4)
    assert (form.output, form.classes) == ("probabilities", 4)
    assert LINEAR.answer("regressor", 0).output == "value"


def test_the_number_of_classes_follows_from_the_data() -> None:
    """Where a label has several, and the algorithm has a hyperparameter for it."""
    assert XGBOOST.following("multiclass", 3) == {"num_class": "3"}
    assert XGBOOST.following("binary", 2) == {}
    assert XGBOOST.following("regression", 0) == {}
    assert LINEAR.following("multiclass", 3) == {}
