"""A reader of Parquet: its columns become the text that the other readers check.

Numbers are written as the shortest decimals that read back as the same number, so nothing is lost
on the way. Only this module and the engine for large files import pyarrow.
"""

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from data_prep.errors import (
    DamagedArchiveError,
    DataError,
    NoRowsError,
    UnsupportedTypeError,
    shown,
)
from data_prep.formats.base import DataFile, Opened
from data_prep.formats.delimited import DelimitedRows

_ROWS_AT_ONCE = 65_536
_WRITE = pyarrow.csv.WriteOptions(include_header=False, delimiter=",")


def opened(file: DataFile) -> Opened:
    """Read the schema of a Parquet file.

    Raises:
        DamagedArchiveError: The file is not whole.
        UnsupportedTypeError: A column holds something else than numbers, truth values and text.
        NoRowsError: There is no row or no column.
    """
    with _Guard(file.name):
        opened = pq.ParquetFile(pa.PythonFile(file.open(), mode="r"))
        schema, rows = opened.schema_arrow, opened.metadata.num_rows
    if not rows or not schema.names:
        raise NoRowsError(f"{shown(file.name)} has no rows", remedy="Add rows of data.")
    for field in schema:
        if not _readable(field.type):
            raise UnsupportedTypeError(
                f"the column is of type {field.type}",
                remedy="Write it as numbers or text, or remove it.",
                column=field.name,
            )
    floats = frozenset(
        field.name
        for field in schema
        if pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
    )

    def open_lines() -> io.BufferedReader:
        return io.BufferedReader(_Stream(_pieces(file)), _ROWS_AT_ONCE)

    reader = DelimitedRows(tuple(schema.names), 0, ",", floats)
    return Opened(reader, open_lines, open_lines, newline="")


def _pieces(file: DataFile) -> Iterator[bytes]:
    """Yield the rows as CSV without a header."""
    with _Guard(file.name):
        opened = pq.ParquetFile(pa.PythonFile(file.open(), mode="r"))
        for batch in opened.iter_batches(_ROWS_AT_ONCE):
            columns = [_writable(column) for column in batch.columns]
            sink = io.BytesIO()
            names = [str(at) for at in range(len(columns))]
            pyarrow.csv.write_csv(pa.table(columns, names), sink, _WRITE)
            yield sink.getvalue()


class _Guard:
    """Turns what pyarrow raises on a damaged file into a refusal."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # ArrowInvalid is a ValueError; thrift's and the codecs' failures arrive as OSError.
        if isinstance(error, (pa.ArrowException, OSError, ValueError)) and not isinstance(
            error, DataError
        ):
            reason = str(error).partition("\n")[0]
            raise DamagedArchiveError(
                f"{shown(self._name)} is not a whole Parquet file ({reason})",
                remedy="Download the file again, or write it again.",
            ) from error


class _Stream(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _readable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _readable(kind.value_type)
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def _writable(column: pa.Array) -> pa.Array:
    """Return the column in a type that is written as a number or as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _writable(column.cast(kind.value_type))
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8())
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_null(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        # An empty field is what a missing value looks like in every format.
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return column
