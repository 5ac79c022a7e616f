"""The lane that takes every block: it reads and writes as small files are read and written."""

import pytest

from data_prep import DataError
from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes.rows import RowLane
from tests.data_prep.bulk.lanes.blocks import block_of, rendered


def test_rows_of_any_notation_are_rendered_as_in_small_files() -> None:
    """Comments and sparse rows of ARFF, quotes, and a declared category's number."""
    text = (
        "@relation r\n@attribute x real\n@attribute k {red,blue}\n@attribute class {a,b}\n@data\n"
        "1.50,'blue',a\n% a comment\n{0 7, 2 b}\n\n?,red,\"a\"\n"
    )
    schema, block = block_of(text, "x.arff", categorical=("k",), missing="pass")
    survey = RowLane().survey(schema, block)
    assert survey.labels == ["a", "b"]
    assert survey.first_lines == [6, 8]
    places = {1: {"red": 0, "blue": 1}}
    found = rendered(schema, block, survey, [1, 0], places=places)
    assert found == ["1,1.5,1\n", "0,7.0,0\n", "1,,0\n"]


def test_a_number_as_label_is_written_first() -> None:
    """Whole, if the file's are."""
    asked = {"task": "regression", "label": "y"}
    schema, block = block_of("x,y\n1.5, 7\n2.5,8\n", **asked)
    survey = RowLane().survey(schema, block)
    assert survey.labels == [""]
    assert rendered(schema, block, survey, [0]) == ["7,1.5\n", "8,2.5\n"]
    assert survey.ends is not None


def test_a_bad_row_is_refused_by_its_line() -> None:
    """Counted from the start of the file, not of the block."""
    schema, _ = block_of("x,class\n1.5,a\n")
    with pytest.raises(DataError, match=r"^line 1001, column 'x': 'one' is not a number"):
        RowLane().survey(schema, Block(b"1.5,a\none,b\n", 1000))


def test_more_labels_than_codes_are_left_to_whoever_numbers_them() -> None:
    """The first 300 are told with their lines; one of them is one too many."""
    schema, block = block_of("x,class\n" + "".join(f"1.5,k{at}\n" for at in range(400)))
    survey = RowLane().survey(schema, block)
    assert len(survey.labels) == 300
    assert survey.first_lines[299] == 301
    assert survey.codes.max() == 255
