"""From rows of text to a table of numbers, refusing by name whatever would waste a training job.

Values are converted a column of a batch at a time; only when that fails is the offending value
searched for, so that a clean file pays nothing for precise messages.
"""

import math
from collections.abc import Sequence
from itertools import count

from .errors import (
    DataError,
    DigitSeparatorError,
    DuplicateColumnError,
    ForeignDigitsError,
    LabelNotFoundError,
    MissingValueError,
    NoFeaturesError,
    NominalFeatureError,
    NoRowsError,
    NotANumberError,
    NotFiniteError,
    OneClassError,
    PositiveNotFoundError,
    TooLargeError,
    TooManyClassesError,
    UndeclaredValueError,
    UnnamedColumnError,
    listed,
    shown,
)
from .table import Classes, Column, Rows, Table

# A float holds every whole number up to here.
_EXACT = 2**53
# Labels are kept in one byte a row until the two classes are known.
_MOST_LABELS = 256


def table(rows: Rows, *, label: str, positive: str, most_rows: int | None = None) -> Table:
    """Read every row and return a table whose label is 1 for `positive` and 0 for the other value.

    Args:
        rows: A reader.
        label: Name of the label's column.
        positive: The label's value that becomes 1. Numbers compare by value: `1` is `1.0`.
        most_rows: More rows than this are refused; any number is taken when left out.

    Raises:
        DataError: One of its classes for columns, values and labels, or one of the reader's.
    """
    position = _check_columns(rows, label)
    features = [
        Column(name, integers=rows.keeps_integers)
        for at, name in enumerate(rows.names)
        if at != position
    ]
    labels = _Labels(rows, label)
    for batch in rows.batches():
        columns = list(zip(*batch.rows, strict=True))
        labels.add(columns.pop(position), batch.lines)
        if most_rows is not None and len(labels) > most_rows:
            raise TooLargeError(
                f"the file has more than {most_rows:,} rows", remedy="Give a sample of its rows."
            )
        for feature, texts in zip(features, columns, strict=True):
            _add(feature, texts, batch.lines, rows.missing)
    codes, classes = labels.binary(positive)
    return Table(tuple(features), codes, label, classes)


def _check_columns(rows: Rows, label: str) -> int:
    """Return the label's position."""
    seen: set[str] = set()
    for number, name in enumerate(rows.names, 1):
        if not name:
            raise UnnamedColumnError(
                f"column {number} of {len(rows.names)} has no name",
                remedy="Name it, or remove it if it is a saved row index.",
            )
        if name in seen:
            raise DuplicateColumnError(
                "two columns have this name", remedy="Rename or remove one of them.", column=name
            )
        seen.add(name)
    if label not in seen:
        raise LabelNotFoundError(
            f"no column is named {shown(label)}",
            remedy=f"Set source.label to one of: {listed(rows.names)}.",
        )
    if len(rows.names) == 1:
        raise NoFeaturesError(
            "the label is the only column", remedy="Give at least one column to learn from."
        )
    for name in rows.nominal:
        if name != label:
            raise NominalFeatureError(
                "the feature is declared nominal and XGBoost takes numbers",
                remedy="Remove the column, or write it as numbers and declare it numeric.",
                column=name,
            )
    return rows.names.index(label)


def _add(
    column: Column, texts: Sequence[str], lines: Sequence[int], missing: frozenset[str]
) -> None:
    """Append a batch of a feature's values."""
    joined = "".join(texts)
    try:
        values = list(map(float, texts))
    except ValueError:
        values = []
    if not (values and joined.isascii() and "_" not in joined and all(map(math.isfinite, values))):
        raise _first_refusal(column.name, texts, lines, missing)
    if column.integers:
        try:
            whole = list(map(int, texts))
        except ValueError:
            column.integers = False
            column.exact.clear()
        else:
            if max(whole) > _EXACT or min(whole) < -_EXACT:
                start = len(column.values)
                column.exact.update(
                    (row, number) for row, number in enumerate(whole, start) if abs(number) > _EXACT
                )
    column.values.extend(values)


def _first_refusal(
    name: str, texts: Sequence[str], lines: Sequence[int], missing: frozenset[str]
) -> DataError:
    for text, line in zip(texts, lines, strict=True):
        refusal = _refusal(name, text, line, missing)
        if refusal is not None:
            return refusal
    raise AssertionError(f"column {name!r} was refused and each of its values accepted")


def _refusal(name: str, text: str, line: int, missing: frozenset[str]) -> DataError | None:
    """Return why one value of a column of numbers is refused, if it is."""
    stripped = text.strip()
    kind: type[DataError]
    if not stripped or stripped in missing:
        kind, problem, remedy = (
            MissingValueError,
            f"the value is missing ({shown(text)})",
            "Fill it in, or remove the row.",
        )
    elif (value := _float(text)) is None:
        decimal_comma = _float(stripped.replace(",", ".")) is not None
        kind, problem, remedy = (
            NotANumberError,
            f"{shown(text)} is not a number",
            "Write decimals with a point."
            if decimal_comma
            else "Correct the value, or remove the column if it is text.",
        )
    elif not text.isascii():
        kind, problem, remedy = (
            ForeignDigitsError,
            f"{shown(text)} has digits or blanks of another script",
            "Write it with the digits 0 to 9.",
        )
    elif "_" in text:
        kind, problem, remedy = (
            DigitSeparatorError,
            f"{shown(text)} has an underscore between digits",
            "Write it without.",
        )
    elif not math.isfinite(value):
        kind, problem, remedy = (
            NotFiniteError,
            f"{shown(text)} is not finite",
            "Correct it, or remove the row; 64-bit floats end at 1.8e308.",
        )
    else:
        return None
    return kind(problem, remedy=remedy, line=line, column=name)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain_number(text: str) -> float | None:
    """Return the number a label's value stands for, if it is written as one."""
    return _float(text) if text.isascii() and "_" not in text and text[-1:].isdigit() else None


class _Labels:
    """The label's values, one byte a row, until the two classes are known."""

    def __init__(self, rows: Rows, label: str) -> None:
        self._label = label
        self._declared = rows.nominal.get(label)
        self._numeric = label in rows.numeric
        self._missing = rows.missing
        self._codes: dict[str, int] = {}
        self._next = count()
        self._rows = bytearray()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Append a batch of label values."""
        texts = [text.strip() for text in texts]
        for text in dict.fromkeys(texts):
            if text not in self._codes:
                self._check(text, lines[texts.index(text)])
                self._codes[text] = next(self._next)
        self._rows.extend(map(self._codes.__getitem__, texts))

    def _check(self, text: str, line: int) -> None:
        if not text or text in self._missing:
            raise MissingValueError(
                f"the label is missing ({shown(text)})",
                remedy="Fill it in, remove the row, or rename the class if that is its name.",
                line=line,
                column=self._label,
            )
        if self._declared is not None and text not in self._declared:
            raise UndeclaredValueError(
                f"{shown(text)} is not one of the declared values {listed(self._declared)}",
                remedy="Correct the value, or add it to the declaration.",
                line=line,
                column=self._label,
            )
        if self._numeric and (refusal := _refusal(self._label, text, line, self._missing)):
            raise refusal
        if len(self._codes) == _MOST_LABELS:
            raise TooManyClassesError(
                f"the label has more than {_MOST_LABELS} values, such as {shown(text)}",
                remedy="Set source.label to a column of two values.",
                line=line,
                column=self._label,
            )

    def binary(self, positive: str) -> tuple[bytes, Classes]:
        """Return 1 or 0 for each row, and the two classes."""
        if not self._rows:
            raise NoRowsError("the file has columns and no row", remedy="Add rows of data.")
        numbers = {text: _plain_number(text) for text in (*self._codes, positive)}
        numeric = None not in numbers.values()

        def value(text: str) -> object:
            return numbers[text] if numeric else text

        merged: dict[object, list[str]] = {}
        for text in self._codes:
            merged.setdefault(value(text), []).append(text)
        names = [texts[0] for texts in merged.values()]
        wanted = value(positive)
        if len(merged) > 2:
            raise TooManyClassesError(
                f"the label has {len(names)} values: {listed(names)}",
                remedy="Keep the rows of two of them, or merge them into two.",
                column=self._label,
            )
        if wanted not in merged:
            raise PositiveNotFoundError(
                f"the positive value {shown(positive)} is not one of the label's: {listed(names)}",
                remedy="Set source.positive to one of them, in the same case.",
                column=self._label,
            )
        if len(merged) == 1:
            raise OneClassError(
                f"every row has the label {shown(names[0])}",
                remedy="Add rows of the other class; there is nothing to learn from one.",
                column=self._label,
            )
        positives = merged.pop(wanted)
        (negatives,) = merged.values()
        to_label = bytearray(_MOST_LABELS)
        for text in positives:
            to_label[self._codes[text]] = 1
        return bytes(self._rows).translate(to_label), Classes(positives[0], negatives[0])
