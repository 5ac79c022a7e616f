"""Values go from numpy to Arrow and back as they are."""

import math

import numpy as np
import pyarrow as pa
import pytest

from data_prep.bulk import arrow


def test_numbers_and_truth_values_go_to_arrow() -> None:
    """With their type; a slice of them, too."""
    for values in (np.array([1, 2, 3]), np.array([0.5, -0.5]), np.array([1, 0], np.uint8)):
        array = arrow.array_of(values)
        assert array.to_pylist() == values.tolist()
        assert arrow.numbers_of(array).tolist() == values.tolist()
        assert arrow.numbers_of(array.slice(1)).tolist() == values[1:].tolist()
    truths = np.array([True, False] * 9)
    assert arrow.array_of(truths).to_pylist() == truths.tolist()


def test_missing_numbers_are_nan() -> None:
    """Of whole numbers as of floats."""
    for array in (pa.array([1, None, 3]), pa.array([1.0, None, 3.0])):
        found = arrow.floats_of(array).tolist()
        assert found[::2] == [1.0, 3.0]
        assert math.isnan(found[1])


@pytest.mark.parametrize("offsets", [np.int32, np.int64])
def test_strings_lie_where_they_were(offsets: type) -> None:
    """Side by side, of any length, also a part of them."""
    array = arrow.wrapped(np.array([0, 1, 1, 5], offsets), b"a\xc3\xa9bc")
    assert array.to_pylist() == ["a", "", "ébc"]
    assert bytes(arrow.bytes_of(array.slice(1))) == "ébc".encode()
    assert arrow.offsets_of(array.slice(1)).tolist() == [1, 1, 5]
    assert arrow.strings_of(["a", "", "ébc"]).to_pylist() == ["a", "", "ébc"]
    assert bytes(arrow.bytes_of(array.slice(3))) == b""


def test_rows_are_joined_of_columns() -> None:
    """With something between them, and after the last."""
    columns = [arrow.strings_of(["a", "b"]), arrow.strings_of(["1", ""])]
    assert arrow.join(*columns, separator=",", last="\n").to_pylist() == ["a,1\n", "b,\n"]
    assert arrow.join(columns[0], last="!").to_pylist() == ["a!", "b!"]


def test_patterns_are_told_string_by_string() -> None:
    """Also of a slice, whose bits do not begin with a byte."""
    array = arrow.strings_of(["1", "x", "22", "y"] * 5)
    assert arrow.matching(array.slice(3), r"\A[0-9]+\z").tolist() == [
        text.isdigit() for text in array.slice(3).to_pylist()
    ]
    assert arrow.found(arrow.strings_of(["ab,c", ",x"]), ",").tolist() == [2, 0]
