"""Metrics of a regression are scikit-learn's."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from spine.shipped import load
from tests.evaluation import PREDICTED, TRUE, batch, evaluate, regression_event

measure = load("evaluate.regression.measure")
Estimated = load("evaluate.regression.rows").Estimated


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


_NUMBER = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(st.lists(st.tuples(_NUMBER, _NUMBER), min_size=2, max_size=40))
def test_every_error_is_scikit_learns(rows: list[tuple[float, float]]) -> None:
    """In the label's unit; R2 where the labels differ."""
    labels, predictions = (np.array(column) for column in zip(*rows, strict=True))
    found = measure.metrics(Estimated(labels, predictions))
    for name, score in (
        ("rmse", sk.root_mean_squared_error),
        ("mae", sk.mean_absolute_error),
        ("median_absolute_error", sk.median_absolute_error),
        ("max_error", sk.max_error),
    ):
        assert found[name] == pytest.approx(score(labels, predictions), rel=1e-12), name
    if found["r2"] is not None:
        assert found["r2"] == pytest.approx(sk.r2_score(labels, predictions), rel=1e-9)
    else:
        assert np.ptp(labels) < 1e-150


def test_labels_that_are_all_the_same_have_no_r2() -> None:
    """There is nothing to explain; 0 or 1 would be a claim."""
    labels, predictions = np.full(3, 2.0), np.array([1.0, 2.0, 3.0])
    found = measure.metrics(Estimated(labels, predictions))
    assert found["r2"] is None
    assert measure.undefined(found) == {"r2": "the test rows' labels are all the same"}
