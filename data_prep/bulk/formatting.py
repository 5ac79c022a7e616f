"""Values and rows as the text that is written for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from data_prep.bulk import arrow
from data_prep.bulk.arrow import Array, array_of, bytes_of, floats_of, strings_of, take
from data_prep.table import Column
from data_prep.write import GAP_ALONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So many classes are numbered with one digit, which takes the place of the label's text.
ONE_DIGIT = 10
# Between these magnitudes both Python and Arrow write a float without an exponent.
_PLAIN = (1e-3, 1e10)


def labelled(rows: list[bytes], labels: Array) -> list[bytes]:
    """Put the digits of their labels before rows."""
    return [b"%d" % label + row for label, row in zip(labels.tolist(), rows, strict=True)]


def label_lengths(labels: Sequence[str]) -> Array:
    """Return the bytes of each label value, by code."""
    lengths = np.zeros(256, np.int64)
    lengths[: len(labels)] = [len(label.encode()) for label in labels]
    return lengths


def part_of(parts: Sequence[Array], rows: int) -> NDArray[np.uint8]:
    """Return the number of the part that each row of the file is in."""
    # Rows that are left out are in none.
    numbers = np.full(rows, len(parts), np.uint8)
    for number, mine in enumerate(parts):
        numbers[mine] = number
    return numbers


def divided(
    texts: pa.Array, places: Array | None, numbers: NDArray[np.uint8], classes: int
) -> list[memoryview]:
    """Return a block's rows of train, of test, of test without their labels, and of validate.

    Args:
        texts: The rows as they are written.
        places: Where each row is among them; None: in order.
        numbers: The part each row is in.
        classes: How many the label has; 0 for a regression.
    """
    found = []
    for number in range(3):
        rows = np.flatnonzero(numbers == number)
        found.append(take(texts, array_of(rows if places is None else places[rows])))
    train, test, validate = found
    return [bytes_of(each) for each in (train, test, without_label(test, classes), validate)]


def written(array: pa.Array, *, whole: bool, places: Mapping[str, int] | None) -> pa.Array:
    """Write a column's values as pandas does, and nothing where one is missing."""
    if places is not None:
        encoded = arrow.encoded(array)
        numbers = [str(places[text]) for text in encoded.dictionary.to_pylist()]
        texts = take(strings_of(numbers), encoded.indices)
    elif whole:
        texts = arrow.cast(array, pa.string())
    else:
        texts = _float_strings(arrow.cast(array, pa.float64()))
    return arrow.filled(texts, "") if texts.null_count else texts


def category_strings(column: Column, places: Mapping[str, int]) -> Iterator[str]:
    """Write a categorical column's values as their numbers, and nothing where one is missing."""
    names = list(column.codes or ())
    numbers = [str(places[name]) for name in names]
    return ("" if math.isnan(value) else numbers[int(value)] for value in column.values)


def _float_strings(array: pa.Array) -> pa.Array:
    """Write floats as Python's `repr`: Arrow's shortest decimals, where the notations agree."""
    texts = arrow.cast(array, pa.string())
    values = floats_of(array)
    with np.errstate(invalid="ignore"):
        integral = values == np.floor(values)
        size = np.abs(values)
        strange = (values != 0) & ((size < _PLAIN[0]) | (size >= _PLAIN[1]))
    if integral.any():
        texts = arrow.chosen(integral, arrow.join(texts, last=".0"), texts)
    if strange.any():
        replacements = strings_of([repr(value) for value in values[strange].tolist()])
        texts = arrow.replaced(texts, strange, replacements)
    return texts


def without_label(texts: pa.Array, classes: int) -> pa.Array:
    """Cut the label and its comma from rows that lie side by side."""
    if not len(texts):
        return texts
    offsets = arrow.offsets_of(texts)
    both = np.empty(2 * len(texts) + 1, offsets.dtype)
    both[0::2] = offsets
    both[1::2] = offsets[:-1] + (2 if 0 < classes <= ONE_DIGIT else arrow.found(texts, ",") + 1)
    cut = pa.Array.from_buffers(
        texts.type, 2 * len(texts), [None, pa.py_buffer(both), texts.buffers()[2]]
    )
    left = take(cut, array_of(np.arange(1, 2 * len(texts), 2)))
    blank = both[2::2] - both[1::2] == len("\n")
    return arrow.chosen(blank, strings_of([f"{GAP_ALONE}\n"])[0], left) if blank.any() else left
