"""Statistics of a block's values: extremes, lines they are on, and numbers for whole rows."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from data_prep.bulk.arrow import Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 64 MiB: memory of that size goes back to the system when it is let go.
_CHUNK = 1 << 23
_MIXING = np.uint64(0x9E3779B97F4A7C15)


class Gathered:
    """Numbers of 64 bits, gathered piece by piece and joined without ever being there twice."""

    def __init__(self) -> None:
        self._chunks: list[NDArray[np.uint64]] = []
        self._used = _CHUNK

    def add(self, values: NDArray[np.uint64]) -> None:
        """Add some at the end."""
        while len(values):
            if self._used == _CHUNK:
                # What is not used of it takes no memory.
                self._chunks.append(np.empty(_CHUNK, np.uint64))
                self._used = 0
            some = values[: _CHUNK - self._used]
            self._chunks[-1][self._used : self._used + len(some)] = some
            self._used += len(some)
            values = values[len(some) :]

    def joined(self) -> NDArray[np.uint64]:
        """Return all of them, and keep none."""
        last, self._used = self._used, _CHUNK
        if len(self._chunks) < 2:
            return self._chunks.pop()[:last] if self._chunks else np.empty(0, np.uint64)
        whole = np.empty((len(self._chunks) - 1) * _CHUNK + last, np.uint64)
        for number in reversed(range(len(self._chunks))):
            mine = whole[number * _CHUNK : (number + 1) * _CHUNK]
            mine[:] = self._chunks.pop()[: len(mine)]
        return whole


class Ends(NamedTuple):
    """A block's rows of the least and the greatest label, and what lies between them.

    Attributes:
        low: The first row of the least label, shape (features,); the label is the first of them.
        high: The same of the greatest.
        straight: For each feature, whether all rows are on the line through the two.
    """

    low: Array
    high: Array
    straight: tuple[bool, ...]


def extremes(numbers: list[Array], codes: NDArray[np.uint8], labels: int) -> tuple[Array, Array]:
    """Return the least and the greatest value of each column for each label code."""
    low = np.full((labels, len(numbers)), np.nan)
    high = np.full((labels, len(numbers)), np.nan)
    if not len(codes):
        return low, high
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    found = ordered[starts]
    for which, values in enumerate(numbers):
        grouped = values[order]
        low[found, which] = np.fmin.reduceat(grouped, starts)
        high[found, which] = np.fmax.reduceat(grouped, starts)
    return low, high


def whole_as_floats(array: pa.Array, values: Array) -> bool:
    """Tell whether whole numbers were read as floats, as Arrow reads them behind a plus sign."""
    return array.type == pa.float64() and bool((values == np.floor(values)).all())


def ends_of(numbers: list[Array]) -> Ends | None:
    """Tell which columns are on one line with the first, the label."""
    label = numbers[0]
    if not len(label):
        return None
    ends = int(np.argmin(label)), int(np.argmax(label))
    low, high = (np.array([values[row] for values in numbers]) for row in ends)
    span = float(high[0] - low[0])
    share = (label - low[0]) / span if span else np.zeros_like(label)

    def straight(which: int, rows: slice) -> bool:
        expected = low[which] + (high[which] - low[which]) * share[rows]
        near = 1e-12 * max(abs(low[which]), abs(high[which]))
        return bool((np.abs(numbers[which][rows] - expected) <= near).all())

    # Most are not, which a few rows tell.
    return Ends(
        low,
        high,
        tuple(
            straight(which, slice(64)) and straight(which, slice(None))
            for which in range(len(numbers))
        ),
    )


def hashes(
    numbers: list[Array], codes: NDArray[np.uint8], classes: list[int]
) -> NDArray[np.uint64]:
    """Return 64 bits for each row, equal for equal rows and almost surely only for them."""
    keys = np.array(classes[:256] or [0], np.uint64)
    mixed = keys[codes]
    scratch = np.empty_like(mixed)
    for values in numbers:
        bits = (values + 0.0).view(np.uint64)  # -0.0 is 0.0
        np.right_shift(bits, np.uint64(32), out=scratch)
        np.bitwise_xor(bits, scratch, out=bits)
        np.bitwise_xor(mixed, bits, out=mixed)
        np.multiply(mixed, _MIXING, out=mixed)
        np.right_shift(mixed, np.uint64(29), out=scratch)
        np.bitwise_xor(mixed, scratch, out=mixed)
    return mixed


@lru_cache(maxsize=4096)
def string_key(string: str) -> int:
    """Return 64 bits for a string."""
    return int.from_bytes(hashlib.blake2b(string.encode(), digest_size=8).digest(), "little")
