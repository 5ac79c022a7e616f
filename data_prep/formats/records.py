"""A strict reader of JSON: one object a line (JSON Lines), or a list of objects (records).

An object is a row and its keys are columns, in the order in which they first appear; a key that a
row leaves out is missing there, as null is. Numbers are kept as they are written, whatever their
size. True and false are 1 and 0, as in Parquet.
Source: RFC 8259, and https://jsonlines.org
"""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from data_prep.errors import (
    DataError,
    LineTooLongError,
    NoRowsError,
    UnsupportedTypeError,
    shown,
)
from data_prep.formats.base import (
    VALUES_AT_ONCE,
    Batch,
    DataFile,
    Opened,
    Pulled,
    check_width,
    decoded,
)
from data_prep.limits import Limits
from data_prep.numerals import Numerals
from data_prep.options import FormatOptions


class MalformedJsonError(DataError):
    """A line is not one JSON object, or the file is no list of objects."""


_PIECE = 1 << 16
_BLANKS = re.compile(r"[ \t\r\n]*")
# What makes a lone half of a character, which no file can hold, and a NUL.
_ODD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


def _refused_constant(name: str) -> str:
    # pandas and Python write NaN, which is no JSON, for a missing value.
    return "" if name == "NaN" else name


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} twice")
    return found


_AS_WRITTEN: dict[str, Any] = {
    "parse_float": str,
    "parse_int": str,
    "parse_constant": _refused_constant,
}
_READ = json.JSONDecoder(**_AS_WRITTEN)
_CHECK = json.JSONDecoder(**_AS_WRITTEN, object_pairs_hook=_unique)


def looks_like(text: io.TextIOBase) -> bool:
    """Tell whether the first line that is not blank is an object, or begins a list of them."""
    for line in text:
        stripped = line.strip()
        if stripped:
            return re.match(r'\{\s*"|\{\s*\}$|\[\s*(?:\{|$)', stripped) is not None
    return False


def opened(file: DataFile, options: FormatOptions) -> Opened:
    """Read a JSON file once, for the names of its columns.

    Raises:
        MalformedJsonError: A line is not one object, or the file is no list of objects.
        NoRowsError: There is no object, or none has a key.
        TooLargeError: The rows have many more values than the file writes out.
    """

    def open_lines() -> io.BufferedIOBase:
        if not file.is_records:
            return file.open_utf8()
        return io.BufferedReader(Pulled(_flattened(file)), _PIECE)

    with decoded(open_lines()) as text:
        # JSON has null: every text is one, unless it is said to stand for none.
        rows = _described(file.name, text, file.limits, frozenset(options.na_values))
    return Opened(rows, open_lines, open_lines)


def _described(
    name: str, lines: Iterable[str], limits: Limits, missing: frozenset[str]
) -> "JsonRows":
    names: dict[str, None] = {}
    unreadable: dict[str, DataError] = {}
    count = size = 0
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        row = _object(_CHECK, line, number)
        count += 1
        size += len(line)
        if not row.keys() <= names.keys():
            names.update(dict.fromkeys(row))
        if "[" in line or line.count("{") > 1:
            for key, value in row.items():
                if isinstance(value, (dict, list)):
                    unreadable.setdefault(
                        key,
                        UnsupportedTypeError(
                            "the value is an object or a list of values",
                            remedy="Write it as columns of its own, or name the column in "
                            "source.drop.",
                            line=number,
                            column=key,
                        ),
                    )
        check_width(name, count, len(names), size, limits)
    if not names:
        raise NoRowsError(
            f"{shown(name)} has no objects with keys", remedy="Give an object for each row."
        )
    return JsonRows(tuple(names), unreadable, missing)


def _object(decoder: json.JSONDecoder, line: str, number: int) -> dict[str, Any]:
    """Decode a line.

    Raises:
        MalformedJsonError: It is not one object.
    """
    try:
        found = decoder.decode(line)
        if "\\u" in line and _ODD_ESCAPE.search(line):
            _check_characters(found)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise _malformed(f"{shown(line.strip())} is not one JSON object ({why})", number) from error
    if not isinstance(found, dict):
        raise _malformed(f"{shown(line.strip())} is no JSON object", number)
    return found


def _check_characters(found: object) -> None:
    # A pair of halves is a character, and "\\ud800" is a text of six: only the result tells.
    text = json.dumps(found, ensure_ascii=False)
    if "\\u0000" in json.dumps(found).replace("\\\\", ""):
        raise ValueError("a character NUL")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a character") from error


def _malformed(problem: str, line: int) -> MalformedJsonError:
    return MalformedJsonError(
        problem,
        remedy='Write each row as an object on a line of its own, such as {"age": 4, "ill": '
        '"no"}, or all of them as one list of objects.',
        line=line,
    )


class JsonRows:
    """A JSON file's columns, and the reader of its lines; see `Rows` for the attributes."""

    keeps_integers = True
    delimiter = None
    header_lines = 0
    nominal: Mapping[str, tuple[str, ...]] = {}
    numeric: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    own_marks: tuple[bytes, ...] = ()
    index: frozenset[str] = frozenset()
    numerals: Numerals | None = None

    def __init__(
        self,
        names: tuple[str, ...],
        unreadable: Mapping[str, DataError],
        missing: frozenset[str],
    ) -> None:
        self.names = names
        self.missing = missing
        self.unreadable = unreadable

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some lines.

        Raises:
            MalformedJsonError: A line is not one object.
        """
        at_once = max(1, VALUES_AT_ONCE // len(self.names))
        names = self.names
        batch = Batch([], [])
        for number, line in enumerate(lines, first_line):
            if line.isspace():
                continue
            found = _object(_READ, line, number).get
            row = [found(name) for name in names]
            batch.rows.append([each if type(each) is str else _text(each) for each in row])
            batch.lines.append(number)
            if len(batch.rows) == at_once:
                yield batch
                batch = Batch([], [])
        if batch.rows:
            yield batch

    def extended(self, names: Sequence[str]) -> "JsonRows":
        """Return the reader of lines that `ended` has made longer by some columns."""
        return JsonRows((*self.names, *names), self.unreadable, self.missing)

    @staticmethod
    def ended(lines: bytes, values: Mapping[str, str]) -> bytes:
        """Return whole lines with some more values at the end of each object."""
        more = json.dumps(values)[1:].encode()
        found = []
        for line in lines.split(b"\n"):
            body = line.rstrip().removesuffix(b"}").rstrip()
            comma = b"" if body.endswith(b"{") else b", "
            found.append(body + comma + more if body and body != line.rstrip() else line)
        return b"\n".join(found)

    def joined(self, others: Iterable["JsonRows"]) -> "JsonRows":
        """Return the reader of this file and others, whose keys come after its own."""
        names = dict.fromkeys(self.names)
        unreadable = dict(self.unreadable)
        for other in others:
            names.update(dict.fromkeys(other.names))
            unreadable = {**other.unreadable, **unreadable}
        return JsonRows(tuple(names), unreadable, self.missing)


def _text(value: object) -> str:
    """Return a value that is no text and no number as text; what cannot be read as an empty one."""
    return str(int(value)) if isinstance(value, bool) else ""


def _flattened(file: DataFile) -> Iterator[bytes]:
    """Yield each object of a list on a line of its own.

    An object stands on the line that it ends on in the file, or on the next one that is free where
    several end on one line: then lines count objects.

    Raises:
        MalformedJsonError: The file is no list of objects.
        LineTooLongError: An object has more bytes than a line may have.
    """
    written = 1
    with decoded(file.open_utf8(), "\n") as text:
        for found, line in _List(text, file.limits.line_bytes).objects():
            ahead = max(line - written, 0)
            written += ahead + 1
            flat = found.replace("\n", " ").replace("\r", " ")
            yield ("\n" * ahead + flat + "\n").encode()


class _List:
    """A list of objects, read some characters at a time.

    Args:
        text: The file.
        longest: Most characters of an object.
    """

    def __init__(self, text: io.TextIOBase, longest: int) -> None:
        self._text = text
        self._longest = longest
        self._buffer = ""
        self._at = 0
        self._line = 1

    def objects(self) -> Iterator[tuple[str, int]]:
        """Yield the text of each object, and the line that it ends on."""
        self._expect("[", "the file is no list of objects")
        if self._next() != "]":
            yield self._object()
            while self._next() == ",":
                self._at += 1
                self._next()
                yield self._object()
        self._expect("]", "a comma is missing between two objects, or the end of the list")
        if self._next():
            raise _malformed("something follows the list of objects", self._line)

    def _expect(self, mark: str, otherwise: str) -> None:
        if self._next() != mark:
            raise _malformed(otherwise, self._line)
        self._at += 1

    def _next(self) -> str:
        """Pass over blanks, and return the next character, none at the end."""
        while True:
            end = _BLANKS.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            self._line += self._buffer.count("\n", self._at, end)
            self._at = end
            if end < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def _more(self) -> bool:
        piece = self._text.read(_PIECE)
        self._buffer, self._at = self._buffer[self._at :] + piece, 0
        return bool(piece)

    def _object(self) -> tuple[str, int]:
        shown_text = shown(self._buffer[self._at : self._at + 80])
        if self._buffer[self._at : self._at + 1] != "{":
            raise _malformed(f"{shown_text} is no JSON object", self._line)
        while True:
            try:
                _, end = _READ.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                self._check_length(len(self._buffer))
                if isinstance(error, RecursionError) or not self._more():
                    why = getattr(error, "msg", "it is nested too deeply")
                    raise _malformed(
                        f"{shown_text} is no whole JSON object ({why})", self._line
                    ) from error
            else:
                self._check_length(end)
                found = self._buffer[self._at : end]
                self._at = end
                self._line += found.count("\n")
                return found, self._line

    def _check_length(self, end: int) -> None:
        if end - self._at > self._longest:
            raise LineTooLongError(
                f"the object has more than {self._longest:,} bytes",
                remedy="Drop columns of long text, or correct the object.",
                line=self._line,
            )
