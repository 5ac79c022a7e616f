"""Evaluating several classes and numbers: the join, the metrics, the gate, and the report."""

import json
import math
import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from sklearn import metrics as sk

from tests.evaluation import HOSTILE, Page, cut, event
from tests.support import FakeS3, load, use_clients

answers = load("common.answers")
charts = load("evaluate.charts")
handler = load("evaluate.handler").handler
joining = load("evaluate.join")

CLASSES = ["setosa", "versicolor", "virginica"]
# Eight rows, one of each of the last two classes taken for the other.
LABELS = [0, 0, 0, 1, 1, 2, 2, 2]
SHARES = [
    [0.9, 0.06, 0.04], [0.8, 0.15, 0.05], [0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.05, 0.35, 0.6],
    [0.0, 0.1, 0.9], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7],
]  # fmt: skip
TRUE = [10.0, 20.0, 30.0, 40.0]
PREDICTED = [12.0, 19.0, 30.0, 36.0]


def several(objective: str = "multi:softprob", **evaluation: Any) -> dict[str, Any]:
    """The handler's event for three classes."""
    given = event(**{"threshold": None, "minimum": {}, **evaluation})
    given["plan"]["task"] = "multiclass"
    given["plan"]["training"]["hyperparameters"]["objective"] = objective
    del given["prepared"]["positives"]
    given["prepared"] |= {
        "classes": {str(number): name for number, name in enumerate(CLASSES)},
        "class_counts": {part: [5, 6, 7] for part in ("train", "test", "validate")},
    }
    return given


def number(objective: str = "reg:squarederror", **evaluation: Any) -> dict[str, Any]:
    """The handler's event for a regression."""
    given = event(**{"threshold": None, "minimum": {}, **evaluation})
    given["plan"]["task"] = "regression"
    given["plan"]["training"]["hyperparameters"]["objective"] = objective
    del given["prepared"]["positives"]
    given["prepared"]["classes"] = {}
    return given


def evaluate(
    monkeypatch: pytest.MonkeyPatch, labels: list[Any], output: str, given: dict[str, Any]
) -> tuple[dict[str, Any], FakeS3]:
    """Run the handler over a test split and a batch output."""
    s3 = FakeS3()
    rows = "".join(f"{label},1.5,2\n" for label in labels)
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body=rows)
    s3.put_object(Bucket="b", Key="runs/r/batch-out/batch-in.csv.out", Body=output)
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}')
    use_clients(monkeypatch, s3=s3)
    return handler(given, None), s3


def batch(rows: list[Any]) -> str:
    """Write predictions as the container does in a batch transform: Python's own text of each."""
    return "\n".join(map(str, rows)) + "\n"


def page(s3: FakeS3) -> Page:
    """The report that was written."""
    return Page(s3.text("b", "runs/r/evaluation/report.html"))


def test_metrics_of_several_classes_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole set of rows, macro means over the classes, and each class against the rest."""
    result, s3 = evaluate(monkeypatch, LABELS, batch(SHARES), several())
    found = result["metrics"]
    predicted = [int(np.argmax(row)) for row in SHARES]
    assert found["accuracy"] == 6 / 8
    for name, score in (
        ("precision_macro", sk.precision_score),
        ("recall_macro", sk.recall_score),
        ("f1_macro", sk.f1_score),
    ):
        assert found[name] == pytest.approx(score(LABELS, predicted, average="macro"))
    assert found["auc_ovr_macro"] == pytest.approx(
        sk.roc_auc_score(LABELS, SHARES, multi_class="ovr", average="macro")
    )
    assert found["log_loss"] == pytest.approx(
        -sum(math.log(row[label]) for label, row in zip(LABELS, SHARES, strict=True)) / 8
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
    given = several("multi:softmax", maximum={})
    result, s3 = evaluate(
        monkeypatch, LABELS, batch([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 2.0]), given
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


def test_metrics_of_numbers_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are in the label's unit; the labels' own spread stands beside them."""
    result, s3 = evaluate(monkeypatch, TRUE, batch(PREDICTED), number())
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


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (number(maximum={"mae": 1.75}), True),
        (number(maximum={"mae": 1.7499}), False),
        (number(maximum={"rmse": 3, "mae": 1}), False),
        (number(minimum={"r2": 0.9}, maximum={"rmse": 3}), True),
        (number(minimum={"r2": 0.99}, maximum={"rmse": 3}), False),
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
    given = number(minimum={"r2": -1.0})
    result, _ = evaluate(monkeypatch, [5, 5], batch([4.0, 6.0]), given)
    assert result["metrics"]["r2"] is None
    (check,) = result["gate"]["checks"]
    assert check["passed"] is False
    assert "all the same" in check["reason"]


def test_a_value_just_above_its_maximum_is_shown_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded, 1.2000001 would look like the 1.2 it was asked not to exceed."""
    _, s3 = evaluate(
        monkeypatch, [0, 10], batch([1.2000001, 11.2000001]), number(maximum={"mae": 1.2})
    )
    assert re.search(r"1\.20000\d+ not passed", page(s3).text)


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
    found = joining.join(["1,5", "0,6"], cut(output), answers.form(objective, 3), features=1)
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
        joining.join(cut(rows), cut(output), answers.form(objective, 3))


@pytest.mark.parametrize("text", ["-12.5", "3e-05", "7", "1e+20"])
def test_numbers_of_any_size_and_sign_are_read(text: str) -> None:
    """A regression answers with whatever number fits best."""
    found = joining.join(["-4.5,5"], [text], answers.form("reg:squarederror", 0))
    assert found.predictions.tolist() == [float(text)]
    assert found.labels.tolist() == [-4.5]


@pytest.mark.parametrize(
    ("score", "probability"),
    [("0.0", 0.5), ("2.5", 1 / (1 + math.exp(-2.5))), ("-1000", 0.0), ("1e5", 1.0)],
)
def test_a_score_becomes_the_probability_it_stands_for(score: str, probability: float) -> None:
    """binary:logitraw answers with log-odds; the rest is as with binary:logistic."""
    found = joining.join(["1,5"], [score], answers.form("binary:logitraw", 2))
    assert found.probabilities[0] == pytest.approx(probability)


@pytest.mark.slow
def test_hundreds_of_classes_fit_the_payload_of_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files have everything; the output has what is left, far below Step Functions' limit."""
    count = 256
    given = several()
    given["prepared"]["classes"] = {str(at): f"class {at}" * 10 for at in range(count)}
    given["prepared"]["class_counts"] = {
        part: [1] * count for part in ("train", "test", "validate")
    }
    rows = np.full((count, count), 0.5 / (count - 1))
    np.fill_diagonal(rows, 0.5)
    rows[0] = np.roll(rows[0], 1)
    result, s3 = evaluate(monkeypatch, list(range(count)), batch(rows.tolist()), given)
    assert result["metrics"]["accuracy"] == 255 / 256
    assert len(json.dumps(result)) < 10_000
    written = json.loads(s3.text("b", "runs/r/evaluation/metrics.json"))
    assert len(written["confusion_matrix"]) == len(written["per_class"]) == count
    text = page(s3).text
    assert "most frequent confusions" in text
    assert "the 8 hardest of 256" in text


def test_the_report_of_classes_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix, every class, the curves, how sure it was, and the gate."""
    given = several(maximum={"log_loss": 0.1})
    _, s3 = evaluate(monkeypatch, LABELS, batch(SHARES), given)
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


def test_the_report_of_numbers_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions by label, errors by prediction, their distribution, and what to compare with."""
    _, s3 = evaluate(monkeypatch, TRUE, batch(PREDICTED), number(minimum={"r2": 0.5}))
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


@pytest.mark.parametrize("kind", ["several", "number"])
def test_hostile_names_are_shown_not_run(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Labels and classes come from the source."""
    if kind == "several":
        given, labels, output = several(), LABELS, batch(SHARES)
        given["prepared"]["classes"] = {str(at): f"{HOSTILE}{at}" for at in range(3)}
    else:
        given, labels, output = number(), [10, 20, 30, 40], batch(PREDICTED)
    given["prepared"]["label"] = HOSTILE
    _, s3 = evaluate(monkeypatch, labels, output, given)
    found = page(s3)
    assert not {"script", "img"} & set(found.tags)
    assert found.text.count(HOSTILE) >= 3


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [(0.0, 9.7, "0", "10"), (-0.003, 0.0011, "-0.003", "0.002"), (5.0, 5.0, "4.4", "5.6"),
     (-2e6, 3e6, "-2M", "3M"), (5e3, 34e4, "0", "400k")],
)  # fmt: skip
def test_scales_have_round_ends_that_hold_every_point(
    low: float, high: float, first: str, last: str
) -> None:
    """Whatever the unit, points lie within the frame and ticks read easily."""
    svg = ET.fromstring(  # noqa: S314 (our own)
        charts.scatter(
            [(low, low), (high, high)],
            name="n",
            title="t",
            description="d",
            x_label="x",
            y_label="y",
            line="diagonal",
        )
    )
    ticks = [e.text for e in svg.iter("text") if e.get("class") == "tick"]
    assert first in ticks
    assert last in ticks
    for dot in svg.iter("circle"):
        assert 62 <= float(dot.get("cx", "0")) <= 464
        assert 16 <= float(dot.get("cy", "0")) <= 348
