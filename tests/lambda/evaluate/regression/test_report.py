"""The report of a regression."""

import pytest

from tests.evaluation import HOSTILE, PREDICTED, TRUE, batch, evaluate, page, regression_event


def test_the_report_of_numbers_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions by label, errors by prediction, their distribution, and what to compare with."""
    _, s3 = evaluate(monkeypatch, TRUE, batch(PREDICTED), regression_event(minimum={"r2": 0.5}))
    found = page(s3)
    for expected in (
        "predicts class by 2 features",
        "labels run from 10 to 40, it was off by 1.75 on average",
        "predicting their mean throughout would give 11.18",
        "R² at least 0.5 0.9580 passed",
        "Predictions by label",
        "Errors by prediction",
        "Distribution of the errors",
        "split without regard to the label",
    ):
        assert expected in found.text
    assert found.tags.count("svg") == 3


def test_hostile_names_are_shown_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels come from the source."""
    given = regression_event()
    given["prepared"]["label"] = HOSTILE
    _, s3 = evaluate(monkeypatch, [10, 20, 30, 40], batch(PREDICTED), given)
    found = page(s3)
    assert not {"script", "img"} & set(found.tags)
    assert found.text.count(HOSTILE) >= 3
