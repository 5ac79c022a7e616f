"""Metrics of two classes by hand and by the literature."""

import pytest

from spine.shipped import load
from tests.evaluation import LABELS, SCORES, scored

measure = load("evaluate.binary.measure")
hold = load("evaluate.gate").hold
METRICS = ("auc", "accuracy", "precision", "recall", "f1")


def test_metrics_are_those_computed_by_hand() -> None:
    """A score on the threshold is class 0; a tie between the classes counts half in the AUC."""
    values = measure.metrics(scored(LABELS, SCORES), 0.65)
    assert values["confusion_matrix"] == {"tn": 3, "fp": 1, "fn": 2, "tp": 4}
    assert values["accuracy"] == pytest.approx(7 / 10)
    assert values["precision"] == pytest.approx(4 / 5)
    assert values["recall"] == pytest.approx(4 / 6)
    assert values["f1"] == pytest.approx(8 / 11)
    # Pairs won by the positives: .99 beats 4, .9 beats 3 and ties 1, .8 .7 .65 beat 3, .2 beats 1.
    assert values["auc"] == pytest.approx((4 + 3.5 + 3 + 3 + 3 + 1) / 24)
    assert (values["rows"], values["threshold"]) == (10, 0.65)


@pytest.mark.parametrize(
    ("labels", "scores", "missing"),
    [
        ([0, 0], [0.9, 0.1], {"auc", "recall"}),
        ([1, 1], [0.1, 0.2], {"auc", "precision"}),
        ([0], [0.1], {"auc", "precision", "recall", "f1"}),
        ([1, 0], [0.6, 0.1], {"precision"}),
        ([1], [0.9], {"auc"}),
    ],
)
def test_a_metric_that_would_divide_by_nothing_is_none_with_a_reason(
    labels: list[int], scores: list[float], missing: set[str]
) -> None:
    """NaN would not survive JSON, and 0 would be a lie."""
    values = measure.metrics(scored(labels, scores), 0.65)
    assert {name for name in METRICS if values[name] is None} == missing
    assert set(measure.undefined(values)) == missing
    for name in missing:
        gate = hold(values, {name: 0.0}, {}, measure.undefined(values))
        assert gate["passed"] is False
        assert gate["checks"][0]["reason"]


def test_intervals_are_those_of_the_literature() -> None:
    """Wilson's for 8 of 10, and Hanley and McNeil's published standard error."""
    values = {
        "rows": 10,
        "confusion_matrix": {"tp": 4, "tn": 4, "fp": 1, "fn": 1},
        "auc": 0.893,
    }
    low, high = measure.intervals(values)["accuracy"]
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    # The paper's CT example: area 0.893, 51 abnormal and 58 normal, standard error 0.032.
    values["rows"] = 109
    values["confusion_matrix"] = {"tp": 51, "fn": 0, "tn": 58, "fp": 0}
    low, high = measure.intervals(values)["auc"]
    assert (high - low) / 2 / 1.96 == pytest.approx(0.032, abs=1e-3)


def test_the_histogram_holds_every_row() -> None:
    """0 and 1 themselves fall in the first and the last bin."""
    negative, positive = measure.histogram(scored([0, 0, 1, 1], [0.0, 0.06, 0.96, 1.0]), 20)
    assert (negative[0], negative[1], positive[19]) == (1, 1, 2)
    assert sum(negative) + sum(positive) == 4
