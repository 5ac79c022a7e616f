"""The evaluation as a whole: its files, its output, its log and its memory."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

from spine.shipped import load
from tests.evaluation import (
    FOLDER,
    LABELS,
    SCORES,
    batch,
    evaluate,
    evaluation,
    event,
    lines,
    multiclass_event,
    page,
)
from tests.support import FakeS3, client_error, use_clients

handler = load("evaluate.handler").handler
joining = load("evaluate.join")
predictions = load("evaluate.predictions")
hold = load("evaluate.gate").hold


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


@pytest.mark.slow
def test_millions_of_rows_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some dozens of bytes a row, where Python's own numbers and text take hundreds."""
    count = 30_000
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 2, count)
    scores = np.clip(labels * 0.3 + draw.random(count) * 0.7, 0, 1)
    rows = (f"{label},1.5,2" for label in labels)
    answered = map(repr, scores.tolist())
    monkeypatch.setattr(predictions, "_ROWS_AT_ONCE", 1000)
    tracemalloc.start()
    try:
        measured = evaluation(rows, answered)
        values = measured.metrics()
        measured.report(values, {}, hold(values, {}, {}, {}))
        for _ in predictions.lines(measured.columns()):
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / count < 150


def test_nothing_of_the_rows_is_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts and verdicts only."""
    evaluate(monkeypatch, LABELS, lines([0.31337, *SCORES[1:]]))
    logged = capsys.readouterr().out
    assert '"rows": 10' in logged
    assert "31337" not in logged


@pytest.mark.slow
def test_hundreds_of_classes_fit_the_payload_of_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files have everything; the output has what is left, far below Step Functions' limit."""
    count = 256
    given = multiclass_event()
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
