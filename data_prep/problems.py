"""All that is wrong with a file that was refused, with what in the execution input solves it.

The engines stop at the first problem they meet. Then the file is looked at once more, here, the
same way whatever its size and whoever refused it: so that one machine and several say the same.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from data_prep import check, formats, split
from data_prep.errors import DataError, shown
from data_prep.formats.base import Batch, DataFile, Opened, Rows
from data_prep.formats.delimited import HeaderMissingError
from data_prep.labels import Labels, add_target, guessed_positive
from data_prep.numerals import plain
from data_prep.options import FormatOptions, Wanted
from data_prep.source.text import EncodingError
from data_prep.split import Fractions
from data_prep.table import Column
from data_prep.values import (
    GROUPED,
    MOST_CATEGORIES,
    MissingValueError,
    NotANumberError,
    add,
    number,
    refusal,
)

# What is looked at: a file of more values has the problems of its first rows told, and the one it
# was refused for.
_MOST_VALUES = 2_000_000
_FEW_ROWS = 20
_LABEL_NAMES = ("class", "target", "label", "y", "outcome", "survived")


def told(
    error: DataError,
    found: DataFile,
    options: FormatOptions,
    wanted: Wanted,
    fractions: Fractions,
) -> DataError:
    """Return the refusal of a file with all else that is wrong with it.

    Args:
        error: What the file was refused for.
        found: The file.
        options: How it is written.
        wanted: What was to become of its columns.
        fractions: The parts' shares.
    """
    try:
        opened = formats.opened(found, options)
    except DataError:
        # There is nothing more to look at.
        return error.told(fix=error.fix or _of_reading(error, found, options), others=error.others)
    problems = list(_found(opened, wanted, fractions))
    # Which of them an engine meets first depends on how it cuts the file.
    known = any(_key(each) == _key(error) for each in problems)
    first, *others = problems if known else (error, *error.others, *problems)
    return first.told(others=others)


def of_encoding(error: EncodingError, options: FormatOptions) -> DataError:
    """Return the refusal of a text with the encoding that it probably has, where none is given."""
    byte = re.search("byte 0x([0-9a-f]{2})", error.problem)
    if options.encoding is not None or byte is None:
        return error
    # What latin-1 has for controls, windows-1252 has for quotes and the euro.
    name = "windows-1252" if byte[1][0] in "89" else "latin-1"
    return error.told(fix=check.source(format={"encoding": name}))


def _of_reading(error: DataError, found: DataFile, options: FormatOptions) -> dict[str, Any]:
    """Return what lets a file be read as text, or its first line as what it is."""
    if isinstance(error, EncodingError):
        return of_encoding(error, options).fix
    if isinstance(error, HeaderMissingError) and options.header is None:
        try:
            named = formats.opened(found, options._replace(header=True))
        except DataError:
            # Something else is wrong with the file, too.
            return {}
        if any(list(named.rows.names) == _counting(named, first) for first in (0, 1)):
            return check.source(format={"header": True})
        rows = next(named.batches(), Batch([], [])).rows[:1000]
        places = [f"column_{at + 1}" for at in range(len(named.rows.names))]
        label = places[guessed_label(places, rows)] if rows else places[-1]
        return check.source(format={"header": False}, label=label)
    return {}


def _counting(opened: Opened, first: int) -> list[str]:
    return [str(at) for at in range(first, first + len(opened.rows.names))]


def columns_of_text(error: DataError, wanted: Wanted) -> tuple[str, ...]:
    """Return the features that hold something else than numbers and are not encoded yet."""
    return tuple(
        each.column
        for each in (error, *error.others)
        if isinstance(each, NotANumberError)
        and each.column is not None
        and each.column not in (wanted.label, *wanted.categorical)
    )


def _key(error: DataError) -> tuple[Any, ...]:
    # Several columns to drop may not be there.
    several = isinstance(error, check.ColumnNotFoundError)
    return type(error), error.column, error.problem if several else ""


def _found(
    opened: Opened,
    wanted: Wanted,
    fractions: Fractions,
    *,
    malformed: DataError | None = None,
) -> Iterator[DataError]:
    """Yield what is wrong with a file's columns, rows and labels.

    Args:
        opened: The file.
        wanted: What was to become of its columns.
        fractions: The parts' shares.
        malformed: A row that cannot be read: only those before its line are looked at.
    """
    plan, problems = check.resolved(opened.rows, wanted)
    if plan is None:
        yield from (_with_label(each, opened, wanted) for each in problems)
        return
    yield from problems
    features = [_Feature(column, opened.rows, wanted) for column in plan.columns(opened.rows)]
    label = (
        _Target(plan.target(opened.rows), opened.rows, wanted)
        if wanted.task == "regression"
        else _Classes(plan.labels(opened.rows, drops_missing=True), wanted, fractions)
    )
    last = None if malformed is None or malformed.line is None else malformed.line - 1
    batches = _few(opened.batches(last), len(opened.rows.names))
    refused: DataError | None = None
    try:
        for batch, is_whole in batches:
            columns = list(zip(*batch.rows, strict=True))
            label.add(columns[plan.label], batch.lines)
            for feature, at in zip(features, plan.features, strict=True):
                feature.add(columns[at], batch.lines)
            label.is_whole = is_whole
    except DataError as error:
        refused = error
    if refused is not None and malformed is None and refused.line is not None:
        yield refused
        # The rows before it were not handed out, as its batch was not.
        yield from _found(opened, wanted, fractions, malformed=refused)
        return
    label.is_whole = label.is_whole and malformed is None
    yield from label.of_rows()
    for feature in features:
        yield from feature.problems()
    yield from label.of_classes()


def _few(batches: Iterable[Batch], width: int) -> Iterator[tuple[Batch, bool]]:
    """Yield the first batches, each with whether there may be no more than was yielded."""
    values = 0
    for batch in batches:
        values += len(batch.rows) * width
        yield batch, values < _MOST_VALUES
        if values >= _MOST_VALUES:
            return


class _Feature:
    """What is wrong with one feature: the first value of each kind, and how many there are."""

    def __init__(self, column: Column, rows: Rows, wanted: Wanted) -> None:
        self._column = column
        self._missing = rows.missing
        self._numerals = rows.numerals
        self._wanted = wanted
        self._first: dict[type[DataError], DataError] = {}
        self._count: dict[type[DataError], int] = {}
        self._texts: dict[str, int] = {}
        self._rows = self._numbers = 0

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Look at some values."""
        gaps = self._wanted.missing == "pass"
        try:
            read = plain(self._numerals, self._column, texts, lines)
            add(self._column, read, lines, self._missing, gaps=gaps)
        except DataError as error:
            if self._column.codes is not None:
                self._note(error)
                return
        else:
            self._rows += len(texts)
            self._numbers += len(texts)
            return
        known: dict[str, type[DataError] | None] = {}
        for text, line in zip(texts, lines, strict=True):
            if text in known:
                kind = known[text]
            else:
                found = self._refusal(text, line)
                kind = known[text] = None if found is None else type(found)
                if found is not None and not (gaps and kind is MissingValueError):
                    self._first.setdefault(type(found), found)
            self._rows += kind is not MissingValueError
            self._numbers += kind is None
            if kind is NotANumberError:
                self._texts[text.strip()] = line
            if kind is not None:
                self._count[kind] = self._count.get(kind, 0) + 1

    def _refusal(self, text: str, line: int) -> DataError | None:
        try:
            (read,) = plain(self._numerals, self._column, [text], [line])
        except NotANumberError as error:
            return error
        return refusal(self._column.name, read, line, self._missing)

    def _note(self, error: DataError) -> None:
        self._first.setdefault(type(error), error)

    def problems(self) -> Iterator[DataError]:
        """Yield what was found."""
        for kind, first in self._first.items():
            yield _counted(first, self._count.get(kind, 1)).told(fix=self._fix(first))

    def _fix(self, error: DataError) -> dict[str, Any]:
        if isinstance(error, MissingValueError):
            return check.source(missing="pass")
        if not isinstance(error, NotANumberError):
            return error.fix or check.without(self._column.name, self._wanted)
        commas = [text for text in self._texts if number(text.replace(",", ".", 1)) is not None]
        grouped = [text for text in self._texts if GROUPED.fullmatch(text)]
        if self._numerals is None and len(grouped) == len(self._texts):
            return check.source(format={"thousands": ","})
        if self._numerals is None and len(commas) == len(self._texts):
            return check.source(format={"decimal": ","})
        different = len(self._texts)
        names = different > self._rows / 2 and self._rows > _FEW_ROWS
        if self._numbers * 2 > self._rows or different > MOST_CATEGORIES or names:
            return check.without(self._column.name, self._wanted)
        return check.source(categorical=[*self._wanted.categorical, self._column.name])


class _Classes:
    """What is wrong with a label of classes."""

    def __init__(self, labels: Labels, wanted: Wanted, fractions: Fractions) -> None:
        self._labels = labels
        self._wanted = wanted
        self._fractions = fractions
        self._refused: DataError | None = None
        self._missing: DataError | None = None
        self.is_whole = True

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Look at some labels."""
        if self._wanted.missing_label == "refuse" and self._missing is None:
            self._missing = self._labels.missing_in(texts, lines)
        if self._refused is None:
            try:
                self._labels.add(texts, lines)
            except DataError as error:
                self._refused = error

    def of_rows(self) -> Iterator[DataError]:
        """Yield what is wrong with some row's label."""
        if self._missing is not None:
            yield self._missing
        if self._refused is not None:
            yield self._refused

    def of_classes(self) -> Iterator[DataError]:
        """Yield what is wrong with the classes."""
        if self._refused is not None or not self.is_whole:
            # Which classes there are is known at the end.
            return
        try:
            codes, classes = self._labels.numbered(self._wanted, fewest=self._fractions.fewest)
            drops = bool(self._labels.dropped)
            split.three_way(codes, self._fractions, 0, classes, drops=drops)
        except DataError as error:
            yield self._solved(error)

    def _solved(self, error: DataError) -> DataError:
        if not isinstance(error, split.TooFewRowsError) or self._wanted.task == "binary":
            return error
        often = [n for n in self._labels.counts().values() if n >= self._fractions.fewest]
        return error.told(fix=check.source(rare_classes="drop")) if len(often) > 1 else error


class _Target:
    """What is wrong with a label of numbers."""

    def __init__(self, column: Column, rows: Rows, wanted: Wanted) -> None:
        self._column = column
        self._missing = rows.missing
        self._numerals = rows.numerals
        self._wanted = wanted
        self._first: dict[type[DataError], DataError] = {}
        self._texts: dict[str, int] = {}
        self.is_whole = True

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Look at some labels."""
        try:
            read = plain(self._numerals, self._column, texts, lines)
            add_target(self._column, read, lines, self._missing, self._wanted.objective)
        except DataError as error:
            self._first.setdefault(type(error), error)
        if len(self._texts) <= 256:
            for text in texts:
                self._texts[text.strip()] = self._texts.get(text.strip(), 0) + 1

    def of_rows(self) -> Iterator[DataError]:
        """Yield what is wrong with some row's label."""
        for kind, first in self._first.items():
            fix: dict[str, Any] = first.fix
            texts = [text for text in self._texts if text and text not in self._missing]
            if kind is NotANumberError and len(texts) <= 256:
                several = len(texts) > 2
                name = "multi:softprob" if several else "binary:logistic"
                fix = {"training": {"hyperparameters": {"objective": name}}}
                if not several:
                    fix |= check.source(positive=guessed_positive(self._texts, texts))
            yield first.told(fix=fix)

    def of_classes(self) -> Iterator[DataError]:
        """Yield nothing: there are no classes."""
        yield from ()


def _counted(error: DataError, count: int) -> DataError:
    if count < 2:
        return error
    return type(error)(
        f"{error.problem} (and {count - 1:,} more such values in the column)",
        remedy=error.own_remedy,
        line=error.line,
        column=error.column,
        fix=error.fix,
    )


def _with_label(error: DataError, opened: Opened, wanted: Wanted) -> DataError:
    """Tell which column may be the label, and whether the first line is a row like any other."""
    if not isinstance(error, check.LabelNotFoundError) or error.fix:
        return error
    names = [
        "" if name in wanted.drop else wanted.rename.get(name, name) for name in opened.rows.names
    ]
    rows: list[list[str]] = []
    try:
        rows = next(opened.batches(), Batch([], [])).rows[:1000]
    except DataError:
        # The rows are refused once the label is found.
        return error
    if opened.rows.header_lines and rows and is_row(opened.rows.names, rows):
        at = guessed_label([f"column_{n + 1}" for n in range(len(rows[0]))], rows)
        return check.LabelNotFoundError(
            f"no column is named {shown(wanted.label)}, and the first line is like the rows below",
            remedy="If it holds values, say that there is no header, and name the label's column "
            "by its place.",
            fix=check.source(format={"header": False}, label=f"column_{at + 1}"),
        )
    name = names[guessed_label(names, rows)]
    return error.told(fix=check.source(label=name)) if name else error


def is_row(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether what was read as names is a row: its values stand in the rows below, too."""
    alike = 0
    for name, *values in zip(names, *rows, strict=True):
        below = {value.strip() for value in values}
        is_number = number(name) is not None and all(number(each) is not None for each in below)
        alike += is_number or name in below
    return alike * 2 > len(names)


def guessed_label(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the place of the column that is probably the label.

    One that is called so; else the first, where it has few values and fewer than the last; else the
    last.
    """
    lower = [name.lower() for name in names]
    for name in _LABEL_NAMES:
        if name in lower:
            return lower.index(name)
    last = max((at for at, name in enumerate(names) if name), default=0)
    first, of_last = (len({row[at].strip() for row in rows}) for at in (0, last))
    return 0 if first < of_last and first <= max(2, min(20, len(rows) // 10)) else last
