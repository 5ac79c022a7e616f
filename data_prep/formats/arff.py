"""A strict reader of ARFF, Weka's text format.

Dense and sparse rows of numeric and nominal attributes are read; what the format also allows
(strings, dates, relations, weights) is refused by name. Values read here are those that
`scipy.io.arff.loadarff` reads.
Source: the ARFF page of the Weka manual, https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from data_prep.errors import (
    DataError,
    QuotingError,
    RaggedRowError,
    SparseDataError,
    UnsupportedTypeError,
    shown,
)
from data_prep.formats.base import VALUES_AT_ONCE, Batch, DataFile, Opened, decoded, of_text
from data_prep.numerals import Numerals


class ArffHeaderError(DataError):
    """A line before `@data` is not a declaration."""


class ArffDataMissingError(DataError):
    """There is no `@data` line."""


_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ATTRIBUTE = re.compile(
    rf"@attribute\s+(?P<name>{_QUOTED}|(?!['\"])[^\s{{]+)\s*(?P<type>.*)", re.IGNORECASE
)
_NOMINAL = re.compile(rf"\{{(?P<values>(?:{_QUOTED}|[^'\"}}])*)\}}\s*(?:%.*)?")
_NUMERIC = re.compile(r"(?:numeric|real|integer)\s*(?:\[[^\]]*\]\s*)?(?:%.*)?", re.IGNORECASE)
_OTHER_TYPE = re.compile(r"(?P<type>string|date|relational)\b", re.IGNORECASE)
_DATA = re.compile(r"@data\s*(?:%.*)?", re.IGNORECASE)
_RELATION = re.compile(r"@relation\b.*", re.IGNORECASE)
# Possessive blanks: giving one back would let an unclosed quote pass as a plain value.
_VALUE = {
    delimiter: re.compile(
        rf"""{blank}*+(?P<value>(?:{_QUOTED}){blank}*+|(?!['"])[^{delimiter}]*)(?P<end>{delimiter}|\Z)"""
    )
    for delimiter, blank in ((",", r"[ \t]"), ("\t", " "))
}
_SPARSE = re.compile(rf"{_QUOTED}|,")
_PAIR = re.compile(rf"(?P<index>[0-9]{{1,9}})[ \t]+(?P<value>{_QUOTED}|(?!['\"])[^{{}}]+)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def looks_like(text: io.TextIOBase) -> bool:
    """Tell whether the first line that is neither blank nor a comment is an ARFF declaration."""
    for line in text:
        stripped = line.strip()
        if stripped and not stripped.startswith("%"):
            return re.match("@(relation|attribute|data)", stripped, re.IGNORECASE) is not None
    return False


def opened(file: DataFile) -> Opened:
    """Read an ARFF file's header.

    Raises:
        ArffHeaderError: A line before `@data` is not a declaration.
        ArffDataMissingError: There is no `@data` line.
        UnsupportedTypeError: An attribute is a relation.
    """
    with decoded(file.open_utf8()) as text:
        return of_text(file, _header(text))


def _header(text: Iterable[str]) -> "ArffRows":
    names: list[str] = []
    nominal: dict[str, tuple[str, ...]] = {}
    unreadable: dict[str, DataError] = {}
    lines = iter(text)
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("%") or _RELATION.fullmatch(stripped):
            continue
        if _DATA.fullmatch(stripped):
            break
        name, values = _attribute(stripped, number)
        names.append(name)
        if isinstance(values, DataError):
            unreadable[name] = values
        elif values is not None:
            nominal[name] = values
    else:
        raise ArffDataMissingError(
            "the file has no @data line", remedy="Put @data on the line before the rows."
        )
    if not names:
        raise ArffHeaderError(
            "the file declares no attribute",
            remedy="Declare each column before @data, such as: @attribute age numeric.",
            line=number,
        )
    return ArffRows(tuple(names), nominal, number, _delimiter(lines), unreadable)


def _delimiter(lines: Iterable[str]) -> str:
    """Return what separates values: a comma, or a tab if the first row has no comma (as scipy)."""
    for line in lines:
        stripped = line.strip()
        if stripped and not stripped.startswith(("%", "{")):
            return "\t" if "," not in stripped and "\t" in stripped else ","
    return ","


class ArffRows:
    """An ARFF file's columns, and the reader of its lines; see `Rows` for the attributes."""

    keeps_integers = False
    floats: frozenset[str] = frozenset()
    missing = frozenset({"?"})
    index: frozenset[str] = frozenset()
    # A comment, a sparse row, and quotes that are escaped otherwise than in CSV.
    own_marks = (b"%", b"{", b"'", b'"')
    numerals: Numerals | None = None

    def __init__(
        self,
        names: tuple[str, ...],
        nominal: Mapping[str, tuple[str, ...]],
        header_lines: int,
        delimiter: str,
        unreadable: Mapping[str, DataError],
    ) -> None:
        self.names = names
        self.nominal = nominal
        self.numeric = frozenset(names).difference(nominal, unreadable)
        self.unreadable = unreadable
        self.header_lines = header_lines
        self.delimiter = delimiter

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some lines after the header.

        Raises:
            SparseDataError: A row in sparse notation is malformed.
            RaggedRowError: A row has more or fewer values than there are attributes.
            QuotingError: A quoted value is not closed.
        """
        at_once = max(1, VALUES_AT_ONCE // len(self.names))
        found = self._rows(enumerate(lines, first_line))
        while pairs := list(islice(found, at_once)):
            yield Batch([row for row, _ in pairs], [line for _, line in pairs])

    def _rows(self, numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[list[str], int]]:
        width = len(self.names)
        delimiter = self.delimiter
        for number, line in numbered:
            stripped = line.strip()
            if not stripped or stripped.startswith("%"):
                continue
            if stripped.startswith("{"):
                row = self._sparse(stripped, number)
            elif "'" in stripped or '"' in stripped:
                row = _split_quoted(stripped, delimiter, number)
            else:
                row = stripped.split(delimiter)
            if len(row) != width:
                raise RaggedRowError(
                    f"the row has {len(row)} values and {width} attributes are declared",
                    remedy="Correct or remove the row.",
                    line=number,
                )
            yield row, number

    def _sparse(self, line: str, number: int) -> list[str]:
        """Read `{index value, ...}`: what is left out is 0, or the first of the declared values."""
        row = [self.nominal[name][0] if name in self.nominal else "0" for name in self.names]
        inside = line[1:-1].strip()
        if not line.endswith("}"):
            raise self._malformed(line, number, "it does not end in a brace")
        before = -1
        for pair in _split_pairs(inside) if inside else ():
            found = _PAIR.fullmatch(pair)
            if found is None or int(found["index"]) >= len(row):
                raise self._malformed(
                    pair, number, f"it is not an index below {len(row)} and a value"
                )
            index = int(found["index"])
            if index <= before:
                raise self._malformed(pair, number, "its index is not above the one before it")
            before = index
            row[index] = _unquoted(found["value"])
        return row

    @staticmethod
    def _malformed(text: str, number: int, why: str) -> SparseDataError:
        return SparseDataError(
            f"{shown(text)} is not sparse ARFF: {why}",
            remedy="Write {0 1.5, 3 yes}, indexes from 0 and rising; or save the file as dense "
            "ARFF.",
            line=number,
        )


def _attribute(line: str, number: int) -> tuple[str, tuple[str, ...] | DataError | None]:
    """Return an attribute's name, and its values when it is nominal, or why it is not read."""
    declaration = _ATTRIBUTE.fullmatch(line)
    if declaration is None:
        raise ArffHeaderError(
            f"{shown(line)} is not an ARFF declaration",
            remedy="Before @data, write @relation, @attribute or % comments only.",
            line=number,
        )
    name, kind = _unquoted(declaration["name"]), declaration["type"]
    if _NUMERIC.fullmatch(kind):
        return name, None
    if other := _OTHER_TYPE.match(kind):
        refusal = UnsupportedTypeError(
            f"the attribute is declared {other['type'].lower()}",
            remedy="Name the column in source.drop, or turn it into numbers and declare it "
            "numeric.",
            line=number,
            column=name,
        )
        if other["type"].lower() == "relational":
            # What follows are columns of the column.
            raise refusal
        return name, refusal
    nominal = _NOMINAL.fullmatch(kind)
    if nominal is None:
        raise ArffHeaderError(
            f"{shown(kind)} is not a type",
            remedy="Declare the attribute numeric, or list its values: {yes, no}.",
            line=number,
            column=name,
        )
    values = tuple(_split_quoted(nominal["values"], ",", number))
    if "" in values or len(set(values)) < len(values):
        raise ArffHeaderError(
            f"the values {shown(kind)} hold an empty or a repeated one",
            remedy="List each value once.",
            line=number,
            column=name,
        )
    return name, values


def _split_quoted(text: str, delimiter: str, number: int) -> list[str]:
    """Split at delimiters outside quotes; a quote counts where a value begins."""
    value = _VALUE[delimiter]
    values = []
    position = 0
    while True:
        match = value.match(text, position)
        if match is None:
            raise QuotingError(
                f"the quotes of {shown(text[position:].strip())} are not closed, "
                "or something follows them",
                remedy=r"Close them before the next comma; write a quote inside quotes as \'.",
                line=number,
            )
        values.append(_unquoted(match["value"]))
        position = match.end()
        if not match["end"]:
            return values


def _split_pairs(text: str) -> list[str]:
    """Split at commas outside quotes."""
    return [pair.strip() for pair in _SPARSE.sub(_cut, text).split("\0")]


def _cut(found: re.Match[str]) -> str:
    return "\0" if found[0] == "," else found[0]


def _unquoted(token: str) -> str:
    token = token.strip()
    if len(token) >= 2 and token[0] == token[-1] and token[0] in "'\"":
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), token[1:-1])
    return token
