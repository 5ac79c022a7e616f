"""Columns of a table: how their values are written, and how categories are numbered."""

from array import array

from data_prep import values
from data_prep.table import Column, Table

NONE: frozenset[str] = frozenset()


def test_categories_are_numbered_by_their_sorted_values() -> None:
    """Whatever the order they come in; once every row is read."""
    column = Column("x", integers=True, categories=())
    values.add(column, ["red", "blue", "red", "green"], [1, 2, 3, 4], NONE)
    column.settle()
    assert column.categories() == ["blue", "green", "red"]
    assert list(column.texts([0, 1, 2, 3])) == ["2", "0", "2", "1"]


def test_declared_categories_keep_their_order() -> None:
    """Also those that no row has."""
    column = Column("x", integers=True, categories=("red", "blue"))
    values.add(column, ["blue"], [1], NONE)
    column.settle()
    assert column.categories() == ["red", "blue"]
    assert list(column.texts([0])) == ["1"]


def test_floats_are_written_as_python_does() -> None:
    """The shortest digits that read back as the same number."""
    column = Column("x", integers=False)
    column.values = array("d", [0.1 + 0.2, 1e16, 1e-5, -0.0])
    assert list(column.texts([0, 1, 2, 3])) == ["0.30000000000000004", "1e+16", "1e-05", "-0.0"]


def test_rows_are_counted_by_the_label_there_is() -> None:
    """Of classes one byte a row; of a regression its numbers."""
    target = Column("y", integers=False)
    target.values = array("d", [1.0, 2.0])
    assert Table((), b"\0\1\0", None, ("a", "b")).rows == 3
    assert Table((), b"", target, ()).rows == 2
