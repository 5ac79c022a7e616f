"""Telling rows that already are what would be written, many bytes at a time.

A plain decimal of at most 15 significant digits without idle zeros is the shortest that reads back
as the same float, which is what Python's `repr` writes: a file of such values can be copied. One
pattern of RE2 decides that for a row; numpy finds three times as fast the rows that are worth its
while, by what stands beside each zero and each point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Half of a core's second cache holds a piece with its scratch.
_PIECE = 256 << 10
# A sign or a point, and 15 digits.
_LONGEST = 16
# Where `repr` goes over to an exponent.
_LEAST = 1e-4


def suspects(
    data: bytes,
    starts: NDArray[Any],
    numbers: Sequence[NDArray[np.float64]],
    labels: Mapping[bytes, int],
) -> NDArray[Any] | None:
    """Return the rows that may hold a value written otherwise than `repr` would; all others do not.

    Args:
        data: Lines of finite numbers, read as floats, with a label before or after them, and commas
            between; the last line is ended.
        starts: Where each row starts.
        numbers: The values of each column.
        labels: How many rows have each label.

    Returns:
        Row numbers, rising; None when every row is one.
    """
    if any(mark in data for mark in (b" ", b"\t", b"+")):
        # What is read over beside a number would be copied.
        return None
    text = np.empty(len(data) + 2, np.uint8)
    text[0] = text[-1] = ord("\n")
    text[1:-1] = np.frombuffer(data, np.uint8)
    places, points, letters = _places(text)
    for label, times in labels.items():
        points -= times * label.count(b".")
        letters -= times * sum(byte > ord("9") for byte in label)
    if points != len(starts) * len(numbers) or letters:
        # A value without a point or with an exponent.
        return None
    rows = [np.searchsorted(starts, places, "right") - 1]
    for values in numbers:
        small = np.flatnonzero(np.abs(values) < _LEAST)
        rows.append(small[values[small] != 0])
    return np.unique(np.concatenate(rows))


def _places(text: NDArray[np.uint8]) -> tuple[NDArray[Any], int, int]:
    """Find what is not written as `repr` does; count the points and the letters.

    Commas and line ends are below the digits and the point in ASCII, a minus sign just above them.
    """
    found = [np.empty(0, np.int64)]
    points = letters = 0
    scratch = np.empty((5, _PIECE + _LONGEST + 2), np.bool_)
    for start in range(0, len(text), _PIECE):
        piece = text[start : start + _PIECE + _LONGEST + 1]
        zero, point, low, digit, hit = (row[: len(piece)] for row in scratch)
        np.equal(piece, ord("."), out=point)
        points += int(np.count_nonzero(point[:_PIECE]))
        np.greater(piece, ord("9"), out=hit)
        letters += int(np.count_nonzero(hit[:_PIECE]))
        np.equal(piece, ord("0"), out=zero)
        np.less(piece, ord("-"), out=low)
        np.greater(piece, ord("/"), out=digit)
        middle = hit[1:-1]
        # The last zero of a number after a digit: 1.50.
        np.logical_and(low[2:], digit[:-2], out=middle)
        np.logical_and(middle, zero[1:-1], out=middle)
        _note(found, middle, start)
        # A point without a digit on each side of it: .5, 5.
        np.logical_and(digit[2:], digit[:-2], out=middle)
        np.greater(point[1:-1], middle, out=middle)
        _note(found, middle, start)
        # The first zero of a number before a digit: 05.
        np.less(piece, ord("."), out=point)
        np.logical_and(point[:-2], digit[2:], out=middle)
        np.logical_and(middle, zero[1:-1], out=middle)
        _note(found, middle, start)
        # More than 16 characters without a comma or a line end.
        np.logical_not(low, out=low)
        run, longer = low, zero
        for shift in (1, 2, 4, 8, 1):
            length = len(run) - shift
            if length <= 0:
                break
            run = np.logical_and(run[:length], run[shift:], out=longer[:length])
            longer = zero if longer is hit else hit
        else:
            _note(found, run, start)
    return np.concatenate(found), points, letters


def _note(found: list[NDArray[Any]], hits: NDArray[np.bool_], start: int) -> None:
    if hits.any():
        # The text has one more character before the data than the middle of a piece has.
        found.append(np.flatnonzero(hits) + start)
