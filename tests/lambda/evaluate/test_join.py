"""Joining the batch transform's output with the test rows."""

import math
import re

import pytest

from spine.shipped import load
from tests.evaluation import cut, evaluation, split_csv

joining = load("evaluate.join")
answer = load("algorithms").DEFAULT.answer

BINARY = answer("binary:logistic", 2)


@pytest.mark.parametrize(
    "output",
    [
        "0.25\n0.5\n1e-05\n",
        "0.25\n\n0.5\n\n1e-05",
        "0.25,0.5,1e-05\n",
        "0.25,0.5\n1e-05\n\n\n",
        "0.25\r\n0.5\r\n1e-05\r\n",
    ],
)
def test_every_way_a_transform_writes_predictions_is_read(output: str) -> None:
    """Line by line, with blank lines between requests, or comma-joined by older images."""
    labels, answers, _ = joining.join(cut(split_csv([1, 0, 1])), cut(output), BINARY, features=2)
    assert answers.tolist() == [[0.25], [0.5], [0.00001]]
    assert labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("rows", "output", "says"),
    [
        ("1,2\n0,3\n", "0.5\n", "1 predictions for 2 test rows"),
        ("1,2\n", "0.5\n0.5\n", "2 predictions for 1 test rows"),
        ("1,2\n0,3\n", "", "0 predictions for 2 test rows"),
        ("1,2\n0,3\n", "0.5\nnan\n", "Prediction 2 of the batch output is 'nan'"),
        ("1,2\n0,3\n", "0.5\n1.5\n", "Prediction 2 of the batch output is '1.5'"),
        ("1,2\n0,3\n", "0.5,\n0.5\n", "Prediction 2 of the batch output is ''"),
        ("1,2\n0,3\n", "-0.5\n0.5\n", "Prediction 1"),
        ("1,2\n", '{"predictions":[{"score":0.5}]}\n', "Prediction 1"),
        ("2,2\n", "0.5\n", "Row 1 of the test split starts with '2'"),
        ("Abnormal,2\n", "0.5\n", "starts with 'Abnormal'"),
        ("", "", "has no rows"),
    ],
)
def test_an_output_that_does_not_fit_is_refused(rows: str, output: str, says: str) -> None:
    """Joining by position is only right when everything fits."""
    with pytest.raises(joining.BatchOutputError, match=re.escape(says)):
        joining.join(cut(rows), cut(output), BINARY)


def test_rows_narrower_than_the_profile_are_refused() -> None:
    """The container would have scored them silently, and wrongly."""
    with pytest.raises(joining.BatchOutputError, match=r"Row 1 .* has 2 features .* says 3"):
        joining.join(cut(split_csv([1, 0])), ["0.5", "0.6"], BINARY, features=3)


@pytest.mark.parametrize(
    ("objective", "output", "expected"),
    [
        ("multi:softprob", "[0.2, 0.3, 0.5]\n[1.0, 0.0, 0.0]\n", [2, 0]),
        ("multi:softprob", "[0.2, 0.3, 0.5]\n\n[1.0, 0.0, 0.0]", [2, 0]),
        ("multi:softprob", "0.2,0.3,0.5\n1.0,0.0,0.0\n", [2, 0]),
        ("multi:softprob", "[0.2, 0.3, 0.5],[1.0, 0.0, 0.0]\n", [2, 0]),
        ("multi:softprob", "[0.2, 0.3, 0.4999]\n[1.0, 1e-09, 0.0]\n", [2, 0]),
        ("multi:softmax", "2.0\n0.0\n", [2, 0]),
        ("multi:softmax", "2.0,0.0", [2, 0]),
    ],
)
def test_every_way_classes_are_written_is_read(
    objective: str, output: str, expected: list[int]
) -> None:
    """In brackets by a batch transform, joined by commas by others and by older images."""
    found = evaluation(["1,5", "0,6"], cut(output), objective=objective, classes=3).rows
    assert found.classes.tolist() == expected
    if found.probabilities is not None:
        assert found.probabilities.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("objective", "rows", "output", "says"),
    [
        ("multi:softprob", "1,5\n", "[0.5, 0.5]\n", "not a probability for each class"),
        ("multi:softprob", "1,5\n", "[0.2, 0.3, 0.6]\n", "together 1"),
        ("multi:softprob", "1,5\n", "[-0.2, 0.6, 0.6]\n", "Prediction 1"),
        ("multi:softprob", "1,5\n", "[0.2, 0.3, 0.5, 0.0]\n", "Prediction 2"),
        ("multi:softprob", "1,5\n", "[0.2, 0.3, 0.5]\n" * 2, "2 predictions for 1 test rows"),
        ("multi:softprob", "3,5\n", "[0.2, 0.3, 0.5]\n", "instead of its label, 0 to 2"),
        ("multi:softprob", "1.0,5\n", "[0.2, 0.3, 0.5]\n", "instead of its label"),
        ("multi:softmax", "1,5\n", "1.5\n", "not the number of a class"),
        ("multi:softmax", "1,5\n", "3.0\n", "not the number of a class"),
        ("reg:squarederror", "1,5\n", "nan\n", "'nan', not a number"),
        ("reg:squarederror", "1,5\n", "1e999\n", "not a number"),
        ("reg:squarederror", "high,5\n", "1.0\n", "instead of its label, a number"),
    ],
)
def test_answers_of_another_objective_are_refused(
    objective: str, rows: str, output: str, says: str
) -> None:
    """Joining by position is only right when everything fits."""
    with pytest.raises(joining.BatchOutputError, match=re.escape(says)):
        joining.join(cut(rows), cut(output), answer(objective, 3))


@pytest.mark.parametrize("text", ["-12.5", "3e-05", "7", "1e+20"])
def test_numbers_of_any_size_and_sign_are_read(text: str) -> None:
    """A regression answers with whatever number fits best."""
    labels, answers, _ = joining.join(["-4.5,5"], [text], answer("reg:squarederror", 0))
    assert answers.tolist() == [[float(text)]]
    assert labels.tolist() == [-4.5]


@pytest.mark.parametrize(
    ("score", "probability"),
    [("0.0", 0.5), ("2.5", 1 / (1 + math.exp(-2.5))), ("-1000", 0.0), ("1e5", 1.0)],
)
def test_a_score_becomes_the_probability_it_stands_for(score: str, probability: float) -> None:
    """binary:logitraw answers with log-odds; the rest is as with binary:logistic."""
    found = evaluation(["1,5"], [score], objective="binary:logitraw").rows
    assert found.probabilities[0] == pytest.approx(probability)
