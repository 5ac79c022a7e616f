"""The lane of blocks that pyarrow parses as the reader of small files would."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from data_prep.bulk import arrow, blocks
from data_prep.bulk.arrow import Array, floats_of, numbers_of
from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes import verbatim
from data_prep.bulk.lanes.base import Survey, class_keys
from data_prep.bulk.lanes.parsed import Cells, Formatted, coded, counted, parse
from data_prep.bulk.sampling import line_numbers, sampled
from data_prep.bulk.schema import Schema
from data_prep.bulk.statistics import ends_of, extremes, hashes, string_key, whole_as_floats
from data_prep.values import MOST_CATEGORIES, SINGLE_END

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT = 2.0**53


class _Columns(NamedTuple):
    """The features of a block; see `Survey` for `whole`, `missing` and `categories`."""

    numbers: list[Array]
    whole: tuple[bool, ...]
    missing: Array
    categories: dict[int, dict[str, set[int]]]


class ColumnLane:
    """Looks first for what pyarrow reads otherwise, and then at the columns it parsed."""

    def survey(self, schema: Schema, block: Block) -> Survey | None:
        """Check a block and describe it, or return None: only the rows' reader understands it."""
        delimiter = schema.rows.delimiter
        data = bytes(block.data)
        if delimiter is None or not _is_plain(schema, data, delimiter):
            return None
        quotes = blocks.quoting(data, delimiter)
        if quotes == "unclear":
            return None
        try:
            cells = parse(schema, data, quoted=bool(quotes))
            return _surveyed(schema, block, data, cells, quoted=bool(quotes))
        except pa.ArrowInvalid:
            # Arrow does not parse it, or makes no float of a whole number beside a gap.
            return None


def _is_plain(schema: Schema, data: bytes, delimiter: str) -> bool:
    """Tell whether a block has nothing that only the rows' reader understands."""
    if b"\r" in data:
        text = np.frombuffer(data, np.uint8)
        returns = np.flatnonzero(text == ord("\r"))
        if (text[np.minimum(returns + 1, len(text) - 1)] != ord("\n")).any():
            return False
    if any(mark in data for mark in schema.rows.own_marks):
        return False
    if not schema.rows.keeps_integers:
        # What follows is about whole numbers, and every column is one of floats.
        return True
    # Arrow reads hexadecimal integers.
    if any(mark in data and b"0" + mark in data for mark in (b"x", b"X")):
        return False
    # A whole zero with a sign loses it as an integer, and keeps it in a column of floats.
    text = np.frombuffer(data, np.uint8)
    signs = np.flatnonzero(text[:-2] == ord("-"))
    signs = signs[text[signs + 1] == ord("0")]
    ends = np.frombuffer(b"\n\r \t0" + delimiter.encode(), np.uint8)
    return not np.isin(text[signs + 2], ends).any()


def _surveyed(
    schema: Schema, block: Block, data: bytes, cells: Cells, *, quoted: bool
) -> Survey | None:
    found = coded(schema, cells)
    if found is None:
        return None
    labels, codes = found
    starts, ends = blocks.lines_of(np.frombuffer(data, np.uint8))
    if len(starts) != len(codes) and not quoted:
        return None
    columns = _columns(schema, cells, codes, signed=b"+" in data)
    if columns is None:
        return None
    numbers = columns.numbers
    first_rows = [int(np.argmax(codes == code)) for code in range(len(labels))]
    copied = None
    if schema.is_in_place and not quoted and not columns.missing.any() and all(labels):
        counts = counted(labels, codes)
        copied = verbatim.of_all(schema, data, starts, columns.whole, numbers, counts)
    line_of = starts if len(starts) == len(codes) else None
    return Survey(
        Formatted(quoted) if copied is None else copied,
        labels,
        codes,
        [
            block.line + (data.count(b"\n", 0, int(line_of[row])) if line_of is not None else row)
            for row in first_rows
        ],
        columns.whole,
        columns.missing,
        *extremes(numbers, codes, len(labels)),
        columns.categories,
        hashes(numbers, codes, class_keys(schema, labels)),
        sampled(
            schema,
            numbers,
            codes,
            line_numbers(block.line, np.frombuffer(data, np.uint8), starts, len(codes)),
        ),
        ends_of(numbers) if schema.is_regression else None,
        None if copied is None else copied.relabelled(schema, block, starts, ends, labels, codes),
    )


def _columns(
    schema: Schema, cells: Cells, codes: NDArray[np.uint8], *, signed: bool
) -> _Columns | None:
    """Describe the features, or return None when they are for the rows' reader."""
    numbers, missing = [], np.zeros(len(cells.features), np.int64)
    whole, categories = [], {}
    for which, array in enumerate(cells.features):
        at = schema.layout.features[which]
        if at in schema.layout.categorical:
            placed = _placed(schema, at, array, codes)
            if placed is None:
                return None
            categories[which], values = placed
            numbers.append(values)
            whole.append(True)
            continue
        missing[which] = array.null_count
        values = floats_of(array)
        if not _is_in_range(array, values, forced=schema.floats[which]):
            return None
        if signed and not schema.floats[which] and whole_as_floats(array, values):
            return None
        numbers.append(values)
        whole.append(array.type == pa.int64())
    return _Columns(numbers, tuple(whole), missing, categories)


def _is_in_range(array: pa.Array, values: Array, *, forced: bool) -> bool:
    """Tell whether a parsed column is what the reader of small files would have read."""
    if array.null_count == len(array):
        return True
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    # NaN fails both comparisons.
    if not (low > -SINGLE_END and high < SINGLE_END):
        return False
    if not array.null_count and np.isnan(values).any():
        return False
    # Beyond, whole numbers are kept digit by digit, and may look like floats to Arrow.
    return forced or (low >= -_EXACT and high <= _EXACT)


def _placed(
    schema: Schema, at: int, array: pa.Array, codes: NDArray[np.uint8]
) -> tuple[dict[str, set[int]], Array] | None:
    """Return a categorical column's values with the label codes they come with, and a key a row."""
    if schema.rows.names[at] in schema.rows.nominal:
        # Declared values are checked by the rows' reader.
        return None
    encoded = arrow.encoded(array)
    names = encoded.dictionary.to_pylist()
    if len(names) > MOST_CATEGORIES or any(
        name != name.strip() or not name or name in schema.rows.missing for name in names
    ):
        return None
    places = numbers_of(encoded.indices)
    pairs = np.unique(places.astype(np.int64) * 256 + codes)
    seen: dict[str, set[int]] = {name: set() for name in names}
    for pair in pairs.tolist():
        seen[names[pair // 256]].add(pair % 256)
    keys = np.array([string_key(name) for name in names], np.uint64).view(np.float64)
    return seen, keys[places]
