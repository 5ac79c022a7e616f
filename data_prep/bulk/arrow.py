"""What the engine for large files needs of Arrow, and ways between it and numpy.

pyarrow's own ways to numpy import pandas where they find it, and `pyarrow.compute` writes a
documented wrapper for each of its functions when it is imported: both take longer than preparing a
hundred thousand rows. Here buffers are wrapped as they are, and functions called by their names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
from pyarrow._compute import CastOptions, JoinOptions, MatchSubstringOptions, call_function

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


# Between numpy and Arrow.


def array_of(values: NDArray[Any]) -> pa.Array:
    """Wrap numbers, or copy truth values, as an Arrow array."""
    if values.dtype == np.bool_:
        bits = pa.py_buffer(np.packbits(values, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, bits])
    kind = pa.from_numpy_dtype(values.dtype)
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def wrapped(offsets: NDArray[Any], data: bytes | memoryview | NDArray[np.uint8]) -> pa.Array:
    """Wrap texts that lie side by side, without a copy; offsets of 64 bits give large strings."""
    kind = pa.string() if offsets.dtype == np.int32 else pa.large_string()
    return pa.Array.from_buffers(
        kind, len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def strings_of(values: Sequence[str]) -> pa.Array:
    """Copy strings to an Arrow array."""
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    return wrapped(offsets, b"".join(encoded))


def numbers_of(array: pa.Array) -> NDArray[Any]:
    """Return the numbers of an array of which none is missing."""
    kind = np.dtype(array.type.to_pandas_dtype())
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def floats_of(array: pa.Array) -> NDArray[np.float64]:
    """Return numbers as floats, NaN where one is missing."""
    if array.null_count:
        array = filled(cast(array, pa.float64()), math.nan)
    values = numbers_of(array)
    return values.astype(np.float64, copy=False)


def bytes_of(texts: pa.Array) -> memoryview:
    """Return the bytes of texts that lie side by side."""
    if not len(texts):
        return memoryview(b"")
    offsets = offsets_of(texts)
    return memoryview(texts.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def offsets_of(texts: pa.Array) -> NDArray[Any]:
    """Return where each text begins and the last one ends."""
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    offsets = np.frombuffer(texts.buffers()[1], kind)
    return offsets[texts.offset : texts.offset + len(texts) + 1]


# Functions of Arrow.


def take(values: pa.Array, places: pa.Array) -> pa.Array:
    """Return the values at these places."""
    return call_function("take", [values, places])


def cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the values in another type, which holds each of them."""
    return call_function("cast", [values], CastOptions.safe(kind))


def filled(values: pa.Array, value: float | str) -> pa.Array:
    """Return the values with one in place of each that is missing."""
    return call_function("coalesce", [values, pa.scalar(value, values.type)])


def encoded(values: pa.Array) -> pa.Array:
    """Return the values as numbers of a dictionary."""
    return call_function("dictionary_encode", [values])


def join(*texts: pa.Array, separator: str = "", last: str = "") -> pa.Array:
    """Join texts row by row, with something between them and something after the last."""
    kind = texts[0].type
    if last:
        texts = (
            *texts[:-1],
            _joined([texts[-1], pa.scalar("", kind), pa.scalar(last, kind)]),
        )
    return _joined([*texts, pa.scalar(separator, kind)]) if len(texts) > 1 else texts[0]


def _joined(arguments: list[Any]) -> pa.Array:
    return call_function("binary_join_element_wise", arguments, JoinOptions("emit_null", ""))


def matching(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Tell which texts, of which none is missing, hold a pattern of RE2."""
    array = call_function("match_substring_regex", [texts], MatchSubstringOptions(pattern))
    bits = np.frombuffer(array.buffers()[1], np.uint8)
    end = array.offset + len(array)
    return np.unpackbits(bits, count=end, bitorder="little")[array.offset :].astype(np.bool_)


def found(texts: pa.Array, part: str) -> NDArray[np.int32]:
    """Return how many bytes come before a part in each text."""
    return numbers_of(call_function("find_substring", [texts], MatchSubstringOptions(part)))


def chosen(which: NDArray[np.bool_], these: pa.Array, others: pa.Array) -> pa.Array:
    """Return the values of one array or of the other, row by row."""
    return call_function("if_else", [array_of(which), these, others])


def replaced(values: pa.Array, which: NDArray[np.bool_], by: pa.Array) -> pa.Array:
    """Return the values with others, in order, in some of the places."""
    return call_function("replace_with_mask", [values, array_of(which), by])
