"""Rows that are copied: only their labels change, and what is odd is written anew."""

import numpy as np
import pytest

from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes.columns import ColumnLane
from data_prep.bulk.lanes.verbatim import Verbatim
from tests.data_prep.bulk.lanes.blocks import block_of, rendered

LAST = "x,y,class\n1.5,2.25,normal\n2.50,1e3,a\n0.125,7.0,normal\n"
FIRST = "class,x,y\nnormal,1.5,2.25\na,2.50,1e3\nnormal,0.125,7.0\n"
WRITTEN = ["0,1.5,2.25\n", "1,2.5,1000.0\n", "0,0.125,7.0\n"]


@pytest.mark.parametrize("text", [LAST, FIRST], ids=["label last", "label first"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_labels_become_digits_where_they_stand(text: str, end: str) -> None:
    """Whatever their length, and on whichever side."""
    schema, block = block_of(text)
    block = Block(bytes(block.data).replace(b"\n", end.encode()), block.line)
    survey = ColumnLane().survey(schema, block)
    assert survey is not None
    assert isinstance(survey.rendering, Verbatim)
    assert survey.rendering.odd.tolist() == [1]
    assert rendered(schema, block, survey, [0, 1]) == WRITTEN


@pytest.mark.parametrize("text", [LAST, FIRST], ids=["label last", "label first"])
def test_text_that_is_kept_is_made_ready_where_it_lies(text: str) -> None:
    """All but the digit, which is not known yet."""
    schema, block = block_of(text)
    kept = np.frombuffer(b"??" + bytes(block.data), np.uint8).copy()
    survey = ColumnLane().survey(schema, Block(kept.data[2:], block.line, (kept, 2)))
    assert survey is not None
    ready = survey.relabelled
    assert ready is not None
    rows = [
        kept[start:end].tobytes()
        for start, end in zip(ready.offsets[::2], ready.offsets[1::2], strict=True)
    ]
    assert [rows[0][1:], rows[2][1:]] == [b",1.5,2.25\n", b",0.125,7.0\n"]
    assert ready.odd_rows.tolist() == [1]
    assert ready.odd_lines == [b",2.5,1000.0\n"]


def test_where_another_block_has_floats_or_classes_are_many_rows_are_formatted() -> None:
    """A whole number of a column of floats has a point; a label may have two digits."""
    schema, block = block_of("x,y,class\n1,2.25,normal\n3,4.5,a\n")
    survey = ColumnLane().survey(schema, block)
    assert survey is not None
    assert isinstance(survey.rendering, Verbatim)
    assert rendered(schema, block, survey, [0, 1]) == ["0,1,2.25\n", "1,3,4.5\n"]
    floats = rendered(schema, block, survey, [0, 1], whole=(False, False))
    assert floats == ["0,1.0,2.25\n", "1,3.0,4.5\n"]
    assert rendered(schema, block, survey, [11, 2]) == ["11,1,2.25\n", "2,3,4.5\n"]


def test_too_many_odd_rows_are_not_copied() -> None:
    """Formatting all of them is quicker."""
    schema, block = block_of("x,class\n" + "2.50,a\n" * 300)
    survey = ColumnLane().survey(schema, block)
    assert survey is not None
    assert not isinstance(survey.rendering, Verbatim)
