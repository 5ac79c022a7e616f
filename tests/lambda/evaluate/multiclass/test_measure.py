"""Metrics of several classes are scikit-learn's."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from spine.shipped import load
from tests.evaluation import CLASS_LABELS, CLASSES, SHARES, batch, evaluate, multiclass_event, page

measure = load("evaluate.multiclass.measure")
Classified = load("evaluate.multiclass.rows").Classified


def test_metrics_of_several_classes_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole set of rows, macro means over the classes, and each class against the rest."""
    result, s3 = evaluate(monkeypatch, CLASS_LABELS, batch(SHARES), multiclass_event())
    found = result["metrics"]
    predicted = [int(np.argmax(row)) for row in SHARES]
    assert found["accuracy"] == 6 / 8
    for name, score in (
        ("precision_macro", sk.precision_score),
        ("recall_macro", sk.recall_score),
        ("f1_macro", sk.f1_score),
    ):
        assert found[name] == pytest.approx(score(CLASS_LABELS, predicted, average="macro"))
    assert found["auc_ovr_macro"] == pytest.approx(
        sk.roc_auc_score(CLASS_LABELS, SHARES, multi_class="ovr", average="macro")
    )
    assert found["log_loss"] == pytest.approx(
        -sum(math.log(row[label]) for label, row in zip(CLASS_LABELS, SHARES, strict=True)) / 8
    )
    assert found["confusion_matrix"] == [[3, 0, 0], [0, 1, 1], [0, 1, 2]]
    assert [each["name"] for each in found["per_class"]] == CLASSES
    assert [each["rows"] for each in found["per_class"]] == [3, 2, 3]
    assert found["per_class"][2]["precision"] == pytest.approx(2 / 3)
    assert (
        json.loads(s3.text("b", "runs/r/evaluation/metrics.json"))["per_class"]
        == (found["per_class"])
    )
    lines = s3.text("b", "runs/r/evaluation/predictions.csv").splitlines()
    assert lines[0] == "row,label,class,probability_0,probability_1,probability_2"
    assert [int(line.split(",")[2]) for line in lines[1:]] == predicted
    assert [float(value) for value in lines[4].split(",")[3:]] == pytest.approx(SHARES[3])


def test_classes_without_probabilities_leave_out_what_needs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """multi:softmax answers with the numbers of classes, written as floats."""
    given = multiclass_event("multi:softmax", maximum={})
    result, s3 = evaluate(
        monkeypatch, CLASS_LABELS, batch([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 2.0]), given
    )
    found = result["metrics"]
    assert (found["accuracy"], found["auc_ovr_macro"], found["log_loss"]) == (0.75, None, None)
    undefined = json.loads(s3.text("b", "runs/r/evaluation/metrics.json"))["undefined"]
    assert set(undefined) == {"auc_ovr_macro", "log_loss"}
    assert s3.text("b", "runs/r/evaluation/predictions.csv").splitlines()[:2] == [
        "row,label,class",
        "1,0,0",
    ]
    assert page(s3).text.count("Not drawn") == 2


_CLASS = st.integers(0, 2)
_SHARES = st.tuples(*[st.integers(0, 4)] * 3).filter(any)


@settings(deadline=None)
@given(st.lists(st.tuples(_CLASS, _CLASS, _SHARES), min_size=1, max_size=40))
def test_every_metric_is_scikit_learns(rows: list[tuple[int, int, tuple[int, int, int]]]) -> None:
    """Classes that no row has or that no row was taken for included."""
    labels, predicted = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    shares = np.array([row[2] for row in rows], dtype=np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    found = measure.metrics(Classified(labels, predicted, shares), CLASSES)
    numbers = [0, 1, 2]
    macro = sk.precision_recall_fscore_support(
        labels, predicted, labels=numbers, average="macro", zero_division=0
    )
    assert [found[f"{name}_macro"] for name in ("precision", "recall", "f1")] == pytest.approx(
        macro[:3], abs=1e-12
    )
    each = sk.precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "rows"), each, strict=True):
        assert [one[name] for one in found["per_class"]] == pytest.approx(values, abs=1e-12)
    assert found["log_loss"] == pytest.approx(sk.log_loss(labels, shares, labels=numbers))
    assert (
        found["confusion_matrix"] == sk.confusion_matrix(labels, predicted, labels=numbers).tolist()
    )
    for number, one in enumerate(found["per_class"]):
        mine = labels == number
        both = mine.any() and not mine.all()
        assert one["auc"] == (sk.roc_auc_score(mine, shares[:, number]) if both else None)
