"""Evaluating a run: the join, metrics by hand, the gate, and a report for hostile names."""

import json
import re
import tracemalloc
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.evaluation import FOLDER, HOSTILE, Page, cut, event
from tests.support import FakeS3, client_error, load, use_clients

charts = load("evaluate.charts")
handler = load("evaluate.handler").handler
joining = load("evaluate.join")
measure = load("evaluate.measure")
answers = load("common.answers")
rendering = load("evaluate.report")

BINARY = answers.form("binary:logistic", 2)

# Ten rows small enough to measure by hand, with a tie at the threshold and one across the classes.
LABELS = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
SCORES = [0.99, 0.9, 0.8, 0.7, 0.65, 0.2, 0.9, 0.6, 0.3, 0.1]


def scored(labels: list[int], scores: list[float]) -> Any:
    """Build joined rows."""
    return joining.Scored(np.array(labels, dtype=np.int8), np.array(scores))


def split_csv(labels: list[int]) -> str:
    """Write a test split with these labels."""
    return "".join(f"{label},{number}.5,2\n" for number, label in enumerate(labels))


def evaluate(
    monkeypatch: pytest.MonkeyPatch,
    labels: list[int],
    output: str,
    given: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], FakeS3]:
    """Run the handler over a test split and a batch output."""
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body=split_csv(labels))
    s3.put_object(Bucket="b", Key="runs/r/batch-out/batch-in.csv.out", Body=output)
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}')
    use_clients(monkeypatch, s3=s3)
    return handler(given or event(), None), s3


def lines(scores: list[float]) -> str:
    """Write scores as the container does."""
    return "".join(f"{score}\n" for score in scores)


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
    assert {name for name in measure.METRICS if values[name] is None} == missing
    assert set(measure.undefined(values)) == missing
    for name in missing:
        gate = measure.gate(values, {name: 0.0}, {}, measure.undefined(values))
        assert gate["passed"] is False
        assert gate["checks"][0]["reason"]


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
    gate = measure.gate(measure.metrics(scored(LABELS, SCORES), 0.65), minimum, {}, {})
    assert gate["passed"] is passed
    assert [check["metric"] for check in gate["checks"]] == list(minimum)


def test_predictions_are_the_same_written_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted on, and every line has its end."""
    rows = scored(LABELS, SCORES)
    whole = "".join(joining.predictions_csv(rows, 0.65))
    assert whole.splitlines()[-1] == "10,0,0.1,0"
    monkeypatch.setattr(joining, "_ROWS_AT_ONCE", 3)
    parts = list(joining.predictions_csv(rows, 0.65))
    assert len(parts) == 1 + 4
    assert "".join(parts) == whole


@pytest.mark.slow
def test_millions_of_rows_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some dozens of bytes a row, where Python's own numbers and text take hundreds."""
    count = 30_000
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 2, count)
    scores = np.clip(labels * 0.3 + draw.random(count) * 0.7, 0, 1)
    rows = (f"{label},1.5,2" for label in labels)
    answered = map(repr, scores.tolist())
    given = event()
    monkeypatch.setattr(joining, "_ROWS_AT_ONCE", 1000)
    tracemalloc.start()
    try:
        joined = joining.join(rows, answered, BINARY, features=2)
        values = measure.metrics(joined, 0.65)
        gate = measure.gate(values, {}, {}, {})
        rendering.render(given, joined, values, gate)
        for _ in joining.predictions_csv(joined, 0.65):
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / count < 150


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


def test_curves_begin_and_end_where_they_must() -> None:
    """ROC from nothing to everything predicted; precision-recall from recall 0 to 1."""
    roc = measure.roc(scored(LABELS, SCORES))
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    curve = measure.precision_recall(scored(LABELS, SCORES))
    assert (curve.x[0], curve.x[-1], curve.y[-1]) == (0, 1, 0.6)
    assert measure.roc(scored([0, 0], [0.1, 0.2])) is None
    assert measure.precision_recall(scored([0, 0], [0.1, 0.2])) is None


def test_the_histogram_holds_every_row() -> None:
    """0 and 1 themselves fall in the first and the last bin."""
    negative, positive = measure.histogram(scored([0, 0, 1, 1], [0.0, 0.06, 0.96, 1.0]), 20)
    assert (negative[0], negative[1], positive[19]) == (1, 1, 2)
    assert sum(negative) + sum(positive) == 4


@pytest.mark.parametrize(
    "output",
    [
        "0.25\n0.5\n1e-05\n",
        "0.25\n\n0.5\n\n1e-05",
        "0.25,0.5,1e-05\n",
        "0.25,0.5\n1e-05\n\n\n",
        "0.25\r\n0.5\r\n1e-05\r\n",
    ],
)
def test_every_way_a_transform_writes_predictions_is_read(output: str) -> None:
    """Line by line, with blank lines between requests, or comma-joined by older images."""
    joined = joining.join(cut(split_csv([1, 0, 1])), cut(output), BINARY, features=2)
    assert joined.probabilities.tolist() == [0.25, 0.5, 0.00001]
    assert joined.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("rows", "output", "says"),
    [
        ("1,2\n0,3\n", "0.5\n", "1 predictions for 2 test rows"),
        ("1,2\n", "0.5\n0.5\n", "2 predictions for 1 test rows"),
        ("1,2\n0,3\n", "", "0 predictions for 2 test rows"),
        ("1,2\n0,3\n", "0.5\nnan\n", "Prediction 2 of the batch output is 'nan'"),
        ("1,2\n0,3\n", "0.5\n1.5\n", "Prediction 2 of the batch output is '1.5'"),
        ("1,2\n0,3\n", "0.5,\n0.5\n", "Prediction 2 of the batch output is ''"),
        ("1,2\n0,3\n", "-0.5\n0.5\n", "Prediction 1"),
        ("1,2\n", '{"predictions":[{"score":0.5}]}\n', "Prediction 1"),
        ("2,2\n", "0.5\n", "Row 1 of the test split starts with '2'"),
        ("Abnormal,2\n", "0.5\n", "starts with 'Abnormal'"),
        ("", "", "has no rows"),
    ],
)
def test_an_output_that_does_not_fit_is_refused(rows: str, output: str, says: str) -> None:
    """Joining by position is only right when everything fits."""
    with pytest.raises(joining.BatchOutputError, match=re.escape(says)):
        joining.join(cut(rows), cut(output), BINARY)


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_missing_output_names_the_job(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The message says where to look, by either name S3 has for what is not there."""

    class Missing(FakeS3):
        def get_object(self, *, Key: str, **request: Any) -> dict[str, Any]:  # noqa: N803 (boto3's)
            if Key.endswith(".out"):
                raise client_error(code, "no", "GetObject", 404)
            return super().get_object(Key=Key, **request)

    s3 = Missing()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body="1,2\n")
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}')
    use_clients(monkeypatch, s3=s3)
    with pytest.raises(joining.BatchOutputError, match="Transform job spine-dev-r-00000000-0-0"):
        handler(event(), None)


def test_the_three_files_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is returned is what the files say, and each has its content type."""
    result, s3 = evaluate(monkeypatch, LABELS, lines(SCORES))
    assert result["artifacts"] == {
        "metrics": f"{FOLDER}evaluation/metrics.json",
        "predictions": f"{FOLDER}evaluation/predictions.csv",
        "report": f"{FOLDER}evaluation/report.html",
    }
    written = json.loads(s3.text("b", "runs/r/evaluation/metrics.json"))
    assert written == {**result["metrics"], "undefined": {}, "gate": result["gate"]}
    assert result["gate"] == {
        "passed": False,
        "checks": [
            {
                "metric": "auc",
                "minimum": 0.8,
                "value": pytest.approx(17.5 / 24),
                "passed": False,
            }
        ],
    }
    predictions = s3.text("b", "runs/r/evaluation/predictions.csv").splitlines()
    assert predictions[:2] == ["row,label,probability,class", "1,1,0.99,1"]
    assert predictions[5] == "5,1,0.65,0"
    assert len(predictions) == 11
    assert s3.content_types["b", "runs/r/evaluation/report.html"] == "text/html; charset=utf-8"


def report(
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any] | None = None,
    labels: list[int] = LABELS,
    scores: list[float] = SCORES,
) -> Page:
    """Return the report's page."""
    _, s3 = evaluate(monkeypatch, labels, lines(scores), given)
    return Page(s3.text("b", "runs/r/evaluation/report.html"))


def test_the_report_needs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """No script, no request of any kind, and a policy that forbids them."""
    page = report(monkeypatch)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "xlink:href"} & {name for name, _ in page.attributes}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    style = next(text for text in page.texts if ":root" in text)
    assert "url(" not in style
    assert "@import" not in style


def test_the_report_tells_the_whole_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics, gate, charts, data and parameters are all there."""
    page = report(monkeypatch)
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
    page = report(monkeypatch, given)
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
    page = report(monkeypatch, given, labels, scores)
    assert page.tags.count("svg") == drawn
    assert ("Not drawn" in page.text) == (drawn < 3)


def test_no_minimum_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty gate passes, but the report does not boast of it."""
    page = report(monkeypatch, event(minimum={}))
    assert "No minimum asked for" in page.text
    assert "Quality gate passed" not in page.text


def test_a_value_just_short_of_its_minimum_is_shown_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rounded, 0.66666 would look like the 0.6667 it was asked to reach."""
    page = report(monkeypatch, event(minimum={"recall": 0.6667}))
    assert "0.6666666666666666 not passed" in page.text


def test_nothing_of_the_rows_is_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts and verdicts only."""
    evaluate(monkeypatch, LABELS, lines([0.31337, *SCORES[1:]]))
    logged = capsys.readouterr().out
    assert '"rows": 10' in logged
    assert "31337" not in logged


def draw_curve(points: list[tuple[float, float]], **options: Any) -> ET.Element:
    """Draw a curve and parse it, which fails unless it is well-formed."""
    svg = charts.curve(
        points,
        name="n",
        title=HOSTILE,
        description="a & b",
        x_label="<x>",
        y_label="<y>",
        baseline=((0, 0), (1, 1)),
        baseline_label="<b>",
        **{"mark": (0.5, 0.5), "mark_label": "<m>"} | options,
    )
    return ET.fromstring(svg)  # noqa: S314 (made by the line above)


def test_a_chart_says_what_it_is() -> None:
    """Its title and description are tied to it by id, and all its text is escaped."""
    svg = draw_curve([(0, 0), (1, 1)])
    title, description = list(svg)[:2]
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert (title.text, description.text) == (HOSTILE, "a & b")
    texts = {element.text for element in svg.iter("text")}
    assert {"<x>", "<y>", "<b>", "<m>", "0.0", "1.0"} <= texts


def test_a_mark_is_drawn_only_where_there_is_one() -> None:
    """A threshold above every score has no place on a precision-recall curve."""
    assert draw_curve([(0, 0), (1, 1)]).find("circle") is not None
    assert draw_curve([(0, 0), (1, 1)], mark=None).find("circle") is None


def test_a_long_curve_is_thinned_but_keeps_its_ends() -> None:
    """Half a million rows must not make a report of megabytes."""
    points = [(n / 100_000, (n / 100_000) ** 0.5) for n in range(100_001)]
    path = draw_curve(points).findall("path")[1].get("d") or ""
    commands = path.split()
    assert len(commands) == 400
    first, last = commands[0], commands[-1]
    assert first == draw_curve(points[:1]).findall("path")[1].get("d")
    assert last.endswith(draw_curve(points[-1:]).findall("path")[1].get("d", "")[1:])


@pytest.mark.parametrize(
    ("above", "below", "ticks"),
    [
        ([0, 0], [0, 0], ["1", "0", "1"]),
        ([3, 0], [0, 2], ["2", "1", "0", "1", "2", "3"]),
        ([40_000, 1], [1, 1], ["10k", "0", "10k", "20k", "30k", "40k"]),
    ],
)
def test_the_histograms_axis_fits_both_sides(
    above: list[int], below: list[int], ticks: list[str]
) -> None:
    """Round counts, zero included, enough for the highest bar of each side."""
    svg = ET.fromstring(  # noqa: S314 (our own)
        charts.histogram(
            below,
            above,
            name="n",
            title="t",
            description="d",
            x_label="x",
            y_label="y",
            threshold=0.65,
            threshold_label="threshold",
        )
    )
    labels = [e.text for e in svg.iter("text") if e.get("text-anchor") == "end"]
    assert labels[: len(ticks)] == ticks
    for bar in svg.iter("rect"):
        assert float(bar.get("height", "0")) > 0
        assert 14 <= float(bar.get("y", "0")) <= 348


def test_rows_narrower_than_the_profile_are_refused() -> None:
    """The container would have scored them silently, and wrongly."""
    with pytest.raises(joining.BatchOutputError, match=r"Row 1 .* has 2 features .* says 3"):
        joining.join(cut(split_csv([1, 0])), ["0.5", "0.6"], BINARY, features=3)
