"""The report of several classes."""

import pytest

from tests.evaluation import CLASS_LABELS, HOSTILE, SHARES, batch, evaluate, multiclass_event, page


def test_the_report_of_classes_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix, every class, the curves, how sure it was, and the gate."""
    given = multiclass_event(maximum={"log_loss": 0.1})
    _, s3 = evaluate(monkeypatch, CLASS_LABELS, batch(SHARES), given)
    found = page(s3)
    for expected in (
        "tells 3 classes of class apart by 2 features",
        "it was right about 6",
        "finds best is setosa (100 % of its rows), the one it misses most versicolor (50 %)",
        "Confusion matrix",
        "Each class against the rest",
        "Log loss at most 0.1",
        "ROC curves",
        "Probability of the class predicted",
        "setosa is 0, versicolor is 1, virginica is 2",
        "split with each class in the same share",
    ):
        assert expected in found.text
    assert found.tags.count("svg") == 2


def test_hostile_names_are_shown_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels and classes come from the source."""
    given = multiclass_event()
    given["prepared"]["classes"] = {str(at): f"{HOSTILE}{at}" for at in range(3)}
    given["prepared"]["label"] = HOSTILE
    _, s3 = evaluate(monkeypatch, CLASS_LABELS, batch(SHARES), given)
    found = page(s3)
    assert not {"script", "img"} & set(found.tags)
    assert found.text.count(HOSTILE) >= 3
