"""Reading what XGBoost's container answers."""

import pytest

from spine.shipped import load

answer = load("algorithms").ALGORITHMS["xgboost"].answer


@pytest.mark.parametrize("line", ["[0.25, 0.75]", "0.25,0.75", "[0.25,0.75]\r"])
def test_several_values_of_a_row_stand_in_brackets_or_not(line: str) -> None:
    """A batch transform writes Python's own text of the row, an endpoint commas alone."""
    form = answer("multi:softprob", 2)
    assert form.read(form.split(line)) == (0.25, 0.75)


def test_older_images_write_all_rows_on_one_line() -> None:
    """Up to 1.2-1; the values come one after the other."""
    form = answer("multi:softprob", 2)
    assert form.split("[0.25, 0.75],[1.0, 0.0]") == ["0.25", "0.75", "1.0", "0.0"]


def test_a_single_value_is_never_in_brackets() -> None:
    """Whoever answers so is another model."""
    form = answer("binary:logistic", 2)
    assert form.read(form.split("[0.5]")) is None
    assert form.read(form.split("0.5")) == (0.5,)
