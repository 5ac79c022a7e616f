"""Several files of one format and of the same columns, read as one table."""

import copy
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from data_prep.errors import DataError, NoRowsError, UnsupportedTypeError, listed, shown
from data_prep.formats.base import Opened, PartFile, PartStart, Pulled, Rows
from data_prep.formats.delimited import DelimitedRows
from data_prep.formats.libsvm import LibsvmRows
from data_prep.formats.records import JsonRows
from data_prep.options import FormatOptions


class PartsDifferError(DataError):
    """Files that are read as one have different columns."""


_PIECE = 1 << 20


class _One(NamedTuple):
    path: str
    keys: Mapping[str, str]
    opened: Opened


def opened(
    files: Sequence[PartFile],
    options: FormatOptions,
    open_one: Callable[[PartFile, FormatOptions], Opened],
    starts: list[PartStart],
) -> Opened:
    """Read the headers of all files.

    Args:
        files: The files.
        options: How they are written.
        open_one: Opens one of them.
        starts: Takes down where the lines of each file begin.

    Raises:
        PartsDifferError: They have different columns.
        DataError: One of them is refused.
    """
    found: list[_One] = []
    empty: NoRowsError | None = None
    for file in files:
        try:
            one = open_one(file, options)
        except NoRowsError as error:
            # As Spark writes one where a share of the rows is empty.
            empty = empty or error
            continue
        except DataError as error:
            raise error.found_in(file.path, error.line) from error
        if not found and isinstance(one.rows, DelimitedRows) and one.rows.header_lines:
            # What the first file tells is not left to the few rows of another.
            options = options._replace(delimiter=options.delimiter or one.rows.spoken)
        found.append(_One(file.path, file.keys, one))
    if not found:
        raise empty or NoRowsError("there are no files", remedy="Give files with rows.")
    rows: Any = _rows(found)
    keys = _keys(found)
    if keys:
        rows = rows.extended(keys)

    def open_lines() -> io.BufferedIOBase:
        starts.clear()
        return io.BufferedReader(Pulled(_lines(found, rows, starts)), _PIECE)

    return Opened(rows, open_lines, open_lines, found[0].opened.newline)


def _rows(found: list[_One]) -> Rows:
    """Return the reader of the lines of all files.

    Raises:
        PartsDifferError: They have different columns.
    """
    first, *others = (each.opened.rows for each in found)
    unreadable = {
        name: refusal if refusal.file else refusal.found_in(one.path, refusal.line)
        for one in reversed(found)
        for name, refusal in one.opened.rows.unreadable.items()
    }
    if isinstance(first, JsonRows) and all(isinstance(each, JsonRows) for each in others):
        joined = first.joined(cast("list[JsonRows]", others))
        joined.unreadable = unreadable
        return joined
    if isinstance(first, LibsvmRows) and all(isinstance(each, LibsvmRows) for each in others):
        return first.joined(cast("list[LibsvmRows]", others))
    for one in found[1:]:
        rows = one.opened.rows
        if type(rows) is not type(first):
            why = "is of another format"
        elif rows.names != first.names:
            why = f"has the columns {listed(rows.names)}, not {listed(first.names)}"
        elif dict(rows.nominal) != dict(first.nominal):
            why = "declares other values of its nominal attributes"
        elif (
            isinstance(rows, DelimitedRows)
            and isinstance(first, DelimitedRows)
            and rows.spoken != first.spoken
        ):
            why = f"has {shown(rows.spoken)} between its values"
        else:
            continue
        raise PartsDifferError(
            f"{shown(one.path)} {why}, as {shown(found[0].path)} has",
            remedy="Give files of the same columns in the same order; source.member may name those "
            'to read, such as "part-*.csv".',
        )
    if isinstance(first, DelimitedRows):
        floats = first.floats.union(*(each.floats for each in others))
        index = first.index.union(*(each.index for each in others))
        return first.replaced(floats=floats, index=index, unreadable=unreadable, header_lines=0)
    joined_rows = copy.copy(first)
    joined_rows.unreadable, joined_rows.header_lines = unreadable, 0  # type: ignore[misc]
    return joined_rows


def _keys(found: list[_One]) -> tuple[str, ...]:
    """Return the columns that the folders make.

    Raises:
        PartsDifferError: They are not the same for all files.
        UnsupportedTypeError: The format's lines cannot be made longer.
    """
    names = tuple(found[0].keys)
    for one in found:
        if tuple(one.keys) != names:
            raise PartsDifferError(
                f"{shown(one.path)} lies in folders of {listed(tuple(one.keys)) or 'no column'}, "
                f"not {listed(names) or 'no column'} as {shown(found[0].path)} does",
                remedy="Give one kind of folders: source.member may name those to read.",
            )
    if names and not isinstance(found[0].opened.rows, (DelimitedRows, JsonRows)):
        raise UnsupportedTypeError(
            "the folders make a column, and lines of this format cannot be made longer",
            remedy="Write the files as CSV, JSON or Parquet, or name the folders without =.",
            column=names[0],
        )
    return names


def _lines(found: list[_One], rows: Any, starts: list[PartStart]) -> Iterator[bytes]:
    """Yield the rows of all files as whole lines, without headers."""
    line = 1
    for path, keys, one in found:
        skipped = one.rows.header_lines
        starts.append(PartStart(line, skipped + 1, path))
        with one.open_lines() as stream:
            for piece in _whole_lines(stream, skipped):
                line += piece.count(b"\n")
                yield rows.ended(piece, keys) if keys else piece


def _whole_lines(stream: io.BufferedIOBase, skipped: int) -> Iterator[bytes]:
    """Yield a file as pieces in which lines are whole and quotes pair up, each line ended.

    Where carriage returns alone end lines they become line feeds, as in the blocks of large files.
    """
    rest = stream.read(_PIECE).removeprefix(b"\xef\xbb\xbf")
    alone: bool | None = None
    at_end = False
    while not at_end:
        chunk = stream.read(_PIECE)
        at_end = not chunk
        data = rest + chunk
        if alone is None and (at := data.find(b"\r")) >= 0 and (at + 1 < len(data) or at_end):
            alone = data[at + 1 : at + 2] != b"\n"
        if alone:
            # A last one waits for what follows: it may be a line feed.
            held = b"\r" if not at_end and data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            data += held
        if at_end and data and not data.endswith(b"\n"):
            data += b"\n"
        while skipped and (end := data.find(b"\n") + 1):
            data, skipped = data[end:], skipped - 1
        end = data.rfind(b"\n") + 1
        if not at_end and data.count(b'"', 0, end) % 2:
            # A quoted value goes on over the end of the line.
            end = _last_even(data, end)
        if end:
            yield data[:end]
        rest = data[end:]


def _last_even(data: bytes, end: int) -> int:
    """Return the end of the last line before which quotes pair up, 0 where there is none."""
    last = data.rfind(b'"', 0, end)
    return data.rfind(b"\n", 0, last) + 1 if data.count(b'"', 0, last) % 2 == 0 else 0
