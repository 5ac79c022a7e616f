"""Checking a block, and writing it."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data_prep import check
from data_prep.bulk import arrow, blocks, plain
from data_prep.bulk.arrow import Array, array_of, floats_of, numbers_of, take, texts_of, wrapped
from data_prep.bulk.blocks import Block, Put
from data_prep.bulk.figures import Ends, ends_of, extremes, hashes, text_key, whole_as_floats
from data_prep.bulk.texts import ONE_DIGIT, category_texts, label_lengths, labelled, written
from data_prep.check import Layout
from data_prep.errors import DataError
from data_prep.labels import add_target, in_domain, plain_number
from data_prep.options import Wanted
from data_prep.read import Opened
from data_prep.table import Column
from data_prep.values import MOST_CATEGORIES, add

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Wider rows would make patterns larger than RE2 takes.
_WIDEST_PATTERN = 64
_EXACT = 2.0**53
_FLOAT = (
    r"-?(?:0\.(?:0|0{0,3}[1-9](?:[0-9]{0,13}[1-9])?)"
    r"|[1-9][0-9]{0,3}\.(?:0|[0-9]{0,10}[1-9])|[1-9][0-9]{4,7}\.(?:0|[0-9]{0,6}[1-9]))"
)
_WHOLE = r"(?:0|-?[1-9][0-9]{0,14})"
_FEATURE_TYPES = (pa.int64(), pa.float64())


class Survey(NamedTuple):
    """What the first pass learns of a block.

    Attributes:
        lane: "lines", "columns" or "text".
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
        odd: Rows of the first lane whose text must be written anew.
        ends: Of a regression, what tells whether a feature is the label itself.
        kept: Of the first lane, where the text is kept.
    """

    lane: str
    labels: list[str]
    codes: NDArray[np.uint8]
    first_lines: list[int]
    whole: tuple[bool, ...]
    missing: Array
    low: Array
    high: Array
    categories: dict[int, dict[str, set[int]]]
    hashes: NDArray[np.uint64]
    odd: Array
    ends: Ends | None
    kept: Relabelled | None = None


class Relabelled(NamedTuple):
    """A block's rows in the text that is kept, ready to be written but for the label's digit.

    Attributes:
        offsets: Where each row begins, with that digit, and where it has ended, in turn.
        odd: What follows the digit in each row that must be written anew.
    """

    offsets: Array
    odd: list[bytes]


class Kept(NamedTuple):
    """What is remembered of a block until it is written; see `Survey`."""

    lane: str
    whole: tuple[bool, ...]
    odd: Array
    rows: int


class Final(NamedTuple):
    """What is known of a block's neighbours once every row is read.

    Attributes:
        whole: For each feature, whether it is written as whole numbers.
        places: For each categorical feature, the number of each value.
        classes: How many there are; 0 for a regression.
        label_lengths: Bytes of each label value, by code.
        codes: The label code of each of the block's rows.
    """

    whole: tuple[bool, ...]
    places: dict[int, dict[str, int]]
    classes: int
    label_lengths: Array
    codes: NDArray[np.uint8]


class _Cells(NamedTuple):
    """A block's values: an array for each feature, and its label as text.

    A regression's label is the first of the features.
    """

    features: list[pa.Array]
    label: pa.Array | None


class Work:
    """What does not change from block to block."""

    def __init__(self, source: Opened, wanted: Wanted) -> None:
        self.rows = source.rows
        self.open_bytes = source.open_bytes
        self._open_once = source.open_once
        self.plan: Layout = check.layout(source.rows, wanted)
        self.objective = wanted.objective
        self._positive = wanted.positive if wanted.task == "binary" else None
        self.gaps = wanted.missing == "pass"
        self.arff = not source.rows.keeps_integers
        self.delimiter = source.rows.delimiter
        at = self.plan.features
        self.regression = wanted.task == "regression"
        if self.regression:
            # A number as any other, written first.
            self.plan = self.plan._replace(features=(self.plan.label, *at))
        forced = [not c.integers for c in self.plan.columns(source.rows)]
        self.floats = self._sampled(forced)
        # Whether a block held something besides decimal numbers and labels.
        self._mixed = False
        ends = at == tuple(range(len(at))) or at == tuple(range(1, len(at) + 1))
        self.label_last = self.plan.label == len(at)
        # Rows can stay as they are when the file holds the features side by side, in order.
        self.in_place = (
            ends
            and not self.regression
            and len(source.rows.names) == len(at) + 1
            and not self.plan.categorical
            and len(at) <= _WIDEST_PATTERN
            and self.delimiter == ","
        )

    def _sampled(self, forced: list[bool]) -> tuple[bool, ...]:
        """Tell which features are floats already by the first rows, so that none is tried whole."""
        try:
            with self.open_bytes() as stream:
                head = next(blocks.cut(stream, self.rows.header_lines, 1 << 16), None)
            lines = bytes(head.data).decode().splitlines(keepends=True)[:200] if head else []
            for batch in self.rows.batches_of(lines, first_line=1):
                for which, at in enumerate(self.plan.features):
                    for row in batch.rows:
                        text = row[at].strip()
                        if "." in text and at not in self.plan.categorical:
                            float(text)
                            forced[which] = True
                            break
        except (DataError, ValueError):
            # The first pass meets the same rows and says what is wrong with them.
            return tuple(forced)
        return tuple(forced)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out how the file is opened: on another machine blocks come by other ways."""
        rows = copy.copy(self.rows)
        vars(rows).update({name: None for name, value in vars(rows).items() if callable(value)})
        return {**vars(self), "rows": rows, "open_bytes": None, "_open_once": None}

    def blocks(
        self, size: int | None = None, *, first: bool = False, put: Put = b"".join
    ) -> Iterator[Block]:
        """Read the rows' lines, in blocks of about so many bytes; the `first` time examine them."""
        with (self._open_once if first else self.open_bytes)() as stream:
            yield from blocks.cut(stream, self.rows.header_lines, size or blocks.SIZE, put)

    # Reading a block.

    def cells(self, data: bytes | memoryview, *, quoted: bool) -> _Cells:
        """Have pyarrow parse a block.

        Raises:
            pa.ArrowInvalid: It cannot; the block is for the text lane.
        """
        names = [str(at) for at in range(len(self.rows.names))]
        wanted = [names[at] for at in self.plan.features]
        types: dict[str, pa.DataType] = {}
        if not self.regression:
            wanted.append(names[self.plan.label])
            types[wanted[-1]] = pa.string()
        for which, at in enumerate(self.plan.features):
            if at in self.plan.categorical:
                types[names[at]] = pa.string()
            elif self.floats[which]:
                types[names[at]] = pa.float64()
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            pyarrow.csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            pyarrow.csv.ParseOptions(delimiter=self.delimiter, quote_char='"' if quoted else False),
            pyarrow.csv.ConvertOptions(
                column_types=types,
                include_columns=wanted,
                null_values=["", *sorted(self.rows.missing)] if self.gaps else [],
                strings_can_be_null=False,
                true_values=[],
                false_values=[],
            ),
        )
        arrays = [column.combine_chunks() for column in table.columns]
        arrays = [a.chunk(0) if isinstance(a, pa.ChunkedArray) else a for a in arrays]
        label = None if self.regression else arrays.pop()
        features = arrays
        for which, at in enumerate(self.plan.features):
            kind = features[which].type
            if at in self.plan.categorical:
                continue
            if kind == pa.null() and self.gaps:
                features[which] = arrow.cast(features[which], pa.float64())
            elif kind not in _FEATURE_TYPES:
                raise pa.ArrowInvalid(f"column {at} is of type {kind}")
        return _Cells(features, label)

    def columns_of(self, block: Block) -> tuple[list[Column], list[str], list[int]]:
        """Read a block as small files are read: its features, its labels and their lines.

        Raises:
            DataError: One of its classes for rows and values.
        """
        columns = self.plan.columns(self.rows)
        labels: list[str] = []
        lines: list[int] = []
        text = io.StringIO(bytes(block.data).decode(), newline="")
        for batch in self.rows.batches_of(text, first_line=block.line):
            by_column = list(zip(*batch.rows, strict=True))
            lines += batch.lines
            features = list(zip(columns, self.plan.features, strict=True))
            if self.regression:
                labels += [""] * len(batch.rows)
                target, at = features.pop(0)
                add_target(target, by_column[at], batch.lines, self.rows.missing, self.objective)
            else:
                labels += [value.strip() for value in by_column[self.plan.label]]
            for column, at in features:
                add(column, by_column[at], batch.lines, self.rows.missing, gaps=self.gaps)
        return columns, labels, lines

    # The first pass.

    def survey(self, block: Block) -> Survey:
        """Check a block and describe it.

        Raises:
            DataError: One of its classes for rows and values.
        """
        if self.in_place and not self._mixed:
            found = self._survey_numbers(block)
            if found is not None:
                return found
            # The next block will be no different.
            self._mixed = True
        data = bytes(block.data)
        quotes = blocks.quoting(data, self.delimiter)
        if not self._plain(data) or quotes == "unclear" or (self.arff and quotes):
            return self._survey_text(block)
        try:
            cells = self.cells(data, quoted=bool(quotes))
            found = self._survey_cells(block, data, cells, quoted=bool(quotes))
        except pa.ArrowInvalid:
            # Arrow does not parse it, or makes no float of a whole number beside a gap.
            return self._survey_text(block)
        return found or self._survey_text(block)

    def _survey_numbers(self, block: Block) -> Survey | None:
        """Describe a block of nothing but decimal numbers and labels, or return None.

        What it holds is counted after Arrow parsed it, which takes half as long as looking for
        whatever else there may be in a file before.
        """
        try:
            cells = self.cells(block.data, quoted=False)
        except pa.ArrowInvalid:
            return None
        coded = self._coded(cells)
        if coded is None or any(array.null_count for array in cells.features):
            return None
        labels, codes = coded
        numbers = [floats_of(array) for array in cells.features]
        text = np.frombuffer(block.data, np.uint8)
        lines = plain.suspects(text, numbers, _counted(labels, codes)) if all(labels) else None
        if lines is None:
            return None
        odd = self._odd(block.data, lines.starts, (False,) * len(numbers), lines.rows)
        low, high = extremes(numbers, codes, len(labels))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            return None
        first_rows = [int(np.argmax(codes == code)) for code in range(len(labels))]
        found = Survey(
            "columns" if odd is None else "lines",
            labels,
            codes,
            [
                block.line + int(np.count_nonzero(text[: lines.starts[row]] == ord("\n")))
                for row in first_rows
            ],
            (False,) * len(numbers),
            np.zeros(len(numbers), np.int64),
            low,
            high,
            {},
            hashes(numbers, codes, [self._class_key(label) for label in labels]),
            np.empty(0, np.int64) if odd is None else odd,
            None,
        )
        return found if odd is None else self._in_lines(found, block, lines.starts, lines.ends)

    def _in_lines(self, found: Survey, block: Block, starts: Array, ends: Array) -> Survey:
        """Get a block of the first lane ready to be written, if its text is kept."""
        if block.kept is None:
            return found
        text, at = block.kept
        odd = self.odd_rows(np.frombuffer(block.data, np.uint8), starts, ends, found)
        lengths = label_lengths(found.labels)[found.codes]
        begins, ends = self.unlabel(text, starts + at, ends + at, lengths)
        offsets = np.empty(2 * len(begins), np.int64)
        offsets[0::2], offsets[1::2] = begins, ends
        return found._replace(kept=Relabelled(offsets, odd))

    def _plain(self, data: bytes) -> bool:
        """Tell whether a block has nothing that only the readers of small files understand."""
        if b"\r" in data:
            text = np.frombuffer(data, np.uint8)
            returns = np.flatnonzero(text == ord("\r"))
            if (text[np.minimum(returns + 1, len(text) - 1)] != ord("\n")).any():
                return False
        if self.arff:
            return not any(mark in data for mark in (b"%", b"{", b"'"))
        # Arrow reads hexadecimal integers.
        if any(mark in data and b"0" + mark in data for mark in (b"x", b"X")):
            return False
        # A whole zero with a sign loses it as an integer, and keeps it in a column of floats.
        text = np.frombuffer(data, np.uint8)
        signs = np.flatnonzero(text[:-2] == ord("-"))
        signs = signs[text[signs + 1] == ord("0")]
        ends = np.frombuffer(b"\n\r \t0" + self.delimiter.encode(), np.uint8)
        return not np.isin(text[signs + 2], ends).any()

    def _survey_cells(
        self, block: Block, data: bytes, cells: _Cells, *, quoted: bool
    ) -> Survey | None:
        """Describe a parsed block, or return None when it is for the text lane."""
        coded = self._coded(cells)
        if coded is None:
            return None
        labels, codes = coded
        starts, ends = blocks.lines_of(np.frombuffer(data, np.uint8))
        if len(starts) != len(codes) and not quoted:
            return None
        signed = b"+" in data
        numbers, missing = [], np.zeros(len(cells.features), np.int64)
        whole, categories = [], {}
        for which, array in enumerate(cells.features):
            at = self.plan.features[which]
            if at in self.plan.categorical:
                placed = self._categories(array, codes)
                if placed is None:
                    return None
                categories[which], values, missing[which] = placed
                numbers.append(values)
                whole.append(True)
                continue
            missing[which] = array.null_count
            values = floats_of(array)
            if not self._in_range(array, values, forced=self.floats[which]):
                return None
            if signed and not self.floats[which] and whole_as_floats(array, values):
                return None
            numbers.append(values)
            whole.append(array.type == pa.int64())
        first_rows = [int(np.argmax(codes == code)) for code in range(len(labels))]
        lane, odd = "columns", np.empty(0, np.int64)
        if self.in_place and not quoted and not missing.any() and all(labels):
            kept = self._odd_of_all(data, starts, tuple(whole), numbers, _counted(labels, codes))
            if kept is not None:
                lane, odd = "lines", kept
        line_of = starts if len(starts) == len(codes) else None
        found = Survey(
            lane,
            labels,
            codes,
            [
                block.line
                + (data.count(b"\n", 0, int(line_of[row])) if line_of is not None else row)
                for row in first_rows
            ],
            tuple(whole),
            missing,
            *extremes(numbers, codes, len(labels)),
            categories,
            hashes(numbers, codes, [self._class_key(label) for label in labels]),
            odd,
            ends_of(numbers) if self.regression else None,
        )
        return self._in_lines(found, block, starts, ends) if lane == "lines" else found

    def _coded(self, cells: _Cells) -> tuple[list[str], NDArray[np.uint8]] | None:
        """Return the label's values and their codes, or None when they are for the text lane.

        A regression has no classes, so its rows are all of one.
        """
        if cells.label is None:
            target = cells.features[0]
            if not len(target):
                return [], np.empty(0, np.uint8)
            if target.null_count:
                return None
            low, high = (
                float(bound) for bound in (floats_of(target).min(), floats_of(target).max())
            )
            if not in_domain(low, high, self.objective):
                return None
            return [""], np.zeros(len(target), np.uint8)
        encoded = arrow.encoded(cells.label)
        labels = encoded.dictionary.to_pylist()
        if len(labels) > 255 or any(label != label.strip() for label in labels):
            return None
        return labels, numbers_of(encoded.indices).astype(np.uint8)

    def _in_range(self, array: pa.Array, values: Array, *, forced: bool) -> bool:
        """Tell whether a parsed column is what the reader of small files would have read."""
        if array.null_count == len(array):
            return True
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        if not array.null_count and (np.isnan(low) or np.isnan(values).any()):
            return False
        # Beyond, whole numbers are kept digit by digit, and may look like floats to Arrow.
        return forced or (low >= -_EXACT and high <= _EXACT)

    def _categories(
        self, array: pa.Array, codes: NDArray[np.uint8]
    ) -> tuple[dict[str, set[int]], Array, int] | None:
        encoded = arrow.encoded(array)
        texts = encoded.dictionary.to_pylist()
        if len(texts) > MOST_CATEGORIES or any(
            text != text.strip() or not text or text in self.rows.missing for text in texts
        ):
            return None
        if self.arff:
            # Declared values are checked by the reader of small files.
            return None
        places = numbers_of(encoded.indices)
        pairs = np.unique(places.astype(np.int64) * 256 + codes)
        seen: dict[str, set[int]] = {text: set() for text in texts}
        for pair in pairs.tolist():
            seen[texts[pair // 256]].add(pair % 256)
        keys = np.array([text_key(text) for text in texts], np.uint64).view(np.float64)
        return seen, keys[places], 0

    def _odd(
        self, data: bytes | memoryview, starts: Array, whole: tuple[bool, ...], rows: Array
    ) -> Array | None:
        """Return which of some rows are not what would be written, or None when they are many."""
        offsets = np.empty(len(starts) + 1, np.int32)
        offsets[:-1], offsets[-1] = starts, len(data)
        lines = wrapped(offsets, data)
        if len(rows) < len(starts):
            lines = take(lines, array_of(rows))
        values = ",".join(_WHOLE if integer else _FLOAT for integer in whole)
        pattern = rf"\A{values}," if self.label_last else rf"\A[^,\n]*,{values}\r?\n"
        odd = rows[np.flatnonzero(~arrow.matching(lines, pattern))]
        return None if len(odd) > max(64, len(starts) // 50) else odd

    def _odd_of_all(
        self,
        data: bytes,
        starts: Array,
        whole: tuple[bool, ...],
        numbers: list[Array],
        labels: dict[bytes, int],
    ) -> Array | None:
        """Return the rows that are not what would be written, or None when they are many."""
        text = np.frombuffer(data, np.uint8)
        lines = None if any(whole) else plain.suspects(text, numbers, labels)
        rows = np.arange(len(starts)) if lines is None else lines.rows
        return self._odd(data, starts, whole, rows)

    def _class_key(self, label: str) -> int:
        """Return a number for the class of a label's value, before the classes are known.

        Numbers are told apart by value, whether or not all the labels will be numbers.
        """
        if self._positive is None:
            number = plain_number(label)
            return text_key(label if number is None else repr(number))
        number, positive = plain_number(label), plain_number(self._positive)
        same = label == self._positive or (number is not None and number == positive)
        return text_key("positive" if same else "negative")

    def _survey_text(self, block: Block) -> Survey:
        columns, texts, lines = self.columns_of(block)
        first = {text: row for row, text in reversed(list(enumerate(texts)))}
        labels = sorted(first, key=first.__getitem__)
        if len(labels) > 255:
            # One too many is refused by name, in the order of the rows.
            labels = labels[:300]
        code = {text: min(at, 255) for at, text in enumerate(labels)}
        codes = np.array([code.get(text, 255) for text in texts], np.uint8)
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
                keys = np.array([text_key(name) for name in names], np.uint64).view(np.float64)
                keyed = np.full(len(values), np.nan)
                keyed[present] = keys[values[present].astype(np.int64)]
                values = keyed
            numbers.append(values)
        return Survey(
            "text",
            labels,
            codes,
            [lines[first[text]] for text in labels],
            tuple(column.integers for column in columns),
            np.array([column.missing for column in columns], np.int64),
            *extremes(numbers, codes, min(len(labels), 256)),
            categories,
            hashes(numbers, codes, [self._class_key(label) for label in labels]),
            np.empty(0, np.int64),
            ends_of(numbers) if self.regression else None,
        )

    # The second pass.

    def render(
        self, block: Block, kept: Kept, labels: NDArray[np.uint8], final: Final
    ) -> tuple[pa.Array, Array | None]:
        """Write a block's rows: texts, and which of them each row is (None: in order)."""
        if kept.lane == "lines" and kept.whole == final.whole and final.classes <= ONE_DIGIT:
            return self._render_lines(bytes(block.data), kept, labels, final)
        if kept.lane == "text":
            return self._render_text(block, labels, final), None
        quoted = bool(blocks.quoting(bytes(block.data), self.delimiter))
        cells = self.cells(block.data, quoted=quoted)
        texts = [
            written(array, whole=final.whole[which], places=final.places.get(which))
            for which, array in enumerate(cells.features)
        ]
        if not self.regression:
            numbers = [str(number) for number in range(final.classes)]
            texts.insert(0, take(texts_of(numbers), array_of(labels)))
        return arrow.join(*texts, separator=",", last="\n"), None

    def _render_lines(
        self, data: bytes, kept: Kept, labels: NDArray[np.uint8], final: Final
    ) -> tuple[pa.Array, Array]:
        """Replace the labels in a copy; the rows lie between leftovers of the old ones."""
        text = np.frombuffer(data, np.uint8)
        starts, ends = blocks.lines_of(text)
        count = len(starts)
        odd = self.odd_rows(text, starts, ends, kept)
        extra = labelled(odd, labels[kept.odd])
        end = 2 + len(data)
        buffer = np.concatenate([text[:2], text, np.frombuffer(b"".join(extra), np.uint8)])
        offsets = np.empty(2 * count + len(extra) + 1, np.int32)
        offsets[0 : 2 * count : 2], offsets[1 : 2 * count : 2] = self.unlabel(
            buffer, starts + 2, ends + 2, final.label_lengths[final.codes]
        )
        buffer[offsets[0 : 2 * count : 2]] = labels + ord("0")
        offsets[2 * count :] = np.cumsum([end, *map(len, extra)])
        places = np.arange(0, 2 * count, 2)
        places[kept.odd] = 2 * count + np.arange(len(extra))
        return wrapped(offsets, buffer), places

    def unlabel(
        self, text: Array, starts: Array, ends: Array, lengths: Array
    ) -> tuple[Array, Array]:
        """Make room for a digit in place of each row's label: over it, or in two bytes ahead.

        Args:
            text: Bytes of rows of the first lane.
            starts: Where each row starts.
            ends: Where its line end is.
            lengths: How many bytes each label has.

        Returns:
            Where each row now begins, with the digit, and where it has ended.
        """
        if self.label_last:
            begin, last = starts - 2, ends - lengths - 1
            text[begin + 1] = ord(",")
        else:
            begin, last = starts + lengths - 1, ends
        text[last] = ord("\n")
        return begin, last + 1

    def odd_rows(self, text: Array, starts: Array, ends: Array, of: Survey | Kept) -> list[bytes]:
        """Write a block's odd rows anew, all of them that comes after the label's digit."""
        found = []
        for row in of.odd:
            values = text[starts[row] : ends[row]].tobytes().decode().split(",")
            values.pop(self.plan.label)
            written = (
                str(int(text)) if integer else repr(float(text))
                for text, integer in zip(values, of.whole, strict=True)
            )
            found.append(f",{','.join(written)}\n".encode())
        return found

    def _render_text(self, block: Block, labels: NDArray[np.uint8], final: Final) -> pa.Array:
        columns, _, _ = self.columns_of(block)
        texts: list[Iterator[str]] = [] if self.regression else [map(str, labels.tolist())]
        rows = list(range(len(labels)))
        for which, column in enumerate(columns):
            places = final.places.get(which)
            if places is not None:
                texts.append(category_texts(column, places))
                continue
            column.integers = final.whole[which]
            texts.append(column.texts(rows))
        return texts_of([f"{line}\n" for line in map(",".join, zip(*texts, strict=True))])


def _counted(labels: list[str], codes: NDArray[np.uint8]) -> dict[bytes, int]:
    """Return how many rows have each label."""
    counts = np.bincount(codes, minlength=len(labels)).tolist()
    return {label.encode(): count for label, count in zip(labels, counts, strict=True)}
