"""Numbers that are written with a decimal comma, or with marks between thousands."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from data_prep.errors import shown
from data_prep.table import Column
from data_prep.values import NotANumberError

# What stands between thousands where a blank does: an ordinary one, or one that does not break.
_BLANKS = " \u00a0\u202f"


class Numerals(NamedTuple):
    """How numbers are written; it travels between machines.

    Attributes:
        decimal: What stands before the fraction.
        thousands: What may stand between groups of three digits; nothing when None.
    """

    decimal: str = "."
    thousands: str | None = None

    def plain(self, texts: Sequence[str], lines: Sequence[int], column: str) -> list[str]:
        """Return numbers as Python writes them; what is no number at all stays as it is.

        Raises:
            NotANumberError: A number is written otherwise, such as 1.5 where 1,5 would be meant.
        """
        pattern = _pattern(self)
        found = []
        for text, line in zip(texts, lines, strict=True):
            number = pattern.fullmatch(text.strip())
            if number is not None:
                whole = re.sub(r"[^0-9]", "", number["whole"])
                fraction = f".{number['fraction']}" if number["fraction"] is not None else ""
                found.append(f"{number['sign']}{whole}{fraction}{number['exponent']}")
            elif "." in text and _OTHERWISE.fullmatch(text.strip()):
                raise NotANumberError(
                    f"{shown(text)} is not a number with the decimal sign {shown(self.decimal)}",
                    remedy="Correct the value, or source.format.decimal and "
                    "source.format.thousands.",
                    line=line,
                    column=column,
                )
            else:
                found.append(text)
        return found


def plain(
    numerals: Numerals | None, column: Column, texts: Sequence[str], lines: Sequence[int]
) -> Sequence[str]:
    """Return the texts of a column with its numbers as Python writes them.

    Raises:
        NotANumberError: A number is written otherwise than the numerals say.
    """
    if numerals is None or column.codes is not None:
        return texts
    return numerals.plain(texts, lines, column.name)


_OTHERWISE = re.compile(r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?")
_PATTERNS: dict[Numerals, re.Pattern[str]] = {}


def _pattern(numerals: Numerals) -> re.Pattern[str]:
    if numerals not in _PATTERNS:
        whole = "[0-9]*"
        if numerals.thousands:
            mark = _BLANKS if numerals.thousands == " " else re.escape(numerals.thousands)
            whole = f"[0-9]{{1,3}}(?:[{mark}][0-9]{{3}})+|[0-9]*"
        _PATTERNS[numerals] = re.compile(
            rf"(?=[+-]?[^0-9]?[0-9])(?P<sign>[+-]?)(?P<whole>{whole})"
            rf"(?:{re.escape(numerals.decimal)}(?P<fraction>[0-9]*))?"
            r"(?P<exponent>(?:[eE][+-]?[0-9]+)?)"
        )
    return _PATTERNS[numerals]
