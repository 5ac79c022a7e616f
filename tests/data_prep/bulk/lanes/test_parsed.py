"""Values that pyarrow parses, and rows that are formatted of them."""

from typing import Any

import pyarrow as pa
import pytest

from data_prep.bulk.lanes.columns import ColumnLane
from data_prep.bulk.lanes.parsed import Formatted, coded, counted, parse
from data_prep.options import Objective
from tests.data_prep.bulk.lanes.blocks import block_of, rendered


def test_columns_come_in_the_order_they_are_written() -> None:
    """Those that are left out do not come; the label comes as text."""
    schema, block = block_of("x,no,class,n\n1.5,z,1,7\n2.5,z,0,8\n", drop=("no",))
    cells = parse(schema, block.data, quoted=False)
    assert [array.to_pylist() for array in cells.features] == [[1.5, 2.5], [7, 8]]
    assert cells.label is not None
    assert cells.label.to_pylist() == ["1", "0"]


def test_a_regressions_label_is_the_first_feature() -> None:
    """And a value outside of the objective's domain is for the rows' reader, which refuses it."""
    asked: dict[str, Any] = {
        "task": "regression",
        "label": "y",
        "objective": Objective("reg:gamma", "positive"),
    }
    schema, block = block_of("x,y\n1.5,7\n2.5,8\n", **asked)
    cells = parse(schema, block.data, quoted=False)
    assert [array.to_pylist() for array in cells.features] == [[7, 8], [1.5, 2.5]]
    assert coded(schema, cells) is not None
    bad = parse(schema, b"1.5,0\n", quoted=False)
    assert coded(schema, bad) is None


def test_what_is_no_number_is_not_parsed() -> None:
    """Nor is a truth value, which pyarrow knows and small files do not."""
    schema, _ = block_of("x,class\n1,a\n")
    for line in (b"one,a\n", b"true,a\n", b"2020-01-01,a\n", b",a\n"):
        with pytest.raises(pa.ArrowInvalid):
            parse(schema, line, quoted=False)


def test_labels_are_counted_by_their_values() -> None:
    """Those with blanks around are for the rows' reader."""
    schema, block = block_of("x,class\n1,é\n2,b\n3,é\n")
    found = coded(schema, parse(schema, block.data, quoted=False))
    assert found is not None
    labels, codes = found
    assert counted(labels, codes) == {"é".encode(): 2, b"b": 1}
    assert coded(schema, parse(schema, b"1, b\n", quoted=False)) is None


def test_rows_are_formatted_with_the_numbers_of_their_labels() -> None:
    """Quoted or not, with categories, and gaps as nothing."""
    text = 'x,k,class\n1.50,"red","a"\n,"blue","b"\n'
    schema, block = block_of(text, categorical=("k",), missing="pass")
    survey = ColumnLane().survey(schema, block)
    assert survey is not None
    assert survey.rendering == Formatted(quoted=True)
    assert rendered(schema, block, survey, [1, 0]) == ["1,1.5,1\n", "0,,0\n"]
