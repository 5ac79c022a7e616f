"""Rows of text become a table of numbers."""

from data_prep import Wanted
from data_prep.check import table
from tests.data_prep.support import opened_whole


def test_a_table_holds_numbers_and_labels() -> None:
    """Features keep their order, and labels are 1 for the positive value wherever they stood."""
    text = "first,class,second\n1,yes,0.5\n2,no,1\n"
    found = table(opened_whole(text, "x.csv"), Wanted(positive="yes"))
    assert [feature.name for feature in found.features] == ["first", "second"]
    assert [list(feature.values) for feature in found.features] == [[1, 2], [0.5, 1]]
    assert [feature.integers for feature in found.features] == [True, False]
    assert found.labels == b"\x01\x00"
    assert found.classes == ("no", "yes")
