"""The rows of a block that a sample of the whole file may take: see `data_prep.leaks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data_prep import leaks
from data_prep.bulk.arrow import Array
from data_prep.bulk.schema import Schema
from data_prep.table import DROPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(leaks.GOLDEN)
# Beyond so many times the sample's size, what is gathered is thinned out.
_GATHERED = 4


class Sampled(NamedTuple):
    """Rows of a block, or of all blocks so far.

    Attributes:
        lines: Of each row.
        values: Of each feature, shape (n, features); those of categories are numbers that tell them
            apart. A regression's label is the first of them.
        codes: The label's code of each row.
        last_line: Of the last row, in the sample or not.
    """

    lines: NDArray[np.uint64]
    values: NDArray[np.float64]
    codes: NDArray[np.uint8]
    last_line: int


def line_numbers(first: int, text: Array, starts: Array, rows: int) -> Array:
    """Return the line of each row of a block.

    Args:
        first: The number of the block's first line.
        text: Its bytes.
        starts: Where each row starts.
        rows: How many there are.
    """
    if len(starts) != rows:
        return np.arange(first, first + rows)
    breaks = np.flatnonzero(text == ord("\n"))
    if len(breaks) == rows:
        return np.arange(first, first + rows)
    return first + np.searchsorted(breaks, starts)


def sampled(
    schema: Schema, numbers: list[Array], codes: NDArray[np.uint8], lines: Array
) -> Sampled:
    """Choose a block's rows: more of the first blocks than of those after them, by their lines."""
    if not len(codes):
        return Sampled(np.empty(0, np.uint64), np.empty((0, len(numbers))), codes, 0)
    last = int(lines[-1])
    of_lines = lines.astype(np.uint64)
    features = len(numbers) - schema.is_regression
    # As if the file ended here: at its true end fewer of these rows are left.
    rows = np.flatnonzero(_numbers(of_lines) < leaks.threshold(int(lines[0]), features) / 2**64)
    values = np.empty((len(rows), len(numbers)))
    for which, column in enumerate(numbers):
        values[:, which] = column[rows]
        if schema.layout.features[which] in schema.layout.categorical:
            values[:, which] = _keys(values[:, which])
    return Sampled(of_lines[rows], values, codes[rows], last)


def _numbers(lines: NDArray[np.uint64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        # As 53 bits, so that a threshold of 2**64 is one, too.
        return (lines * _GOLDEN) / 2.0**64


def _keys(values: Array) -> Array:
    """Return numbers that compare for keys of categories, whose bits may be those of NaN."""
    bits = np.ascontiguousarray(values).view(np.uint64)
    missing = bits == np.array([np.nan]).view(np.uint64)[0]
    return np.where(missing, np.nan, (bits >> np.uint64(11)).astype(np.float64))


class Gathering:
    """The sample of the whole file, block by block."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._width = len(schema.layout.features)
        self._features = self._width - schema.is_regression
        self._parts: list[Sampled] = []
        self._rows = 0
        self._last = 0

    def add(self, found: Sampled, codes: NDArray[np.uint8]) -> None:
        """Add a block's rows, with the file's own codes of labels by the block's."""
        self._parts.append(found._replace(codes=codes[found.codes]))
        self._rows += len(found.lines)
        self._last = max(self._last, found.last_line)
        if self._rows > _GATHERED * leaks.rows_of_sample(self._features):
            kept = self._thinned()
            self._parts, self._rows = [kept], len(kept.lines)

    def _thinned(self) -> Sampled:
        if not self._parts:
            return Sampled(
                np.empty(0, np.uint64), np.empty((0, self._width)), np.empty(0, np.uint8), 0
            )
        lines = np.concatenate([part.lines for part in self._parts])
        values = np.concatenate([part.values for part in self._parts])
        codes = np.concatenate([part.codes for part in self._parts])
        least = leaks.threshold(self._last, self._features) / 2**64
        kept = _numbers(lines) < least
        return Sampled(lines[kept], values[kept], codes[kept], self._last)

    def sample(self, class_of: bytes) -> leaks.Sample:
        """Return the sample, once the classes are numbered."""
        found = self._thinned()
        values = found.values
        if self._schema.is_regression:
            return leaks.Sample(values[:, 1:].T.tolist(), values[:, 0].tolist())
        labels = np.frombuffer(class_of, np.uint8)[found.codes]
        kept = labels != DROPPED
        return leaks.Sample(values[kept].T.tolist(), labels[kept].tolist())
