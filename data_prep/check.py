"""From rows of text to a table of numbers, refusing by name whatever would waste a training job.

Values are converted a column of a batch at a time; only when that fails is the offending value
searched for, so that a clean file pays nothing for precise messages.
"""

import math
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from .errors import (
    ColumnNotFoundError,
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
    TooManyCategoriesError,
    TooManyClassesError,
    UndeclaredValueError,
    UnnamedColumnError,
    listed,
    shown,
)
from .options import Wanted
from .table import Classes, Column, Rows, Table

# A float holds every whole number up to here.
_EXACT = 2**53
# Labels are kept in one byte a row until the two classes are known.
_MOST_LABELS = 256
# More values than this are names or free text, and the profile records every one of them.
MOST_CATEGORIES = 1000


class Layout(NamedTuple):
    """What each column of the file is for.

    Attributes:
        names: The columns' names after renaming, in file order, dropped ones included.
        label: The label's position.
        features: The features' positions, in file order.
        categorical: Those of them that are encoded.
    """

    names: tuple[str, ...]
    label: int
    features: tuple[int, ...]
    categorical: frozenset[int]

    def columns(self, rows: Rows) -> list[Column]:
        """Return an empty column for each feature."""
        return [
            Column(
                self.names[at],
                integers=rows.keeps_integers and rows.names[at] not in rows.floats,
                categories=rows.nominal.get(rows.names[at], ()) if at in self.categorical else None,
            )
            for at in self.features
        ]


def table(rows: Rows, wanted: Wanted, *, most_rows: int | None = None) -> Table:
    """Read every row and return a table whose label is 1 for the positive value and 0 for others.

    Args:
        rows: A reader.
        wanted: Which column is the label, which value is positive, and what becomes of the others.
            Numbers compare by value: `1` is `1.0`.
        most_rows: More rows than this are refused; any number is taken when left out.

    Raises:
        DataError: One of its classes for columns, values and labels, or one of the reader's.
    """
    plan = layout(rows, wanted)
    features = plan.columns(rows)
    labels = Labels(rows, plan)
    for batch in rows.batches():
        columns = list(zip(*batch.rows, strict=True))
        labels.add(columns[plan.label], batch.lines)
        check_row_count(len(labels), most_rows)
        for feature, at in zip(features, plan.features, strict=True):
            add(feature, columns[at], batch.lines, rows.missing, gaps=wanted.missing == "pass")
    codes, classes = labels.binary(wanted)
    for feature in features:
        feature.settle()
    return Table(tuple(features), codes, wanted.label, classes)


def check_row_count(count: int, most: int | None) -> None:
    """Refuse more rows than `most`.

    Raises:
        TooLargeError: There are.
    """
    if most is not None and count > most:
        raise TooLargeError(
            f"the file has more than {most:,} rows", remedy="Give a sample of its rows."
        )


def layout(rows: Rows, wanted: Wanted) -> Layout:
    """Decide what each column is for.

    Raises:
        DataError: One of its classes for columns: a name is missing, doubled, or not to be found.
    """
    for asked, field in (
        *((name, "source.drop") for name in wanted.drop),
        *((name, "source.rename") for name in wanted.rename),
    ):
        if asked not in rows.names:
            raise ColumnNotFoundError(
                f"{field} names {shown(asked)}, which is not a column",
                remedy=f"Give one of: {listed(rows.names)}.",
            )
    names = tuple(wanted.rename.get(name, name) for name in rows.names)
    kept = [at for at, name in enumerate(rows.names) if name not in wanted.drop]
    _check_names(names, kept)
    features = tuple(at for at in kept if names[at] != wanted.label)
    if len(features) == len(kept):
        raise LabelNotFoundError(
            f"no column is named {shown(wanted.label)}",
            remedy=f"Set source.label to one of: {listed([names[at] for at in kept])}.",
        )
    if not features:
        raise NoFeaturesError(
            "the label is the only column", remedy="Give at least one column to learn from."
        )
    offered = {names[at]: at for at in features}
    for asked in wanted.categorical:
        if asked not in offered:
            raise ColumnNotFoundError(
                f"source.categorical names {shown(asked)}, which is not a feature",
                remedy=f"Give one of: {listed(list(offered))}.",
            )
    categorical = frozenset(offered[name] for name in wanted.categorical)
    for at in features:
        if rows.names[at] in rows.nominal and at not in categorical:
            raise NominalFeatureError(
                "the feature is declared nominal and XGBoost takes numbers",
                remedy="Name it in source.categorical to have its values numbered, remove the "
                "column, or write it as numbers and declare it numeric.",
                column=names[at],
            )
    return Layout(names, names.index(wanted.label), features, categorical)


def _check_names(names: tuple[str, ...], kept: list[int]) -> None:
    seen: set[str] = set()
    for at in kept:
        name = names[at]
        if not name:
            raise UnnamedColumnError(
                f"column {at + 1} of {len(names)} has no name",
                remedy="Name it, or remove it if it is a saved row index.",
            )
        if name in seen:
            raise DuplicateColumnError(
                "two columns have this name", remedy="Rename or remove one of them.", column=name
            )
        seen.add(name)


def add(
    column: Column,
    texts: Sequence[str],
    lines: Sequence[int],
    missing: frozenset[str],
    *,
    gaps: bool = False,
) -> None:
    """Append a batch of a feature's values; with `gaps`, missing ones are kept as such.

    Raises:
        DataError: One of its classes for values.
    """
    if column.codes is not None:
        _add_categories(column, column.codes, texts, lines, missing, gaps=gaps)
        return
    joined = "".join(texts)
    try:
        values = list(map(float, texts))
    except ValueError:
        values = []
    if not (values and joined.isascii() and "_" not in joined and all(map(math.isfinite, values))):
        if gaps:
            _add_with_gaps(column, texts, lines, missing)
            return
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


def _add_with_gaps(
    column: Column, texts: Sequence[str], lines: Sequence[int], missing: frozenset[str]
) -> None:
    gap = [not (text := each.strip()) or text in missing for each in texts]
    found = [text for text, is_gap in zip(texts, gap, strict=True) if not is_gap]
    if any(gap):
        # pandas reads a column of whole numbers with gaps as floats.
        column.integers = False
        column.exact.clear()
        column.missing += len(texts) - len(found)
    start = len(column.values)
    if found:
        found_lines = [line for line, is_gap in zip(lines, gap, strict=True) if not is_gap]
        add(column, found, found_lines, missing)
    present = iter(column.values[start:])
    del column.values[start:]
    column.values.extend(math.nan if is_gap else next(present) for is_gap in gap)


def _add_categories(
    column: Column,
    codes: dict[str, int],
    texts: Sequence[str],
    lines: Sequence[int],
    missing: frozenset[str],
    *,
    gaps: bool,
) -> None:
    texts = [text.strip() for text in texts]
    for text in dict.fromkeys(texts):
        if text in codes:
            continue
        line = lines[texts.index(text)]
        if not text or text in missing:
            if not gaps:
                raise _missing(text, line, column.name)
            continue
        if column.declared:
            raise UndeclaredValueError(
                f"{shown(text)} is not one of the declared values {listed(list(codes))}",
                remedy="Correct the value, or add it to the declaration.",
                line=line,
                column=column.name,
            )
        codes[text] = len(codes)
        check_categories(column.name, list(codes))
    values = [float(codes.get(text, math.nan)) for text in texts]
    column.missing += sum(map(math.isnan, values))
    column.values.extend(values)


def check_categories(column: str, found: list[str]) -> None:
    """Refuse more values of a categorical column than a mapping should list.

    Raises:
        TooManyCategoriesError: There are.
    """
    if len(found) > MOST_CATEGORIES:
        raise TooManyCategoriesError(
            f"the categorical column has more than {MOST_CATEGORIES:,} values, such as "
            f"{shown(found[-1])}",
            remedy="Put it in source.drop if it is a name or a free text; or group its values.",
            column=column,
        )


def _missing(text: str, line: int, column: str) -> MissingValueError:
    return MissingValueError(
        f"the value is missing ({shown(text)})",
        remedy='Fill it in, remove the row, or set source.missing to "pass".',
        line=line,
        column=column,
    )


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
        return _missing(text, line, name)
    if (value := _float(text)) is None:
        decimal_comma = _float(stripped.replace(",", ".")) is not None
        kind, problem, remedy = (
            NotANumberError,
            f"{shown(text)} is not a number",
            "Write decimals with a point."
            if decimal_comma
            else "Correct the value; if the column is text, name it in source.categorical or in "
            "source.drop.",
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


class Labels:
    """The label's values, one byte a row, until the two classes are known."""

    def __init__(self, rows: Rows, plan: Layout) -> None:
        in_file = rows.names[plan.label]
        self._label = plan.names[plan.label]
        self._declared = rows.nominal.get(in_file)
        self._numeric = in_file in rows.numeric
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
            self.code(text, lines[texts.index(text)])
        self._rows.extend(map(self._codes.__getitem__, texts))

    def texts(self) -> list[str]:
        """Return the values seen, by their codes."""
        return list(self._codes)

    def add_codes(self, codes: bytes) -> None:
        """Append a batch of label values by their codes."""
        self._rows += codes

    def code(self, text: str, line: int) -> int:
        """Return the code of a label value, checking it where it is new.

        Raises:
            DataError: The value is missing, undeclared, not a number, or one too many.
        """
        if text not in self._codes:
            self._check(text, line)
            self._codes[text] = next(self._next)
        return self._codes[text]

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

    def binary(self, wanted: Wanted) -> tuple[bytes, Classes]:
        """Return 1 or 0 for each row, and the two classes.

        Raises:
            DataError: There is no row, no positive value, one class, or more than two.
        """
        positive = wanted.positive
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
        target = value(positive)
        if len(merged) > 2 and not wanted.rest:
            raise TooManyClassesError(
                f"the label has {len(names)} values: {listed(names)}",
                remedy="Keep the rows of two of them, merge them into two, or set source.rest to "
                "true to tell the positive one from all others.",
                column=self._label,
            )
        if target not in merged:
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
        positives = merged.pop(target)
        to_label = bytearray(_MOST_LABELS)
        for text in positives:
            to_label[self._codes[text]] = 1
        return bytes(self._rows).translate(to_label), Classes(
            positives[0], _joined([texts[0] for texts in merged.values()])
        )


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"rest ({listed(names, limit=5)})"
