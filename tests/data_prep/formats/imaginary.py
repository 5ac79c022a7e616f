# ruff: noqa: D102 (`Rows` describes it)
"""Formats that are not read: what whoever adds one writes, as small as it gets.

Lines of pairs such as `x=1 class=a` are read as they are, by a reader of their own. Columns of
fixed width become CSV on the way, as the rows of Parquet do.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from data_prep.errors import DataError, RaggedRowError
from data_prep.formats.base import Batch, DataFile, Format, Opened, decoded, of_text
from data_prep.formats.delimited import DelimitedRows
from data_prep.options import FormatOptions

_ROWS_AT_ONCE = 1000
_WIDTH = 12


class PairsRows:
    """Pairs of a name and a value, of one set of names, one row a line."""

    keeps_integers = True
    delimiter = None
    header_lines = 0
    missing = frozenset({"none"})
    nominal: Mapping[str, tuple[str, ...]] = {}
    numeric: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    own_marks: tuple[bytes, ...] = ()
    index: frozenset[str] = frozenset()
    unreadable: Mapping[str, DataError] = {}
    numerals = None

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        batch = Batch([], [])
        for number, line in enumerate(lines, first_line):
            if not line.strip():
                continue
            names, values = _pairs(line)
            if names != self.names:
                raise RaggedRowError(
                    f"the row has {len(values)} values and the first has {len(self.names)}",
                    remedy="Give each row the names of the first.",
                    line=number,
                )
            batch.rows.append(list(values))
            batch.lines.append(number)
            if len(batch.rows) == _ROWS_AT_ONCE:
                yield batch
                batch = Batch([], [])
        if batch.rows:
            yield batch


def _pairs(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [pair.partition("=") for pair in line.split()]
    return tuple(name for name, _, _ in pairs), tuple(value for _, _, value in pairs)


def _open_pairs(file: DataFile, _options: FormatOptions) -> Opened:
    with decoded(file.open_utf8()) as text:
        return of_text(file, PairsRows(_pairs(text.readline())[0]))


def _looks_like_pairs(text: io.TextIOBase) -> bool:
    return re.match(r"\w+=", text.readline()) is not None


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


PAIRS = Format("pairs", (".pairs",), _open_pairs, looks_like=_looks_like_pairs)
FIXED = Format("fixed", (".fwf", ".prn"), _open_fixed)


def pairs(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> str:
    """Write rows as lines of pairs."""
    return "".join(f"{' '.join(map('='.join, zip(names, row, strict=True)))}\n" for row in rows)


def fixed(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> str:
    """Write rows in columns of fixed width, under their names."""
    return "".join(f"{''.join(value.ljust(_WIDTH) for value in row)}\n" for row in [names, *rows])
