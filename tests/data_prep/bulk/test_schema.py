"""What is known of a large file before its rows are checked."""

import pickle
from typing import Any

import pytest

from data_prep import DataError, Wanted
from data_prep.bulk.schema import Schema
from tests.data_prep.formats.samples import ARFF
from tests.data_prep.support import opened_whole


def schema(text: str, name: str = "x.csv", **wanted: Any) -> Schema:
    """The schema of a file."""
    return Schema.of(opened_whole(text, name), Wanted(positive="a", **wanted))


@pytest.mark.parametrize(
    ("header", "row", "in_place"),
    [
        ("x,y,class", "1.5,2.5,a", True),
        ("class,x,y", "a,1.5,2.5", True),
        ("x,class,y", "1.5,a,2.5", False),
        ("x;y;class", "1.5;2.5;a", False),
    ],
)
def test_rows_can_stay_where_the_label_is_at_an_end(header: str, row: str, in_place: bool) -> None:
    """And commas are between the values."""
    found = schema(f"{header}\n{row}\n{row}\n")
    assert found.is_in_place is found.is_decimal is in_place
    assert found.label_last is (not header.startswith("class") and header.endswith("class"))


def test_rows_are_written_anew_where_columns_are_left_out_or_encoded() -> None:
    """So are those whose label is a number, which is then the first of the features."""
    text = "x,y,class\n1.5,2.5,a\n1.5,2.5,b\n"
    assert not schema(text, drop=("x",)).is_in_place
    assert not schema(text, categorical=("x",)).is_in_place
    found = schema(text, label="y", task="regression", drop=("class",))
    assert not found.is_in_place
    assert found.layout.features == (1, 0)
    assert found.positive is None


@pytest.mark.parametrize(
    ("rows", "floats", "decimal"),
    [
        ("1.5,2.5,a\n1.5,2.5,b\n", (True, True), True),
        ("1.5,2,a\n1.5,2.5,b\n", (True, True), False),
        ("1,2.5,a\n1,2.5,b\n", (False, True), False),
        ('1.5,2.5,"a"\n1.5,2.5,b\n', (True, True), False),
        ("1.5,2.5,a\n1.5\n", (False, False), False),
    ],
)
def test_the_first_rows_tell_what_is_tried_first(
    rows: str, floats: tuple[bool, ...], decimal: bool
) -> None:
    """A bad row among them is left to the first pass, which says what is wrong with it."""
    found = schema(f"x,y,class\n{rows}")
    assert (found.floats, found.is_decimal) == (floats, decimal)


def test_every_number_of_arff_is_a_float() -> None:
    """Whatever the rows look like."""
    found = Schema.of(opened_whole(ARFF, "x.arff"), Wanted())
    assert found.floats == (True,)
    assert not found.is_decimal


def test_it_travels() -> None:
    """Another machine reads the same rows by it."""
    found = pickle.loads(pickle.dumps(schema("x,y,class\n1.5,2.5,a\n")))  # noqa: S301
    (batch,) = found.rows.batches_of(["3,4,b\n"], first_line=9)
    assert (batch.rows, batch.lines) == ([["3", "4", "b"]], [9])


def test_a_column_that_is_not_there_is_refused() -> None:
    """Before any row is read."""
    with pytest.raises(DataError, match="no column is named 'z'"):
        schema("x,class\n1,a\n", label="z")
