"""A strict reader of LIBSVM's sparse text, svmlight's too: `label index:value index:value ...`.

The label's column is called `label`, a feature's `feature_` and its index as it is written. A
feature that a row leaves out is 0. Indexes rise within a row.
Source: https://www.csie.ntu.edu.tw/~cjlin/libsvm (README) and https://www.cs.cornell.edu/people/tj/svm_light
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from data_prep.errors import DataError, NoRowsError, SparseDataError, UnsupportedTypeError, shown
from data_prep.formats.base import (
    VALUES_AT_ONCE,
    Batch,
    DataFile,
    Opened,
    check_width,
    decoded,
    of_text,
)
from data_prep.numerals import Numerals

_PAIR = re.compile(r"(?P<index>[0-9]{1,9}):(?P<value>[^\s:]+)")
_LINE = re.compile(r"[+-]?[0-9][^\s:,]*(?:\s+[0-9]+:[^\s:]+)+\s*(?:#.*)?")


def looks_like(text: io.TextIOBase) -> bool:
    """Tell whether the first line that is neither blank nor a comment is a label and pairs."""
    for line in text:
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return _LINE.fullmatch(stripped) is not None
    return False


def opened(file: DataFile) -> Opened:
    """Read a file once, for the least and the greatest index.

    Raises:
        SparseDataError: A row is no label and pairs of an index and a value.
        UnsupportedTypeError: The rows are queries to rank.
        NoRowsError: There is no row, or none has a feature.
        TooLargeError: The rows have many more values than the file writes out.
    """
    low, high, count, size = 1, -1, 0, 0
    with decoded(file.open_utf8()) as text:
        for number, line in enumerate(text, 1):
            pairs = _pairs(line, number)
            if pairs is None:
                continue
            count += 1
            size += len(line)
            if pairs[1]:
                low, high = min(low, pairs[1][0][0]), max(high, pairs[1][-1][0])
                check_width(file.name, count, high - low + 2, size, file.limits)
    if high < low:
        raise NoRowsError(f"{shown(file.name)} has no features", remedy="Add rows of data.")
    return of_text(file, LibsvmRows(low, high))


class LibsvmRows:
    """A sparse file's columns, and the reader of its lines; see `Rows` for the attributes."""

    keeps_integers = True
    delimiter = None
    header_lines = 0
    nominal: Mapping[str, tuple[str, ...]] = {}
    floats: frozenset[str] = frozenset()
    own_marks: tuple[bytes, ...] = ()
    missing: frozenset[str] = frozenset()
    index: frozenset[str] = frozenset()
    unreadable: Mapping[str, DataError] = {}
    numerals: Numerals | None = None

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.names = ("label", *(f"feature_{index}" for index in range(low, high + 1)))
        self.numeric = frozenset(self.names[1:])

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some lines.

        Raises:
            SparseDataError: A row is no label and pairs of an index and a value.
        """
        at_once = max(1, VALUES_AT_ONCE // len(self.names))
        found = self._rows(enumerate(lines, first_line))
        while pairs := list(islice(found, at_once)):
            yield Batch([row for row, _ in pairs], [line for _, line in pairs])

    def _rows(self, numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[list[str], int]]:
        width = self.high - self.low + 1
        for number, line in numbered:
            found = _pairs(line, number)
            if found is None:
                continue
            label, pairs = found
            row = [label, *["0"] * width]
            for index, value in pairs:
                row[index - self.low + 1] = value
            yield row, number

    def joined(self, others: Iterable["LibsvmRows"]) -> "LibsvmRows":
        """Return the reader of this file and others, which may have other features."""
        every = [self, *others]
        return LibsvmRows(min(each.low for each in every), max(each.high for each in every))


def _pairs(line: str, number: int) -> tuple[str, list[tuple[int, str]]] | None:
    """Return a row's label, and its indexes with their values; None for a line that is no row.

    Raises:
        SparseDataError: It is malformed.
        UnsupportedTypeError: It is of a query.
    """
    label, *texts = line.partition("#")[0].split() or [""]
    if not label:
        return None
    if ":" in label or "," in label:
        raise _malformed(label, number, "it is not one label")
    found: list[tuple[int, str]] = []
    for text in texts:
        pair = _PAIR.fullmatch(text)
        if pair is None:
            if text.startswith("qid:"):
                raise UnsupportedTypeError(
                    "the rows are queries to rank",
                    remedy="Remove qid: where each row stands for itself.",
                    line=number,
                )
            raise _malformed(text, number, "it is not an index and a value")
        index = int(pair["index"])
        if found and index <= found[-1][0]:
            raise _malformed(text, number, "its index is not above the one before it")
        found.append((index, pair["value"]))
    return label, found


def _malformed(text: str, number: int, why: str) -> SparseDataError:
    return SparseDataError(
        f"{shown(text)} is not LIBSVM's format: {why}",
        remedy="Write a label, and pairs such as 3:0.5 with rising indexes.",
        line=number,
    )
