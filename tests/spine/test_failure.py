"""Failures in words."""

import json

import pytest

from spine import failure
from tests.spine.test_history import recorded

LAMBDA = json.dumps(
    {"errorMessage": "source.uri: is not allowed", "errorType": "X", "stackTrace": ["File ..."]}
)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (LAMBDA, "source.uri: is not allowed"),
        (json.dumps({"Error": "X", "Cause": LAMBDA}), "source.uri: is not allowed"),
        (json.dumps({"TrainingJobName": "j", "FailureReason": "AlgorithmError: x"}), "Algor"),
        ('{"errorMessage": ""}', '{"errorMessage": ""}'),
        ("{not json", "{not json"),
        ("Could not find model (Service: SageMaker, Status Code: 400)", "Could not find model"),
        ("", "No cause was given."),
    ],
)
def test_the_sentence_for_people_is_found_inside_the_cause(cause: str, words: str) -> None:
    """A Lambda's errorMessage or a job's FailureReason is shown, not the JSON around it."""
    shown = failure.readable(cause)
    assert shown.startswith(words)
    assert "stackTrace" not in shown
    assert "Status Code" not in shown


def test_a_failed_training_job_points_to_its_own_log() -> None:
    """A recorded failure of real training: state, reason, remedy, and the job's log."""
    states = recorded("training-failed")
    (train,) = [state for state in states if state.name == "Train the model"]
    found = failure.explain(
        execution="bad", error="States.TaskFailed", cause=train.cause, states=states
    )
    assert found.state == "Train the model"
    assert "monotone" in found.message
    assert "training in --input" in found.remedy
    assert found.logs == f"spine logs {train.parameters['TrainingJobName']}"


def test_a_failed_function_points_to_the_run_s_logs() -> None:
    """A function's own log holds other runs too; the run's name shows this one's part of it."""
    found = failure.explain(
        execution="bad",
        error="Runtime.ImportModuleError",
        cause=None,
        states=recorded("failed"),
    )
    assert (found.state, found.logs) == ("Evaluate", "spine logs bad")
    assert "evaluate" in found.message


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        ("InvalidInputError", "Plan the run", "--input"),
        ("SourceNotFoundError", "Prepare the data", "--source"),
        ("LabelNotFoundError", "Prepare the data", "source.label"),
        ("States.Timeout", "Train the model", "longer"),
        ("SageMaker.AmazonSageMakerException", "Create the model", "SageMaker refused"),
        ("NeverHeardOfError", "Nowhere", "log below"),
    ],
)
def test_every_failure_has_a_remedy(error: str, state: str, words: str) -> None:
    """By the error's name, else by the state it began in, else the log."""
    assert words in failure.remedy(error, state)
