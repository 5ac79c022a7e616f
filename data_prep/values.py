"""From a column's text to its values, refusing by name what is no number.

Values are converted a column of a batch at a time; only when that fails is the offending value
searched for, so that a clean file pays nothing for precise messages.
"""

import math
import re
from collections.abc import Sequence

from data_prep.errors import DataError, listed, shown
from data_prep.table import Column


class MissingValueError(DataError):
    """A value is missing."""


class NotANumberError(DataError):
    """A feature's value is not a number."""


class NotFiniteError(DataError):
    """A feature's value is NaN, infinite, or too large for the 32-bit float XGBoost keeps of it."""


class ForeignDigitsError(DataError):
    """A number is written in digits of another script, which Python would read and XGBoost not."""


class DigitSeparatorError(DataError):
    """A number is written like `1_0`, which Python would read as 10 and pandas as text."""


class UndeclaredValueError(DataError):
    """A nominal value is not among those its attribute declares."""


class TooManyCategoriesError(DataError):
    """A categorical column has more values than a mapping should list."""


# Thousands apart, as in 1,234.5: no decimal comma, or not for sure.
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
# A float holds every whole number up to here.
EXACT = 2**53
# XGBoost keeps values as 32-bit floats: from halfway between the largest of them and 2**128 on, a
# value is rounded to infinity, which training refuses.
SINGLE_END = 2.0**128 - 2.0**103
# More values than this are names or free text, and the profile records every one of them.
MOST_CATEGORIES = 1000


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
    if not (
        values
        and joined.isascii()
        and "_" not in joined
        and all(map(math.isfinite, values))
        and min(values) > -SINGLE_END
        and max(values) < SINGLE_END
    ):
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
            if max(whole) > EXACT or min(whole) < -EXACT:
                start = len(column.values)
                column.exact.update(
                    (row, number) for row, number in enumerate(whole, start) if abs(number) > EXACT
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
        refused = refusal(name, text, line, missing)
        if refused is not None:
            return refused
    raise AssertionError(f"column {name!r} was refused and each of its values accepted")


def refusal(name: str, text: str, line: int, missing: frozenset[str]) -> DataError | None:
    """Return why one value of a column of numbers is refused, if it is."""
    stripped = text.strip()
    kind: type[DataError]
    if not stripped or stripped in missing:
        return _missing(text, line, name)
    if (value := number(text)) is None:
        decimal_comma = number(stripped.replace(",", ".")) is not None
        kind, problem, remedy = (
            NotANumberError,
            f"{shown(text)} is not a number",
            "Write it without the commas, if they stand between thousands; write decimals with a "
            "point."
            if GROUPED.fullmatch(stripped)
            else "Write decimals with a point."
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
    elif abs(value) >= SINGLE_END:
        kind = NotFiniteError
        problem = f"{shown(text)} is infinite for XGBoost, which keeps values as 32-bit floats"
        remedy = (
            "Correct it, remove the row, or give the column in a larger unit; 32-bit floats end at "
            "3.4e38."
        )
    else:
        return None
    return kind(problem, remedy=remedy, line=line, column=name)


def number(text: str) -> float | None:
    """Return what Python reads as a float, or None."""
    try:
        return float(text)
    except ValueError:
        return None
