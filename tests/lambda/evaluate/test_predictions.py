"""predictions.csv, written some rows at a time."""

import pytest

from spine.shipped import load
from tests.evaluation import LABELS, SCORES, evaluation

predictions = load("evaluate.predictions")


def test_predictions_are_the_same_written_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted on, and every line has its end."""
    rows = map("{},1".format, LABELS)
    columns = evaluation(rows, map(str, SCORES)).columns()
    whole = "".join(predictions.lines(columns))
    assert whole.splitlines()[-1] == "10,0,0.1,0"
    monkeypatch.setattr(predictions, "_ROWS_AT_ONCE", 3)
    parts = list(predictions.lines(columns))
    assert len(parts) == 1 + 4
    assert "".join(parts) == whole
