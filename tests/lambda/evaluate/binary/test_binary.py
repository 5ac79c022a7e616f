"""Two classes: what their rows say, and the threshold that tells them apart."""

import pytest

from tests.evaluation import evaluation, lines

SPLIT = ["1,5,6", "0,5,6", "1,5,6"]


def test_a_row_is_of_class_1_only_above_the_threshold() -> None:
    """As the endpoint's predictions are told; a probability at the threshold is not above."""
    found = evaluation(SPLIT, lines([0.9, 0.65, 0.2]).splitlines(), threshold=0.65).columns()
    assert found.names == ("label", "probability", "class")
    labels, probabilities, classes = (list(column) for column in found.values)
    assert labels == [1, 0, 1]
    assert probabilities == [0.9, 0.65, 0.2]
    assert classes == [1, 0, 0]


def test_log_odds_have_become_probabilities() -> None:
    """Whatever the objective answers, a threshold is one of a probability."""
    output = lines([0.0, 2.0, -2.0]).splitlines()
    found = evaluation(SPLIT, output, objective="binary:logitraw", threshold=0.5).columns()
    assert [round(float(value), 4) for value in found.values[1]] == [0.5, 0.8808, 0.1192]
    assert list(found.values[2]) == [0, 1, 0]


def test_a_plan_without_a_threshold_is_a_defect() -> None:
    """Nothing is measured at a threshold that nobody chose."""
    made = evaluation(SPLIT, lines([0.9, 0.1, 0.2]).splitlines(), threshold=None)
    with pytest.raises(ValueError, match="the plan has none"):
        made.metrics()
    with pytest.raises(ValueError, match="the plan has none"):
        made.columns()
