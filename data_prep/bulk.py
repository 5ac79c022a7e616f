"""Preparing a large file: blocks of lines, checked and written by pyarrow and numpy on every core.

The file is read twice, a block of whole lines at a time, so memory does not grow with it beyond a
few numbers for each row. The first pass checks every value and takes note of labels, ranges and
repeated rows; the second writes. Each block takes the quickest of three lanes that is proven to
give what the readers of small files give:

- lines: rows whose text already is what would be written (`plain`). Only the label is replaced.
- columns: values are parsed by pyarrow and formatted again.
- text: the readers and checks of small files themselves. What the others do not understand ends
  here, and is understood or refused with their words.

A row's text is kept in the first lane when each value is a plain decimal of at most 15 significant
digits without idle zeros: such a decimal is the shortest that reads back as the same float, which
is what Python's `repr` writes.
"""

from __future__ import annotations

import copy
import hashlib
import io
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv

from . import arrow, bulk_split, check, plain, profile
from .arrow import array_of, bytes_of, floats_of, numbers_of, take, texts_of, wrapped
from .check import Layout
from .errors import DataError
from .labels import Labels, add_target, check_spread, in_domain, no_rows, plain_number
from .options import Format, Wanted
from .profile import Feature
from .read import Examination, Limits, NotExaminedError, Opened, opened
from .split import Fractions, Parts
from .table import Column
from .values import MOST_CATEGORIES, add, check_categories

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .spread import Spread

_BLOCK = 2 << 20
# One more than cores, since workers wait for the interpreter's lock and the reader: a tenth less
# time at 5 million rows on two cores.
_WORKERS = max(2, os.cpu_count() or 1) + 1
_PARTS = ("train/train.csv", "test/test.csv", "validate/validate.csv")
_BATCH = "batch-in/batch-in.csv"
# Wider rows would make patterns larger than RE2 takes.
_WIDEST_PATTERN = 64
_ROWS_AT_ONCE = 32_768
# Blocks joined while a quote is open.
_MOST_JOINED = 4
_EXACT = 2.0**53
# So many classes are numbered with one digit, which takes the place of the label's text.
_ONE_DIGIT = 10
# Between these magnitudes both Python and Arrow write a float without an exponent.
_PLAIN = (1e-3, 1e10)
_FLOAT = (
    r"-?(?:0\.(?:0|0{0,3}[1-9](?:[0-9]{0,13}[1-9])?)"
    r"|[1-9][0-9]{0,3}\.(?:0|[0-9]{0,10}[1-9])|[1-9][0-9]{4,7}\.(?:0|[0-9]{0,6}[1-9]))"
)
_WHOLE = r"(?:0|-?[1-9][0-9]{0,14})"
_MIXING = np.uint64(0x9E3779B97F4A7C15)
_FEATURE_TYPES = (pa.int64(), pa.float64())

Opener = Callable[[str], BinaryIO]
# Joins pieces of bytes.
Put = Callable[[Sequence[bytes | memoryview]], bytes | memoryview]
Array: TypeAlias = "NDArray[Any]"
T = TypeVar("T")
R = TypeVar("R")


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


class Block(NamedTuple):
    """Whole lines, each ended by a line feed.

    Attributes:
        data: The lines' bytes.
        line: The number of the first.
        kept: The text that is kept, and where in it they lie, with two bytes ahead of them.
    """

    data: bytes | memoryview
    line: int
    kept: tuple[Array, int] | None = None


class _Cells(NamedTuple):
    """A block's values: an array for each feature, and its label as text.

    A regression's label is the first of the features.
    """

    features: list[pa.Array]
    label: pa.Array | None


class Outcome(NamedTuple):
    """A checked file, ready to be written.

    Attributes:
        features: What the profile tells of each.
        labels: The number of each row's class; 0 for a regression.
        classes: The label's values by these numbers; empty for a regression.
        target: What the profile tells of a regression's label; None for classes.
        duplicates: Rows that repeat an earlier one, label included.
        rows: Row numbers of train, test and validate.
        exact: Whether rows are written in the order of `rows`; else in the order of the file.
        write: Writes the four files to what a function opens for each path.
    """

    features: tuple[Feature, ...]
    labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    target: dict[str, Any] | None
    duplicates: int
    rows: tuple[bulk_split.Rows, bulk_split.Rows, bulk_split.Rows]
    exact: bool
    write: Callable[[Opener], None]

    def class_counts(self) -> dict[str, list[int]]:
        """Count the rows of each class in each part; nothing for a regression."""
        if self.target is not None:
            return {}
        counts = bulk_split.class_counts(self.labels, self.rows, len(self.classes))
        return dict(zip(Parts._fields, counts, strict=True))


def prepare(
    found: Examination,
    form: Format,
    wanted: Wanted,
    fractions: Fractions,
    seed: int,
    limits: Limits,
    spread: Spread | None = None,
) -> Outcome:
    """Check a whole file and split it.

    Args:
        found: The file, some of it examined; the rest is while its rows are checked.
        form: How it is written.
        wanted: What becomes of the columns.
        fractions: The parts' shares.
        seed: Of the split.
        limits: Most rows, and how large a file is shuffled in memory.
        spread: Several machines to do it on; then rows are written in the order of the file.

    Raises:
        DataError: One of its classes: the input is refused.
    """
    leader, text = None, None
    if spread is not None or found.encoding is None:
        # The blocks are taken from elsewhere.
        found.finish()
    try:
        work = _opened(found, form, wanted)
        if spread is not None:
            from .spread import Leader

            leader = Leader(work, found.size, spread)
        elif work.in_place and found.packed_size <= limits.exact_bytes:
            text = _Text(limits.exact_bytes)
        surveyed = _survey(work, limits, text) if leader is None else leader.survey(limits)
    except Exception:
        # What is wrong with the file as a whole comes first.
        found.finish()
        raise
    exact = found.size <= limits.exact_bytes and leader is None
    labels, classes, target = _numbered(work, surveyed, wanted)
    writer = Writer(work, surveyed, labels, len(classes), text)
    with ThreadPoolExecutor(2) as pool:
        # What numpy does at once for all rows goes on without the interpreter's lock, which
        # dealing out the rows holds.
        duplicates = pool.submit(surveyed.count_duplicates)
        ready = pool.submit(writer.get_ready) if exact else None
        if target is None:
            parts = bulk_split.three_way(labels, fractions, seed, classes, ordered=exact)
        else:
            parts = bulk_split.unstratified_three_way(len(labels), fractions, seed)
    features = surveyed.features()
    profile.check_leakage(features, wanted.label, allowed=wanted.allow_leakage)
    if ready is not None:
        ready.result()
    write: Callable[[Sequence[Array], Opener], None]
    if leader is not None:
        write = partial(leader.write, writer)
    else:
        write = writer.shuffled if exact else writer.in_file_order
    return Outcome(
        features,
        labels,
        classes,
        target,
        duplicates.result(),
        parts,
        exact,
        lambda opener: write(parts, opener),
    )


def _numbered(
    work: Work, surveyed: Surveyed, wanted: Wanted
) -> tuple[NDArray[np.uint8], tuple[str, ...], dict[str, Any] | None]:
    """Number the labels: those of all rows, the classes, and a regression's target."""
    if work.regression:
        return np.zeros(len(surveyed.labels), np.uint8), (), surveyed.target()
    numbers, classes = surveyed.labels.numbered(wanted)
    return np.frombuffer(numbers, np.uint8), classes, None


def _opened(found: Examination, form: Format, wanted: Wanted) -> Work:
    try:
        return Work(opened(found, form), wanted)
    except NotExaminedError:
        # The header is longer than what was kept of the file.
        found.finish()
        return Work(opened(found, form), wanted)


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
                head = next(_blocks(stream, self.rows.header_lines, 1 << 16), None)
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
            yield from _blocks(stream, self.rows.header_lines, size or _BLOCK, put)

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
        quotes = _quoting(data, self.delimiter)
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
        counts = np.bincount(codes, minlength=len(labels)).tolist()
        named = {label.encode(): count for label, count in zip(labels, counts, strict=True)}
        numbers = [floats_of(array) for array in cells.features]
        text = np.frombuffer(block.data, np.uint8)
        lines = plain.suspects(text, numbers, named) if all(labels) else None
        if lines is None:
            return None
        odd = self._odd(block.data, lines.starts, (False,) * len(numbers), lines.rows)
        low, high = _extremes(numbers, codes, len(labels))
        if odd is None or not (np.isfinite(low).all() and np.isfinite(high).all()):
            return None
        first_rows = [int(np.argmax(codes == code)) for code in range(len(labels))]
        return self._in_lines(
            Survey(
                "lines",
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
                _hashes(numbers, codes, [self._class_key(label) for label in labels]),
                odd,
                None,
            ),
            block,
            lines.starts,
            lines.ends,
        )

    def _in_lines(self, found: Survey, block: Block, starts: Array, ends: Array) -> Survey:
        """Get a block of the first lane ready to be written, if its text is kept."""
        if block.kept is None:
            return found
        text, at = block.kept
        odd = self.odd_rows(np.frombuffer(block.data, np.uint8), starts, ends, found)
        lengths = _label_lengths(found.labels)[found.codes]
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
        starts, ends = _lines(np.frombuffer(data, np.uint8))
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
            if signed and not self.floats[which] and _whole_as_floats(array, values):
                return None
            numbers.append(values)
            whole.append(array.type == pa.int64())
        first_rows = [int(np.argmax(codes == code)) for code in range(len(labels))]
        lane, odd = "columns", np.empty(0, np.int64)
        if self.in_place and not quoted and not missing.any() and all(labels):
            every = np.arange(len(starts))
            rows = self._odd(data, starts, tuple(whole), every)
            if rows is not None:
                lane, odd = "lines", rows
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
            *_extremes(numbers, codes, len(labels)),
            categories,
            _hashes(numbers, codes, [self._class_key(label) for label in labels]),
            odd,
            _ends(numbers) if self.regression else None,
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
        keys = np.array([_text_key(text) for text in texts], np.uint64).view(np.float64)
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

    def _class_key(self, label: str) -> int:
        """Return a number for the class of a label's value, before the classes are known.

        Numbers are told apart by value, whether or not all the labels will be numbers.
        """
        if self._positive is None:
            number = plain_number(label)
            return _text_key(label if number is None else repr(number))
        number, positive = plain_number(label), plain_number(self._positive)
        same = label == self._positive or (number is not None and number == positive)
        return _text_key("positive" if same else "negative")

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
                keys = np.array([_text_key(name) for name in names], np.uint64).view(np.float64)
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
            *_extremes(numbers, codes, min(len(labels), 256)),
            categories,
            _hashes(numbers, codes, [self._class_key(label) for label in labels]),
            np.empty(0, np.int64),
            _ends(numbers) if self.regression else None,
        )

    # The second pass.

    def render(
        self, block: Block, kept: Kept, labels: NDArray[np.uint8], final: Final
    ) -> tuple[pa.Array, Array | None]:
        """Write a block's rows: texts, and which of them each row is (None: in order)."""
        if kept.lane == "lines" and kept.whole == final.whole and final.classes <= _ONE_DIGIT:
            return self._render_lines(bytes(block.data), kept, labels, final)
        if kept.lane == "text":
            return self._render_text(block, labels, final), None
        quoted = bool(_quoting(bytes(block.data), self.delimiter))
        cells = self.cells(block.data, quoted=quoted)
        texts = [
            _written(array, whole=final.whole[which], places=final.places.get(which))
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
        starts, ends = _lines(text)
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
                texts.append(_category_texts(column, places))
                continue
            column.integers = final.whole[which]
            texts.append(column.texts(rows))
        return texts_of([f"{line}\n" for line in map(",".join, zip(*texts, strict=True))])


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


class Surveyed:
    """What the first pass gathers of the whole file."""

    def __init__(self, work: Work) -> None:
        width = len(work.plan.features)
        self._work = work
        self.labels: Labels = work.plan.labels(work.rows)
        self.kept: list[Kept] = []
        self.codes: list[NDArray[np.uint8]] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._ends: list[Ends] = []
        self._whole = [not f for f in work.floats]
        self._missing = np.zeros(width, np.int64)
        self._low = np.full((256, width), np.nan)
        self._high = np.full((256, width), np.nan)
        self._categories: dict[int, dict[str, set[int]]] = {}
        for which, column in enumerate(work.plan.columns(work.rows)):
            if column.codes is not None:
                self._categories[which] = {name: set() for name in column.codes}
        self.duplicates: int | None = None

    def take(self, found: Survey) -> None:
        """Add a block.

        Raises:
            DataError: One of its classes for labels and categories.
        """
        table = np.array(
            [
                0 if self._work.regression else self.labels.code(text, line)
                for text, line in zip(found.labels, found.first_lines, strict=True)
            ],
            np.uint8,
        )
        if found.ends is not None:
            self._ends.append(found.ends)
        codes = table[found.codes]
        self.labels.add_codes(codes.tobytes())
        self.codes.append(codes)
        self.kept.append(Kept(found.lane, found.whole, found.odd, len(codes)))
        self._hashes.append(found.hashes)
        self._missing += found.missing
        self._whole = [a and b for a, b in zip(self._whole, found.whole, strict=True)]
        self._low[table] = np.fmin(self._low[table], found.low)
        self._high[table] = np.fmax(self._high[table], found.high)
        for which, seen in found.categories.items():
            known = self._categories[which]
            for text, with_codes in seen.items():
                known.setdefault(text, set()).update(int(table[code]) for code in with_codes)
            check_categories(self._work.plan.names[self._work.plan.features[which]], list(known))

    def count_duplicates(self) -> int:
        """Count the rows that repeat an earlier one, if nobody else did."""
        if self.duplicates is not None:
            return self.duplicates
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, np.uint64)
        self._hashes.clear()
        hashes.sort()
        return int(np.count_nonzero(hashes[1:] == hashes[:-1]))

    @property
    def whole(self) -> tuple[bool, ...]:
        """Which features are written as whole numbers."""
        return tuple(
            whole and (which in self._categories or not self._missing[which])
            for which, whole in enumerate(self._whole)
        )

    def places(self) -> dict[int, dict[str, int]]:
        """Return the number of each value of each categorical feature."""
        return {
            which: {text: place for place, text in enumerate(names)}
            for which, names in self._names().items()
        }

    def _names(self) -> dict[int, list[str]]:
        columns = self._work.plan.columns(self._work.rows)
        return {
            which: list(seen) if columns[which].declared else sorted(seen)
            for which, seen in self._categories.items()
        }

    def target(self) -> dict[str, Any]:
        """Describe a regression's label.

        Raises:
            DataError: There is no row, or the label is the same in all of them.
        """
        if not len(self.labels):
            raise no_rows()
        low, high = float(self._low[0, 0]), float(self._high[0, 0])
        check_spread(low, high, self._work.plan.names[self._work.plan.label])
        return profile.of_target(low, high, integers=self.whole[0])

    def features(self) -> tuple[Feature, ...]:
        """Describe the features, by class, once the classes are numbered."""
        regression = self._work.regression
        class_of = bytes(1) if regression else self.labels.class_of
        of_class = [
            [code for code, number in enumerate(class_of) if number == which]
            for which in range(max(class_of) + 1)
        ]
        names = self._names()
        whole = self.whole
        found = []
        for which, at in enumerate(self._work.plan.features):
            if regression and which == 0:
                continue
            missing = int(self._missing[which])
            if which in names:
                kind, bounds = "category", self._places_of(which, names[which], of_class)
            else:
                kind = "integer" if whole[which] else "number"
                bounds = tuple(
                    (_least(self._low[codes, which]), _most(self._high[codes, which]))
                    for codes in of_class
                )
            found.append(
                Feature(
                    self._work.plan.names[at],
                    kind,
                    missing,
                    bounds,
                    tuple(names[which]) if which in names else None,
                    which not in names and self._tells_number(which)
                    if regression
                    else profile.tells_class(missing, bounds),
                )
            )
        return tuple(found)

    def _places_of(
        self, which: int, names: list[str], of_class: list[list[int]]
    ) -> tuple[tuple[float, float], ...]:
        """Return the least and the greatest number of a category, by class."""
        found = []
        for codes in of_class:
            places = [
                place
                for place, name in enumerate(names)
                if not self._categories[which][name].isdisjoint(codes)
            ]
            found.append((float(places[0]), float(places[-1])) if places else (math.nan, math.nan))
        return tuple(found)

    def _tells_number(self, which: int) -> bool:
        """Tell whether a feature is a regression's label, up to a factor and a shift."""
        if not all(ends.straight[which] for ends in self._ends):
            return False
        first, last = (
            (float(row[which]), float(row[0]))
            for row in (
                min((ends.low for ends in self._ends), key=lambda row: float(row[0])),
                max((ends.high for ends in self._ends), key=lambda row: float(row[0])),
            )
        )
        return first[0] != last[0] and all(
            profile.on_line(float(row[which]), float(row[0]), first, last)
            for ends in self._ends
            for row in (ends.low, ends.high)
        )


def _survey(work: Work, limits: Limits, text: _Text | None) -> Surveyed:
    surveyed = Surveyed(work)

    def blocks() -> Iterator[Block]:
        if text is None:
            yield from work.blocks(first=True)
        else:
            yield from map(text.place, work.blocks(first=True, put=text.put))

    with ThreadPoolExecutor(_WORKERS) as pool:
        for found in _in_order(pool, work.survey, blocks()):
            surveyed.take(found)
            if text is not None and text.whole:
                text.blocks.append(found.kept)
            check.check_row_count(len(surveyed.labels), limits.rows)
    return surveyed


class _Text:
    """The rows' text, kept while there is not more of it than may be shuffled in memory.

    Attributes:
        bytes: The text of block after block, each with two bytes ahead of it.
        end: Where the last block ends.
        blocks: `Survey.kept` of each block.
        whole: Whether no block had to be left out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # What is not used of it takes no memory.
        self.bytes = np.empty(most + most // 16, np.uint8)
        self.end = 0
        self.blocks: list[Relabelled | None] = []
        self.whole = True

    def put(self, pieces: Sequence[bytes | memoryview]) -> bytes | memoryview:
        """Add a block, unless it is too much, and return it whole."""
        start = self.end + 2
        end = start + sum(map(len, pieces))
        self.whole = self.whole and end <= self._most
        if not self.whole:
            self.bytes = np.empty(0, np.uint8)
            self.blocks.clear()
            return b"".join(pieces)
        self.end = start
        for piece in pieces:
            self.bytes[self.end : self.end + len(piece)] = np.frombuffer(piece, np.uint8)
            self.end += len(piece)
        return self.bytes.data[start:end]

    def place(self, block: Block) -> Block:
        """Tell a block where it lies, if it is the last that was put."""
        return (
            block._replace(kept=(self.bytes, self.end - len(block.data))) if self.whole else block
        )

    def append(self, pieces: Sequence[bytes]) -> Array:
        """Add texts after the last block; return where each begins and the last one ends."""
        offsets = np.cumsum([self.end, *map(len, pieces)])
        if offsets[-1] > len(self.bytes):
            room = np.empty(offsets[-1] - self.end, np.uint8)
            self.bytes = np.concatenate([self.bytes[: self.end], room])
        self.bytes[self.end : offsets[-1]] = np.frombuffer(b"".join(pieces), np.uint8)
        return offsets


class Writer:
    """Writes the four files."""

    def __init__(
        self,
        work: Work,
        surveyed: Surveyed,
        labels: NDArray[np.uint8],
        classes: int,
        text: _Text | None,
    ) -> None:
        self._work = work
        self._text = text
        self._classes = classes
        self.surveyed = surveyed
        self.labels = labels
        self._whole = surveyed.whole
        self._places = surveyed.places()
        self._lengths = _label_lengths(list(surveyed.labels.texts()))

    def final(self, number: int) -> Final:
        """Return what a block's rows are written by."""
        codes = self.surveyed.codes[number]
        return Final(self._whole, self._places, self._classes, self._lengths, codes)

    def _rendered(self, finish: Callable[[pa.Array, Array | None, int, int], R]) -> Iterator[R]:
        """Render the blocks on every core and yield, in order, what `finish` makes of each."""

        def jobs() -> Iterator[tuple[Block, int, int]]:
            start = 0
            for number, block in enumerate(self._work.blocks()):
                yield block, number, start
                start += self.surveyed.kept[number].rows

        def render(job: tuple[Block, int, int]) -> R:
            block, number, start = job
            kept = self.surveyed.kept[number]
            labels = self.labels[start : start + kept.rows]
            texts, places = self._work.render(block, kept, labels, self.final(number))
            return finish(texts, places, start, kept.rows)

        with ThreadPoolExecutor(_WORKERS) as pool:
            yield from _in_order(pool, render, jobs())

    def in_file_order(self, parts: Sequence[Array], opener: Opener) -> None:
        """Write each part's rows in the order of the file, a block at a time."""
        numbers = part_of(parts, len(self.labels))

        def divide(
            texts: pa.Array, places: Array | None, start: int, count: int
        ) -> list[memoryview]:
            return divided(texts, places, numbers[start : start + count], self._classes)

        with ExitStack() as stack:
            train, test, validate = (stack.enter_context(opener(path)) for path in _PARTS)
            batch = stack.enter_context(opener(_BATCH))
            for pieces in self._rendered(divide):
                for file, piece in zip((train, test, batch, validate), pieces, strict=True):
                    file.write(piece)

    def shuffled(self, parts: Sequence[Array], opener: Opener) -> None:
        """Write each part's rows in its own order, from all the rows in memory."""
        texts, places = self._kept if self._can_relabel() else self._rendered_whole()

        def gather(task: tuple[int, int]) -> tuple[int, list[memoryview]]:
            number, start = task
            rows = parts[number][start : start + _ROWS_AT_ONCE]
            some = take(texts, array_of(places[rows]))
            batch = [_without_label(some, self._classes)] if number == 1 else []
            return number, [bytes_of(each) for each in (some, *batch)]

        tasks = [
            (number, start)
            for number, rows in enumerate(parts)
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        with ExitStack() as stack:
            files = [stack.enter_context(opener(path)) for path in _PARTS]
            batch = stack.enter_context(opener(_BATCH))
            pool = stack.enter_context(ThreadPoolExecutor(_WORKERS))
            for number, pieces in _in_order(pool, gather, tasks):
                for file, piece in zip((files[number], batch), pieces, strict=False):
                    file.write(piece)

    def get_ready(self) -> None:
        """Do what can be done before it is known which part each row is in."""
        if self._can_relabel():
            _ = self._kept

    def _rendered_whole(self) -> tuple[pa.Array, Array]:
        """Return the texts of all rows and where each row is among them."""

        def wide(
            texts: pa.Array, places: Array | None, _start: int, count: int
        ) -> tuple[pa.Array, Array]:
            own = np.arange(count) if places is None else places
            return arrow.cast(texts, pa.large_string()), own

        pieces, place_of, at = [], [], 0
        for texts, own in self._rendered(wide):
            pieces.append(texts)
            place_of.append(own + at)
            at += len(texts)
        return pa.concat_arrays(pieces), np.concatenate(place_of)

    def _can_relabel(self) -> bool:
        """Tell whether the kept text needs nothing but other labels."""
        return (
            self._text is not None
            and self._text.whole
            and self._classes <= _ONE_DIGIT
            and all(
                kept.lane == "lines" and kept.whole == self._whole for kept in self.surveyed.kept
            )
        )

    @cached_property
    def _kept(self) -> tuple[pa.Array, Array]:
        """The texts of all rows, where they were kept, and where each row is among them."""
        text, rows = self._text, len(self.labels)
        assert text is not None  # noqa: S101 (what `_can_relabel` told)
        blocks = [block for block in text.blocks if block is not None]
        before = np.cumsum([0, *(kept.rows for kept in self.surveyed.kept)])
        places = np.arange(0, 2 * rows, 2)
        numbers = np.concatenate(
            [kept.odd + start for kept, start in zip(self.surveyed.kept, before, strict=False)]
        )
        lines = labelled([line for block in blocks for line in block.odd], self.labels[numbers])
        places[numbers] = 2 * rows + np.arange(len(lines))
        offsets = np.concatenate([*(block.offsets for block in blocks), text.append(lines)])
        text.bytes[offsets[0 : 2 * rows : 2]] = self.labels + ord("0")
        return wrapped(offsets, text.bytes), places


def labelled(rows: list[bytes], labels: Array) -> list[bytes]:
    """Put the digits of their labels before rows."""
    return [b"%d" % label + row for label, row in zip(labels.tolist(), rows, strict=True)]


def _label_lengths(labels: Sequence[str]) -> Array:
    """Return the bytes of each label value, by code."""
    lengths = np.zeros(256, np.int64)
    lengths[: len(labels)] = [len(label.encode()) for label in labels]
    return lengths


def part_of(parts: Sequence[Array], rows: int) -> NDArray[np.uint8]:
    """Return the number of the part that each row of the file is in."""
    numbers = np.zeros(rows, np.uint8)
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
    return [bytes_of(each) for each in (train, test, _without_label(test, classes), validate)]


# Blocks of lines.


def _blocks(
    stream: io.BufferedIOBase, header_lines: int, size: int, put: Put = b"".join
) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines after the header, each line ended by a line feed."""
    line = 1
    for number, data in enumerate(_whole_lines(stream, size, put)):
        start = 0
        if line <= header_lines or not number:
            text = bytes(data)
            start = len(text) - len(text.removeprefix(b"\xef\xbb\xbf")) if not number else 0
            while line <= header_lines and (end := text.find(b"\n", start)) >= 0:
                start, line = end + 1, line + 1
        if start < len(data):
            yield Block(data[start:] if start else data, line)
            line += int(np.count_nonzero(np.frombuffer(data, np.uint8, offset=start) == ord("\n")))


def _whole_lines(stream: io.BufferedIOBase, size: int, put: Put) -> Iterator[bytes | memoryview]:
    """Cut a stream after line feeds; where carriage returns alone end lines, they become those."""
    rest = b""
    alone: bool | None = None
    joined = 0
    while True:
        chunk = _full(stream, size)
        if chunk and not any(mark in part for mark in (b'"', b"\r") for part in (rest, chunk)):
            # What follows does the same to it, and copies it twice.
            end = chunk.rfind(b"\n") + 1
            if end:
                yield put((rest, memoryview(chunk)[:end]))
                rest = b""
            rest += chunk[end:]
            continue
        data = rest + chunk
        if alone is None and (at := data.find(b"\r")) >= 0 and (at + 1 < len(data) or not chunk):
            alone = data[at + 1 : at + 2] != b"\n"
        if alone:
            # A last one waits for what follows: it may be a line feed.
            held = b"\r" if chunk and data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            data += held
        if not chunk:
            if data:
                yield put((data, b"" if data.endswith(b"\n") else b"\n"))
            return
        end = data.rfind(b"\n") + 1
        # A quoted value may hold line ends: a block ends where the quotes pair up, if they ever do.
        if joined < _MOST_JOINED and b'"' in data and data.count(b'"', 0, end) % 2:
            joined += 1
            rest = data
            continue
        joined = 0
        if end:
            yield put((memoryview(data)[:end],))
        rest = data[end:]


def _full(stream: io.BufferedIOBase, size: int) -> bytes:
    """Read so many bytes, fewer only at the end: both passes must cut the file alike."""
    chunk = stream.read(size)
    while 0 < len(chunk) < size and (more := stream.read(size - len(chunk))):
        chunk += more
    return chunk


def _lines(text: Array) -> tuple[Array, Array]:
    """Return where each line that is not blank starts and where its line end is."""
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    if len(ends) and (text == ord("\r")).any():
        ends = ends - ((ends > starts) & (text[ends - 1] == ord("\r")))
    if (ends == starts).any():
        used = ends > starts
        starts, ends = starts[used], ends[used]
    return starts, ends


def _quoting(data: bytes, delimiter: str) -> str:
    """Return "" without quotes, "plain" when they enclose whole values, "unclear" otherwise."""
    if b'"' not in data:
        return ""
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2:
        return "unclear"
    opening, closing = quotes[::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    after = text[np.minimum(closing + 1, len(text) - 1)]
    edge = ord(delimiter)
    begins = (opening == 0) | (before == edge) | (before == ord("\n"))
    finishes = (after == edge) | (after == ord("\n")) | (after == ord("\r"))
    ends = np.flatnonzero(text == ord("\n"))
    on_one_line = np.searchsorted(ends, opening) == np.searchsorted(ends, closing)
    return "plain" if begins.all() and finishes.all() and on_one_line.all() else "unclear"


def _in_order(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:
    """Yield the function's results in order, a few items ahead of what is asked for."""
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > _WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


# Values.


def _extremes(numbers: list[Array], codes: NDArray[np.uint8], labels: int) -> tuple[Array, Array]:
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


def _whole_as_floats(array: pa.Array, values: Array) -> bool:
    """Tell whether whole numbers were read as floats, as Arrow reads them behind a plus sign."""
    return array.type == pa.float64() and bool((values == np.floor(values)).all())


def _ends(numbers: list[Array]) -> Ends | None:
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


def _hashes(
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
def _text_key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _least(values: Array) -> float:
    return float(np.fmin.reduce(values)) if len(values) else math.nan


def _most(values: Array) -> float:
    return float(np.fmax.reduce(values)) if len(values) else math.nan


# Texts.


def _written(array: pa.Array, *, whole: bool, places: Mapping[str, int] | None) -> pa.Array:
    """Write a column's values as pandas does, and nothing where one is missing."""
    if places is not None:
        encoded = arrow.encoded(array)
        numbers = [str(places[text]) for text in encoded.dictionary.to_pylist()]
        texts = take(texts_of(numbers), encoded.indices)
    elif whole:
        texts = arrow.cast(array, pa.string())
    else:
        texts = _float_texts(arrow.cast(array, pa.float64()))
    return arrow.filled(texts, "") if texts.null_count else texts


def _category_texts(column: Column, places: Mapping[str, int]) -> Iterator[str]:
    names = list(column.codes or ())
    numbers = [str(places[name]) for name in names]
    return ("" if math.isnan(value) else numbers[int(value)] for value in column.values)


def _float_texts(array: pa.Array) -> pa.Array:
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
        replacements = texts_of([repr(value) for value in values[strange].tolist()])
        texts = arrow.replaced(texts, strange, replacements)
    return texts


def _without_label(texts: pa.Array, classes: int) -> pa.Array:
    """Cut the label and its comma from rows that lie side by side."""
    if not len(texts):
        return texts
    offsets = arrow.offsets_of(texts)
    both = np.empty(2 * len(texts) + 1, offsets.dtype)
    both[0::2] = offsets
    both[1::2] = offsets[:-1] + (2 if 0 < classes <= _ONE_DIGIT else arrow.found(texts, ",") + 1)
    cut = pa.Array.from_buffers(
        texts.type, 2 * len(texts), [None, pa.py_buffer(both), texts.buffers()[2]]
    )
    return take(cut, array_of(np.arange(1, 2 * len(texts), 2)))
