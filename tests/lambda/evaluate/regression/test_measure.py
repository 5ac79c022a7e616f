"""Metrics of a regression are scikit-learn's."""

import math

import pytest

from tests.evaluation import PREDICTED, TRUE, batch, evaluate, regression_event


def test_metrics_of_numbers_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are in the label's unit; the labels' own spread stands beside them."""
    result, s3 = evaluate(monkeypatch, TRUE, batch(PREDICTED), regression_event())
    assert result["metrics"] == {
        "rows": 4,
        "r2": pytest.approx(1 - 21 / 500),
        "rmse": pytest.approx(math.sqrt(21 / 4)),
        "mae": pytest.approx(7 / 4),
        "median_absolute_error": pytest.approx(1.5),
        "max_error": pytest.approx(4),
        "label": {
            "min": 10.0,
            "max": 40.0,
            "mean": 25.0,
            "standard_deviation": pytest.approx(math.sqrt(125)),
        },
    }
    assert s3.text("b", "runs/r/evaluation/predictions.csv").splitlines()[:2] == [
        "row,label,prediction",
        "1,10.0,12.0",
    ]
