"""The quality gate."""

from typing import Any

import pytest

from spine.shipped import load
from tests.evaluation import (
    LABELS,
    PREDICTED,
    SCORES,
    TRUE,
    batch,
    evaluate,
    page,
    regression_event,
    scored,
)

measure = load("evaluate.binary.measure")
hold = load("evaluate.gate").hold


@pytest.mark.parametrize(
    ("minimum", "passed"),
    [
        ({}, True),
        ({"accuracy": 0.7}, True),
        ({"accuracy": 0.7000001}, False),
        ({"accuracy": 0.1, "recall": 0.9}, False),
    ],
)
def test_the_gate_passes_when_every_metric_reaches_its_minimum(
    minimum: dict[str, float], passed: bool
) -> None:
    """Equal is enough; each check is reported, in the order asked for."""
    gate = hold(measure.metrics(scored(LABELS, SCORES), 0.65), minimum, {}, {})
    assert gate["passed"] is passed
    assert [check["metric"] for check in gate["checks"]] == list(minimum)


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (regression_event(maximum={"mae": 1.75}), True),
        (regression_event(maximum={"mae": 1.7499}), False),
        (regression_event(maximum={"rmse": 3, "mae": 1}), False),
        (regression_event(minimum={"r2": 0.9}, maximum={"rmse": 3}), True),
        (regression_event(minimum={"r2": 0.99}, maximum={"rmse": 3}), False),
    ],
)
def test_a_maximum_must_not_be_exceeded(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], passed: bool
) -> None:
    """Equal is enough; minima and maxima are all held, and all reported."""
    result, s3 = evaluate(monkeypatch, TRUE, batch(PREDICTED), given)
    asked = given["plan"]["evaluation"]
    assert result["gate"]["passed"] is passed
    assert [check["metric"] for check in result["gate"]["checks"]] == [
        *asked["minimum"],
        *asked["maximum"],
    ]
    text = page(s3).text
    assert "at most" in text
    assert ("Quality gate passed" in text) == passed


def test_an_undefined_metric_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """R² of labels that are all the same is no number, and the gate says why."""
    given = regression_event(minimum={"r2": -1.0})
    result, _ = evaluate(monkeypatch, [5, 5], batch([4.0, 6.0]), given)
    assert result["metrics"]["r2"] is None
    (check,) = result["gate"]["checks"]
    assert check["passed"] is False
    assert "all the same" in check["reason"]
