"""A column's text becomes numbers, or is refused by the first value that is none."""

import math

import pytest

from data_prep import DataError, values
from data_prep.table import Column

NA = frozenset({"NA"})


@pytest.mark.parametrize(
    ("texts", "integers", "found"),
    [
        (["1", " -2 ", "+3"], True, [1.0, -2.0, 3.0]),
        (["1", "2.0"], False, [1.0, 2.0]),
        (["1e3", "-0"], False, [1000.0, -0.0]),
    ],
)
def test_whole_numbers_stay_whole_only_together(
    texts: list[str], integers: bool, found: list[float]
) -> None:
    """One value with a point or an exponent makes floats of them all."""
    column = Column("x", integers=True)
    values.add(column, texts, list(range(len(texts))), NA)
    assert (column.integers, list(column.values)) == (integers, found)


def test_a_whole_number_beyond_a_float_is_kept_digit_by_digit() -> None:
    """By its row, across batches."""
    column = Column("x", integers=True)
    values.add(column, ["1", "2"], [1, 2], NA)
    values.add(column, [str(2**60 + 1)], [3], NA)
    assert column.exact == {2: 2**60 + 1}
    assert list(column.texts([2, 0])) == [str(2**60 + 1), "1"]


def test_gaps_are_kept_where_they_are_asked_for() -> None:
    """The values around them are read as ever, as floats."""
    column = Column("x", integers=True)
    values.add(column, ["1", "", "NA", "4"], [1, 2, 3, 4], NA, gaps=True)
    assert [value for value in column.values if not math.isnan(value)] == [1.0, 4.0]
    assert (column.missing, column.integers) == (2, False)
    assert list(column.texts([0, 1, 3])) == ["1.0", "", "4.0"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("", "MissingValueError"), ("x", "NotANumberError"), ("1_0", "DigitSeparatorError")),
        *(("inf", "NotFiniteError"), ("\u0661", "ForeignDigitsError")),
    ],
)
def test_the_first_bad_value_is_the_one_told(text: str, name: str) -> None:
    """With the line it is on, however many follow it."""
    column = Column("x", integers=True)
    with pytest.raises(DataError, match=r"^line 8, column 'x'") as caught:
        values.add(column, ["1", text, "y"], [7, 8, 9], NA)
    assert type(caught.value).__name__ == name
