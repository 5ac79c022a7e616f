"""Predicting with an endpoint, over an in-memory S3 and a runtime with a model of its own."""

import pytest

from spine.shipped import load
from tests.predict_endpoint import EVENT, FakeRuntime, handler, run
from tests.support import FakeS3, use_clients


def test_each_row_is_sent_without_its_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class is 1 only above the threshold, and the label is returned beside it."""
    answers = {"1.5,2": "0.9812\n", "3,-4e-3": "0.65", "5,": "0.650001", "6,7": "1e-05\n"}
    result, runtime = run(
        monkeypatch, "1,1.5,2\n0,3,-4e-3\n1,5,\n0,6,7\n", lambda body: answers[body]
    )
    assert result == {
        "predictions": [
            {"row": 1, "label": 1, "probability": 0.9812, "class": 1},
            {"row": 2, "label": 0, "probability": 0.65, "class": 0},
            {"row": 3, "label": 1, "probability": 0.650001, "class": 1},
            {"row": 4, "label": 0, "probability": 0.00001, "class": 0},
        ],
        "rows_sent": 4,
    }
    assert runtime.bodies == list(answers)


def test_no_row_is_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs hold counts and names only."""
    run(monkeypatch, "1,424242,2\n", lambda _: "0.31337")
    output = capsys.readouterr().out
    assert '"rows": 1' in output
    assert "424242" not in output
    assert "0.31337" not in output


def test_no_row_is_sent_when_the_profile_is_of_other_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile in the run's folder and what the preparation reported must agree."""
    runtime = FakeRuntime(lambda _: "0.5")
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body="1,1,2,3\n0,3,4,5\n")
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 3}}')
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=runtime)
    with pytest.raises(load("common.profile").DataProfileError, match="this run prepared 2"):
        handler(EVENT, None)
    assert runtime.bodies == []
