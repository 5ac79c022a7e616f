"""A strict reader of ARFF, Weka's text format.

Dense data of numeric and nominal attributes is read; what the format also allows (strings, dates,
relations, sparse rows, weights) is refused by name. Values read here are those that
`scipy.io.arff.loadarff` reads.
Source: the ARFF page of the Weka manual, https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from .errors import (
    ArffDataMissingError,
    ArffHeaderError,
    QuotingError,
    RaggedRowError,
    SparseDataError,
    UnsupportedTypeError,
    shown,
)
from .table import Batch

VALUES_AT_ONCE = 100_000

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
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def looks_like(text: io.TextIOBase) -> bool:
    """Tell whether the first line that is neither blank nor a comment is an ARFF declaration."""
    with text:
        for line in text:
            stripped = line.strip()
            if stripped and not stripped.startswith("%"):
                return re.match("@(relation|attribute|data)", stripped, re.IGNORECASE) is not None
    return False


class ArffRows:
    """An ARFF file's columns, and its rows as text.

    Raises:
        ArffHeaderError: A line before `@data` is not a declaration.
        ArffDataMissingError: There is no `@data` line.
        UnsupportedTypeError: An attribute is neither numeric nor nominal.
    """

    keeps_integers = False
    missing = frozenset({"?"})

    def __init__(self, open_text: Callable[[], io.TextIOBase]) -> None:
        self._open_text = open_text
        names: list[str] = []
        nominal: dict[str, tuple[str, ...]] = {}
        with open_text() as text:
            for self._header_lines, line in enumerate(text, 1):
                stripped = line.strip()
                if not stripped or stripped.startswith("%") or _RELATION.fullmatch(stripped):
                    continue
                if _DATA.fullmatch(stripped):
                    break
                name, values = _attribute(stripped, self._header_lines)
                names.append(name)
                if values is not None:
                    nominal[name] = values
            else:
                raise ArffDataMissingError(
                    "the file has no @data line", remedy="Put @data on the line before the rows."
                )
        if not names:
            raise ArffHeaderError(
                "the file declares no attribute",
                remedy="Declare each column before @data, such as: @attribute age numeric.",
                line=self._header_lines,
            )
        self.names = tuple(names)
        self.nominal: Mapping[str, tuple[str, ...]] = nominal
        self.numeric = frozenset(names).difference(nominal)

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in file order.

        Raises:
            SparseDataError: A row is written `{index value, ...}`.
            RaggedRowError: A row has more or fewer values than there are attributes.
            QuotingError: A quoted value is not closed.
        """
        at_once = max(1, VALUES_AT_ONCE // len(self.names))
        with self._open_text() as text:
            numbered = islice(enumerate(text, 1), self._header_lines, None)
            found = self._rows(numbered)
            while pairs := list(islice(found, at_once)):
                yield Batch([row for row, _ in pairs], [line for _, line in pairs])

    def _rows(self, numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[list[str], int]]:
        width = len(self.names)
        delimiter = ""
        for number, line in numbered:
            stripped = line.strip()
            if not stripped or stripped.startswith("%"):
                continue
            if stripped.startswith("{"):
                raise SparseDataError(
                    "the row is in sparse notation",
                    remedy="Save the file as dense ARFF (in Weka: the SparseToNonSparse filter).",
                    line=number,
                )
            if not delimiter:
                # As scipy: commas, or tabs when the first row has no comma.
                delimiter = "\t" if "," not in stripped and "\t" in stripped else ","
            if "'" in stripped or '"' in stripped:
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


def _attribute(line: str, number: int) -> tuple[str, tuple[str, ...] | None]:
    """Return an attribute's name, and its values when it is nominal."""
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
        raise UnsupportedTypeError(
            f"the attribute is declared {other['type'].lower()}",
            remedy="Remove the column, or turn it into numbers and declare it numeric.",
            line=number,
            column=name,
        )
    nominal = _NOMINAL.fullmatch(kind)
    if nominal is None:
        raise ArffHeaderError(
            f"{shown(kind)} is not a type",
            remedy="Declare the attribute numeric, or list its values: {yes, no}.",
            line=number,
            column=name,
        )
    values = tuple(map(_unquoted, _split_quoted(nominal["values"], ",", number)))
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


def _unquoted(token: str) -> str:
    token = token.strip()
    if len(token) >= 2 and token[0] == token[-1] and token[0] in "'\"":
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), token[1:-1])
    return token
