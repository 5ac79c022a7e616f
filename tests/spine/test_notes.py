"""The words beside a state: what its task answered, and how often it was tried."""

from typing import Any

import pytest

from spine.history import State, Status
from spine.notes import note
from tests.spine.stories import BEGIN


def state(name: str = "Any", status: Status = Status.SUCCEEDED, **others: Any) -> State:
    """A state that ran for a second."""
    return State(
        name=name,
        kind="Task",
        status=status,
        started=BEGIN,
        ended=BEGIN,
        done_seconds=1.0,
        running_since=None,
        **others,
    )


@pytest.mark.parametrize(
    ("name", "result", "said"),
    [
        ("Plan the run", {"Payload": {"run": {"id": "first-0a1b2c3d"}}}, "first-0a1b2c3d"),
        (
            "Prepare the data",
            {"Payload": {"counts": {"train": 24800, "test": 31, "validate": 31}}},
            "24,800 train, 31 test, 31 validate",
        ),
        (
            "Train the model",
            {
                "FinalMetricDataList": [
                    {"MetricName": "train:auc", "Value": 1.0},
                    {"MetricName": "validation:logloss", "Value": 0.25},
                    {"MetricName": "validation:auc", "Value": 0.89054},
                ]
            },
            "validation auc 0.8905",
        ),
        (
            "Train the model",
            {"FinalMetricDataList": [{"MetricName": "validation:rmse", "Value": 2}]},
            "validation rmse 2.0000",
        ),
        ("Predict with the endpoint", {"Payload": {"rows_sent": 10}}, "10 rows"),
        ("Evaluate", {"Payload": {"metrics": {"f1": 0.5, "auc": 0.89}}}, "test AUC 0.8900"),
        ("Evaluate", {"Payload": {"metrics": {"f1_macro": 0.5}}}, "test F1 0.5000"),
        ("Evaluate", {"Payload": {"metrics": {"mae": 3, "r2": -0.5}}}, "test R² -0.5000"),
    ],
)
def test_a_state_that_succeeded_says_what_came_of_it(
    name: str, result: dict[str, Any], said: str
) -> None:
    """One figure or name each, the most telling one that there is."""
    assert note(state(name, result=result)) == said


@pytest.mark.parametrize("name", ["Clean up", "Clean up after failure"])
def test_a_clean_up_counts_what_it_deleted_by_kind(name: str) -> None:
    """One in the singular, several in the plural, and kinds with nothing are left out."""
    deleted = {"endpoints": ["a"], "endpoint_configs": ["a", "b"], "models": []}
    assert note(state(name, result={"Payload": {"deleted": deleted}})) == (
        "deleted 1 endpoint, 2 configs"
    )
    assert note(state(name, result={"Payload": {"deleted": {"models": []}}})) == "nothing to delete"


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("Sum up", {"Payload": {"run": {"id": "x"}}}),
        ("Plan the run", None),
        ("Plan the run", "text"),
        ("Plan the run", {"Payload": None}),
        ("Plan the run", {"Payload": {"run": {}}}),
        ("Prepare the data", {"Payload": {"counts": {"train": "many", "test": 1, "validate": 1}}}),
        ("Clean up", {"Payload": {"deleted": ["a"]}}),
        ("Evaluate", {"Payload": {"metrics": {"auc": None}}}),
    ],
)
def test_an_answer_of_another_form_is_not_worth_a_word(name: str, result: Any) -> None:
    """The function may be of another version; the run is shown all the same."""
    assert note(state(name, result=result)) == ""


@pytest.mark.parametrize(
    ("status", "others", "said"),
    [
        (Status.RUNNING, {}, ""),
        (Status.RUNNING, {"visits": 2, "attempts": 3}, "2 times"),
        (Status.RUNNING, {"error": "Throttled"}, ""),
        (Status.RETRYING, {"error": "Throttled"}, "Throttled, may be tried again"),
        (Status.RETRYING, {"attempts": 2}, "may be tried again, 2 attempts"),
        (Status.FAILED, {"error": "DataError", "attempts": 3}, "DataError, 3 attempts"),
        (Status.FAILED, {}, ""),
        (Status.STOPPED, {"error": "DataError"}, "interrupted"),
        (Status.SUCCEEDED, {"error": "Throttled", "attempts": 2}, "2 attempts"),
    ],
)
def test_errors_and_tries_are_told(status: Status, others: dict[str, Any], said: str) -> None:
    """An error of a state that failed or waits; a loop's visits rather than its attempts."""
    assert note(state(status=status, **others)) == said


def test_what_came_of_it_stands_before_the_number_of_tries() -> None:
    """Separated by a comma."""
    result = {"Payload": {"rows_sent": 10}}
    assert note(state("Predict with the endpoint", result=result, attempts=2)) == (
        "10 rows, 2 attempts"
    )
