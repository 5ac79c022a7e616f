"""The lane that takes every block: the readers and checks of small files themselves."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data_prep.bulk.arrow import Array, strings_of
from data_prep.bulk.blocks import Block
from data_prep.bulk.formatting import category_strings
from data_prep.bulk.lanes.base import Encoding, RowLabels, Survey, class_keys
from data_prep.bulk.sampling import sampled
from data_prep.bulk.schema import Schema
from data_prep.bulk.statistics import ends_of, extremes, hashes, string_key
from data_prep.labels import add_target
from data_prep.numerals import plain
from data_prep.table import Column
from data_prep.values import add


class _Table(NamedTuple):
    """A block as small files are read: its features, its labels and their lines."""

    columns: list[Column]
    labels: list[str]
    lines: list[int]


class RowLane:
    """Has each row read by the reader of the file's format, and each value checked."""

    def survey(self, schema: Schema, block: Block) -> Survey:
        """Check a block and describe it.

        Raises:
            DataError: One of its classes for rows and values.
        """
        columns, strings, lines = _read(schema, block)
        first = {string: row for row, string in reversed(list(enumerate(strings)))}
        labels = sorted(first, key=first.__getitem__)
        if len(labels) > 255:
            # One too many is refused by name, in the order of the rows.
            labels = labels[:300]
        code = {string: min(at, 255) for at, string in enumerate(labels)}
        codes = np.array([code.get(string, 255) for string in strings], np.uint8)
        numbers, categories = [], {}
        for which, column in enumerate(columns):
            values = np.frombuffer(column.values, np.float64)
            if column.codes is not None:
                names = list(column.codes)
                seen: dict[str, set[int]] = {name: set() for name in names}
                present = ~np.isnan(values)
                pairs = np.unique(values[present].astype(np.int64) * 256 + codes[present])
                for pair in pairs.tolist():
                    seen[names[pair // 256]].add(pair % 256)
                categories[which] = seen
                keys = np.array([string_key(name) for name in names], np.uint64).view(np.float64)
                keyed = np.full(len(values), np.nan)
                keyed[present] = keys[values[present].astype(np.int64)]
                values = keyed
            numbers.append(values)
        return Survey(
            ReadAgain(),
            labels,
            codes,
            [lines[first[string]] for string in labels],
            tuple(column.integers for column in columns),
            np.array([column.missing for column in columns], np.int64),
            *extremes(numbers, codes, min(len(labels), 256)),
            categories,
            hashes(numbers, codes, class_keys(schema, labels)),
            sampled(schema, numbers, codes, np.array(lines)),
            ends_of(numbers) if schema.is_regression else None,
        )


class ReadAgain:
    """Rows that are read by the reader of the file's format once more."""

    def render(
        self, schema: Schema, block: Block, labels: RowLabels, encoding: Encoding
    ) -> tuple[pa.Array, Array | None]:
        """Write the rows as small files are written."""
        columns = _read(schema, block).columns
        numbers = labels.numbers
        strings: list[Iterator[str]] = []
        if not schema.is_regression:
            strings.append(map(str, numbers.tolist()))
        rows = list(range(len(numbers)))
        for which, column in enumerate(columns):
            places = encoding.places.get(which)
            if places is not None:
                strings.append(category_strings(column, places))
                continue
            column.integers = encoding.whole[which]
            strings.append(column.texts(rows))
        lines = map(",".join, zip(*strings, strict=True))
        return strings_of([f"{line}\n" for line in lines]), None

    def keeps_rows(self, encoding: Encoding) -> bool:  # noqa: ARG002 (as other renderings)
        """Tell that rows do not stay as they are."""
        return False


def _read(schema: Schema, block: Block) -> _Table:
    """Read a block as small files are read.

    Raises:
        DataError: One of its classes for rows and values.
    """
    layout, missing = schema.layout, schema.rows.missing
    columns = layout.columns(schema.rows)
    labels: list[str] = []
    lines: list[int] = []
    text = io.StringIO(bytes(block.data).decode(), newline="")
    for batch in schema.rows.batches_of(text, first_line=block.line):
        by_column = list(zip(*batch.rows, strict=True))
        lines += batch.lines
        features = list(zip(columns, layout.features, strict=True))
        if schema.is_regression:
            labels += [""] * len(batch.rows)
            target, at = features.pop(0)
            texts = plain(schema.rows.numerals, target, by_column[at], batch.lines)
            add_target(target, texts, batch.lines, missing, schema.objective)
        else:
            labels += [value.strip() for value in by_column[layout.label]]
        for column, at in features:
            texts = plain(schema.rows.numerals, column, by_column[at], batch.lines)
            add(column, texts, batch.lines, missing, gaps=schema.keeps_gaps)
    return _Table(columns, labels, lines)
