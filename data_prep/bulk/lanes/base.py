"""What a lane is: a way to check a block, and one to write its rows.

A lane surveys a block, or says that the block is not for it. What it found says how the block's
rows are rendered once every block was surveyed. Lanes and renderings do not change; blocks go
through them on every core at once, and renderings travel between machines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pyarrow as pa

from data_prep.bulk.arrow import Array
from data_prep.bulk.blocks import Block
from data_prep.bulk.sampling import Sampled
from data_prep.bulk.schema import Schema
from data_prep.bulk.statistics import Ends, string_key
from data_prep.labels import TRUTH_VALUES, label_number

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray


class Relabelled(NamedTuple):
    """A block's rows in the text that is kept, ready to be written but for the label's digit.

    Attributes:
        offsets: Where each row begins, with that digit, and where it has ended, in turn.
        odd_rows: The rows that must be written anew.
        odd_lines: What follows the digit in each of them.
    """

    offsets: Array
    odd_rows: Array
    odd_lines: list[bytes]


class Encoding(NamedTuple):
    """What rows are written by, known once every row is read.

    Attributes:
        whole: For each feature, whether it is written as whole numbers.
        places: For each categorical feature, the number of each value.
        classes: How many there are; 0 for a regression.
        label_lengths: Bytes of each label value, by code.
    """

    whole: tuple[bool, ...]
    places: dict[int, dict[str, int]]
    classes: int
    label_lengths: Array


class RowLabels(NamedTuple):
    """The labels of a block's rows.

    Attributes:
        codes: The code of the label's value in each row, shape (n,).
        numbers: What is written for it, shape (n,).
    """

    codes: NDArray[np.uint8]
    numbers: NDArray[np.uint8]


class Rendering(Protocol):
    """How a block's rows are written."""

    def render(
        self, schema: Schema, block: Block, labels: RowLabels, encoding: Encoding
    ) -> tuple[pa.Array, Array | None]:
        """Write a block's rows: strings, and which of them each row is (None: in order)."""

    def keeps_rows(self, encoding: Encoding) -> bool:
        """Tell whether rows stay as they are but for a label of one digit."""


class Survey(NamedTuple):
    """What the first pass learns of a block.

    Attributes:
        rendering: How its rows are written.
        labels: The label's values in the block, by the block's own codes.
        codes: Each row's label, by those codes, shape (n,).
        first_lines: The line each label value is first seen on.
        whole: For each feature, whether every value is written as a whole number.
        missing: For each feature, how many values are missing.
        low: Least value of each feature for each label value, shape (labels, features); NaN where
            there is none.
        high: The greatest likewise.
        categories: For each categorical feature, its values with the label codes they come with.
        hashes: A number for each row, equal for equal rows.
        sampled: The rows that a sample of the file may take.
        ends: Of a regression, what tells whether a feature is the label itself.
        relabelled: The rows in the text that is kept, where they can stay there.
        is_decimal: Whether there was nothing but decimal numbers and labels.
        compared: The rows whose hashes these are, where the others are elsewhere.
    """

    rendering: Rendering
    labels: list[str]
    codes: NDArray[np.uint8]
    first_lines: list[int]
    whole: tuple[bool, ...]
    missing: Array
    low: Array
    high: Array
    categories: dict[int, dict[str, set[int]]]
    hashes: NDArray[np.uint64]
    sampled: Sampled
    ends: Ends | None = None
    relabelled: Relabelled | None = None
    is_decimal: bool = False
    compared: NDArray[np.int64] | None = None


class Lane(Protocol):
    """A way to check a block."""

    def survey(self, schema: Schema, block: Block) -> Survey | None:
        """Check a block and describe it, or return None: it is for the next lane.

        Raises:
            DataError: One of its classes for rows and values.
        """


def class_keys(schema: Schema, labels: list[str]) -> list[int]:
    """Return a number for the class of each label value, before the classes are known.

    Numbers are told apart by value, whether or not all the labels will be numbers.
    """
    return [_class_key(schema, label) for label in labels]


def _number_key(number: float | Fraction) -> str:
    """Return a text that is the same for `1` and `1.0`, and another for another number."""
    return repr(int(number) if math.isfinite(number) and number == int(number) else number)


def _class_key(schema: Schema, label: str) -> int:
    number = label_number(label)
    if schema.positive is None:
        return string_key(label if number is None else _number_key(number))
    positive = schema.positive
    same = label == positive or (number is not None and number == label_number(positive))
    same = same or TRUTH_VALUES.get(positive.lower()) == label
    return string_key("positive" if same else "negative")
