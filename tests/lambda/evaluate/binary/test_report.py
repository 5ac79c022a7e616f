"""The report of two classes."""

import pytest

from tests.evaluation import HOSTILE, binary_report, event


def test_the_report_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics, gate, charts, data and parameters are all there."""
    page = binary_report(monkeypatch)
    for expected in (
        "Quality gate not passed",
        "it found 4 of 6 Abnormal and took 1 of 4 Normal for Abnormal",
        "0.7292",
        "ROC curve",
        "Average precision",
        "Confusion matrix",
        "Distribution of the predicted probabilities by class",
        "s3://b/incoming/a.csv",
        "a.csv, 1.2 kB",
        "registry/sagemaker-xgboost:3.2-0",
        "num_round 42",
        "1 \u00d7 ml.m5.xlarge, spot",
        "1 min 14 s",
        "validation:auc 0.9619",
        "kept for 60 minutes if the gate passes",
    ):
        assert expected in page.text
    assert page.tags.count("svg") == 3
    assert page.tags.count("title") == 4


def test_hostile_names_are_shown_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Class, feature, file and metric names come from the source; parameters from anybody."""
    given = event()
    given["prepared"]["classes"] = {"positive": HOSTILE, "negative": '"><img src=x onerror=y>'}
    given["prepared"]["features"] = [HOSTILE, "a"]
    given["prepared"]["label"] = HOSTILE
    given["prepared"]["source"]["uri"] = f"s3://b/incoming/{HOSTILE}"
    given["prepared"]["source"]["member"] = HOSTILE
    given["plan"]["training"]["hyperparameters"][HOSTILE] = HOSTILE
    given["training"]["metrics"] = [{"MetricName": HOSTILE, "Value": 1.0}]
    page = binary_report(monkeypatch, given)
    assert not {"script", "img"} & set(page.tags)
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert page.text.count(HOSTILE) >= 10


@pytest.mark.parametrize(
    ("labels", "scores", "drawn"),
    [
        ([0, 0, 0], [0.1, 0.7, 0.9], 1),
        ([1, 1], [0.9, 0.8], 2),
        ([1], [1.0], 2),
        ([0], [0.0], 1),
        ([1, 0], [0.5, 0.5], 3),
        ([1, 0], [0.1, 0.2], 3),
    ],
)
def test_a_report_is_made_of_the_oddest_test_rows(
    monkeypatch: pytest.MonkeyPatch, labels: list[int], scores: list[float], drawn: int
) -> None:
    """A curve that is not defined is left out, with the reason in its place."""
    given = event()
    given["prepared"]["positives"]["test"] = sum(labels)
    given["training"] |= {"metrics": [], "seconds": None}
    page = binary_report(monkeypatch, given, labels, scores)
    assert page.tags.count("svg") == drawn
    assert ("Not drawn" in page.text) == (drawn < 3)
