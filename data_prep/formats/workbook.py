"""A reader of Excel's workbooks (.xlsx): one sheet becomes the text that the other readers check.

Numbers are those that Excel keeps, 64-bit floats, written as the shortest decimals that read back
as the same; dates and times are written as in ISO 8601, true and false as 1 and 0, an error such as
#N/A as Excel shows it, and a formula as the value that was saved with it. Only this module imports
openpyxl, which reads rows one by one.

A workbook is an archive, and each of its members is unpacked once beforehand, and counted. In
memory are the texts that its cells share, one row, and the sheet as text.
"""

import csv
import datetime as dt
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Self
from xml.etree.ElementTree import ParseError

import openpyxl

from data_prep.errors import DamagedArchiveError, DataError, TooLargeError, listed, shown
from data_prep.formats import delimited
from data_prep.formats.base import DataFile, Opened
from data_prep.limits import Limits, check_row_count
from data_prep.options import FormatOptions


class SheetNotFoundError(DataError):
    """A workbook has several sheets and none is asked for, or it does not have the one that is."""


_CHUNK = 1 << 18
# Of its members, unpacked: all of them; the texts that cells share; and any other that is read
# whole, such as the styles, of which objects are made that are many times as large.
_MOST_UNPACKED = 1 << 30
_MOST_SHARED = 128 << 20
_MOST_WHOLE = 4 << 20
_SHARED = "xl/sharedStrings.xml"
# Of a sheet as text, which is held in memory.
_MOST_TEXT = 256 << 20
# Excel's own.
_MOST_ROWS = 1 << 20
# What the tags around the values of a row may add.
_TAGS = 8
# What openpyxl, and what it reads with, raise on a damaged workbook: it checks little itself.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    EOFError,
    RecursionError,
    TypeError,
    UnboundLocalError,
    ValueError,
)


def opened(file: DataFile, options: FormatOptions) -> Opened:
    """Read a sheet.

    Raises:
        DamagedArchiveError: The workbook is not whole.
        SheetNotFoundError: No sheet is asked for and there are several, or not the one that is.
        TooLargeError: It unpacks to too much.
        DataError: Its first row is refused as that of a delimited file is.
    """
    try:
        with warnings.catch_warnings():
            # What it does not read of a workbook (macros, drawings) is nothing of a table.
            warnings.simplefilter("ignore")
            text = _text(file, options.sheet)
    except _DAMAGE as error:
        reason = shown(str(error).partition("\n")[0], limit=200)[1:-1]
        raise DamagedArchiveError(
            f"{shown(file.name)} is not a whole workbook ({type(error).__name__}: {reason})",
            remedy="Open it in Excel and save it again, or save the sheet as CSV.",
        ) from error
    # Numbers are numbers there, however Excel shows them.
    said = options._replace(delimiter=",", comment=None, decimal=None, thousands=None)
    return delimited.opened(_Sheet(file, text), said, named_rows=False)


class _Sheet:
    """A sheet as a file of CSV; see `DataFile` for the attributes."""

    binary = None
    is_records = False
    parts = ()

    def __init__(self, file: DataFile, text: bytes) -> None:
        self.name = file.name
        self.limits = file.limits
        self.starts = file.starts
        self._text = text

    def open(self, *, once: bool = False) -> io.BufferedIOBase:  # noqa: ARG002 (it is in memory)
        """Open it from the start."""
        return io.BytesIO(self._text)

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open it likewise."""
        return self.open(once=once)


def _text(file: DataFile, wanted: str | None) -> bytes:
    """Return a sheet as CSV: its first row tells how wide it is, and its empty rows are blank."""
    limits = file.limits
    with file.open() as stream:
        _measure(file.name, stream, limits)
        stream.seek(0)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        sheet = _chosen(book, wanted)
        found = io.BytesIO()
        most = min(_MOST_TEXT, limits.member_bytes)
        text = io.TextIOWrapper(found, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        width = 0
        for count, cells in enumerate(_rows(sheet, limits), 1):
            values = list(map(_written, cells))
            while values and not values[-1]:
                values.pop()
            width = width or len(values)
            if values:
                writer.writerow(values + [""] * (width - len(values)))
            else:
                text.write("\n")
            check_row_count(count - 1, min(limits.rows, _MOST_ROWS))
            if found.tell() > most:
                raise TooLargeError(
                    f"the sheet has more than {most:,} bytes as text",
                    remedy="Save it as CSV, or give a sample of its rows.",
                )
        return found.getvalue()


def _measure(name: str, stream: io.BufferedIOBase, limits: Limits) -> None:
    """Unpack every member and let it go.

    Raises:
        TooLargeError: It is more than is read.
    """
    whole = packed = 0
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            most = _MOST_WHOLE
            if entry.filename == _SHARED:
                most = _MOST_SHARED
            elif entry.filename.startswith("xl/worksheets/"):
                most = _MOST_UNPACKED
            size = 0
            packed += entry.compress_size
            with archive.open(entry) as member:
                while chunk := member.read(_CHUNK):
                    size += len(chunk)
                    whole += len(chunk)
                    ratio = whole > limits.ratio_from and whole > limits.ratio * max(packed, 1)
                    if ratio or size > most or whole > _MOST_UNPACKED:
                        raise TooLargeError(
                            f"{shown(entry.filename)} of {shown(name)} unpacks to more than is "
                            "read of it",
                            remedy="Save the sheet as CSV.",
                        )


def _chosen(book: Any, wanted: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    visible = [name for name, sheet in sheets.items() if sheet.sheet_state == "visible"]
    if wanted is None and len(visible) == 1:
        return sheets[visible[0]]
    if wanted is None or wanted not in sheets:
        raise SheetNotFoundError(
            f"the workbook has no sheet {shown(wanted)}"
            if wanted is not None
            else f"the workbook has {len(visible)} sheets",
            remedy=f"Set source.format.sheet to one of: {listed(list(sheets))}.",
        )
    return sheets[wanted]


class _Counted:
    """A stream that refuses to be read on and on within one row."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._most = most
        self.since_row = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        found: bytes = self._stream.read(size)
        self.since_row += len(found)
        if self.since_row > self._most:
            raise TooLargeError(
                f"a row of the sheet has more than {self._most:,} bytes",
                remedy="Save the sheet as CSV.",
            )
        return found


def _rows(sheet: Any, limits: Limits) -> Iterator[tuple[object, ...]]:
    """Yield the values of each row, those of empty rows included.

    Raises:
        TooLargeError: A row has far more bytes than a line may have.
    """
    # A workbook's own word on how large its sheets are is often wrong.
    sheet.reset_dimensions()
    # It has no other way to bound one row, all of whose cells become objects at once.
    source = _Counted(sheet._get_source(), max(_TAGS * limits.line_bytes, _CHUNK))
    sheet._get_source = lambda: source
    for row in sheet.iter_rows(values_only=True):
        source.since_row = 0
        yield row


def _written(value: object) -> str:
    """Return a cell's value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dt.datetime):
        # Excel's dates have no time of their own.
        return value.isoformat() if value.time() != dt.time() else value.date().isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return repr(value.total_seconds())
    if isinstance(value, float):
        return repr(value)
    return str(value)
