# ruff: noqa: D102 (`Rows` describes it)
"""Formats that are not read: what whoever adds one writes, as small as it gets.

JSON Lines are read as they are, by a reader of their own. Columns of fixed width become CSV on the
way, as the rows of Parquet do.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from data_prep.errors import RaggedRowError
from data_prep.formats.base import Batch, DataFile, Format, Opened, decoded, of_text
from data_prep.formats.delimited import DelimitedRows
from data_prep.options import FormatOptions

_ROWS_AT_ONCE = 1000
_WIDTH = 12


class JsonLinesRows:
    """Objects of one set of names, one a line."""

    keeps_integers = True
    delimiter = None
    header_lines = 0
    missing = frozenset({"null"})
    nominal: Mapping[str, tuple[str, ...]] = {}
    numeric: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    own_marks: tuple[bytes, ...] = ()

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        batch = Batch([], [])
        for number, line in enumerate(lines, first_line):
            if not line.strip():
                continue
            found = json.loads(line)
            if tuple(found) != self.names:
                raise RaggedRowError(
                    f"the row has {len(found)} values and the first has {len(self.names)}",
                    remedy="Give each row the names of the first.",
                    line=number,
                )
            values = found.values()
            batch.rows.append([v if isinstance(v, str) else json.dumps(v) for v in values])
            batch.lines.append(number)
            if len(batch.rows) == _ROWS_AT_ONCE:
                yield batch
                batch = Batch([], [])
        if batch.rows:
            yield batch


def _open_json_lines(file: DataFile, _options: FormatOptions) -> Opened:
    with decoded(file.open_utf8()) as text:
        return of_text(file, JsonLinesRows(tuple(json.loads(text.readline()))))


def _looks_like_json_lines(text: io.TextIOBase) -> bool:
    return text.readline().startswith("{")


class _AsCsv(io.RawIOBase):
    """Lines of fixed width as CSV, one by one."""

    def __init__(self, lines: io.TextIOBase) -> None:
        self._lines = lines
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        if not self._rest:
            line = self._lines.readline().rstrip("\n")
            values = [line[at : at + _WIDTH].strip() for at in range(0, len(line), _WIDTH)]
            self._rest = f"{','.join(values)}\n".encode() if line else b""
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _open_fixed(file: DataFile, _options: FormatOptions) -> Opened:
    def open_lines() -> io.BufferedReader:
        return io.BufferedReader(_AsCsv(decoded(file.open_utf8())))

    with decoded(open_lines()) as text:
        names = tuple(text.readline().strip().split(","))
    # It does not tell the first reading from others, which takes more time and no more care.
    return Opened(DelimitedRows(names, 1, ","), open_lines, open_lines, newline="")


JSON_LINES = Format("jsonl", (".jsonl",), _open_json_lines, looks_like=_looks_like_json_lines)
FIXED = Format("fixed", (".fwf", ".prn"), _open_fixed)


def json_lines(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> str:
    """Write rows as JSON Lines; what is no number is a string."""
    return "".join(
        f"{json.dumps({n: _value(v) for n, v in zip(names, row, strict=True)})}\n" for row in rows
    )


def fixed(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> str:
    """Write rows in columns of fixed width, under their names."""
    return "".join(f"{''.join(value.ljust(_WIDTH) for value in row)}\n" for row in [names, *rows])


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
