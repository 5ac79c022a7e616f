# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Values and rows are written as pandas writes them."""

import random

import numpy as np
import pyarrow as pa
import pytest

from data_prep.bulk import arrow, formatting
from tests.data_prep.generated import any_float


def test_floats_are_written_as_python_does() -> None:
    """Of any magnitude, whole or not."""
    draw = random.Random(1)
    values = [any_float(draw) for _ in range(3000)]
    array = pa.array(values, pa.float64())
    found = formatting.written(array, whole=False, places=None).to_pylist()
    assert found == list(map(repr, values))


def test_gaps_whole_numbers_and_categories_are_written() -> None:
    """A gap as nothing, a whole number without a point, a category as its number."""
    gaps = pa.array([1.5, None])
    assert formatting.written(gaps, whole=False, places=None).to_pylist() == ["1.5", ""]
    whole = pa.array([1, -2])
    assert formatting.written(whole, whole=True, places=None).to_pylist() == ["1", "-2"]
    assert formatting.written(whole, whole=False, places=None).to_pylist() == ["1.0", "-2.0"]
    words = pa.array(["b", "a", "b"])
    found = formatting.written(words, whole=True, places={"a": 0, "b": 1})
    assert found.to_pylist() == ["1", "0", "1"]


@pytest.mark.parametrize(
    ("rows", "classes"),
    [
        (["1,a\n", "0,b\n", "1,c\n", "0,d\n"], 2),
        (["11,a\n", "0,b\n", "7,c\n", "2,d\n"], 12),
        (["1.25,a\n", "0.5,b\n", "-7,c\n", "2e9,d\n"], 0),
    ],
)
def test_rows_are_dealt_out_to_the_parts(rows: list[str], classes: int) -> None:
    """Test's are also written without the label, whatever its length."""
    numbers = formatting.part_of([np.array([3, 0]), np.array([1]), np.array([2])], 4)
    assert numbers.tolist() == [0, 1, 2, 0]
    found = formatting.divided(arrow.strings_of(rows), None, numbers, classes)
    expected = [rows[0] + rows[3], rows[1], "b\n", rows[2]]
    assert [bytes(each).decode() for each in found] == expected
