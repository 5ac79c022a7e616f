"""A reader of Parquet: its columns become the text that the other readers check.

Numbers are written as the shortest decimals that read back as the same number, so nothing is lost
on the way. Only this module, `pages` and the engine for large files import pyarrow.

However few bytes a file has, reading it takes a bounded memory: what its pages unpack to is known
beforehand (`pages`), rows are read some at a time and written out a piece at a time. What they come
to in all is held to the limits of a file of text.
"""

import io
import json
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_prep.errors import (
    DamagedArchiveError,
    DataError,
    LineTooLongError,
    NoRowsError,
    TooLargeError,
    UnsupportedTypeError,
    shown,
)
from data_prep.formats import footer, pages
from data_prep.formats.base import DataFile, Opened, Pulled
from data_prep.formats.delimited import DelimitedRows
from data_prep.limits import check_row_count
from data_prep.options import FormatOptions

# Bytes of text that are written at once, and read at once by who parses it.
_PIECE_BYTES = 8 << 20
_READ_BYTES = 65_536
# Columns below columns are not read, and pyarrow follows them as deep as they go.
_SAFELY: dict[str, Any] = {"pre_buffer": False, "schema_depth_limit": 16}
_WRITE = pyarrow.csv.WriteOptions(include_header=False, delimiter=",")


def opened(file: DataFile, options: FormatOptions) -> Opened:
    """Read the schema of a Parquet file.

    Raises:
        DamagedArchiveError: The file is not whole.
        UnsupportedTypeError: A column holds something else than numbers, truth values and text.
        NoRowsError: There is no row or no column.
    """
    limits = file.limits
    with _Guard(file.name):
        stream = file.open()
        described = footer.read(file.name, stream, limits.decoded_bytes)
        schema = pq.ParquetFile(pa.PythonFile(stream, mode="r"), **_SAFELY).schema_arrow
    if not described.rows or not schema.names:
        raise NoRowsError(f"{shown(file.name)} has no rows", remedy="Add rows of data.")
    unreadable = {
        field.name: UnsupportedTypeError(
            f"the column is of type {shown(str(field.type))[1:-1]}",
            remedy="Write it as numbers or text, or name it in source.drop.",
            column=field.name,
        )
        for field in schema
        if not _readable(field.type)
    }
    check_row_count(described.rows, limits.rows)
    with _Guard(file.name):
        # What is not read need not be understood.
        described = described.without(unreadable)
        reading = pages.measured(file.name, stream, described, limits.decoded_bytes)
    floats = frozenset(
        field.name
        for field in schema
        if pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
    )

    def open_lines() -> io.BufferedReader:
        return io.BufferedReader(Pulled(_pieces(file, schema, unreadable, reading)), _READ_BYTES)

    reader = DelimitedRows(
        tuple(schema.names),
        0,
        ",",
        floats,
        # Parquet has nulls: every text is one, unless it is said to stand for none.
        missing=frozenset(options.na_values),
        index=_index_of(schema),
        unreadable=unreadable,
    )
    return Opened(reader, open_lines, open_lines, newline="")


def _index_of(schema: pa.Schema) -> frozenset[str]:
    """Return the columns in which pandas has written the index of its rows.

    Source: https://pandas.pydata.org/docs/development/developer.html (storing pandas objects).
    """
    try:
        described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        named = described.get("index_columns", [])
        return frozenset(name for name in named if isinstance(name, str) and name in schema.names)
    except (ValueError, RecursionError, AttributeError, TypeError):
        # Whoever wrote this, the columns are those of the schema.
        return frozenset()


def _batches(
    stream: io.BufferedIOBase, reading: pages.Reading, columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows; no column is a dictionary, whatever it was written from."""
    file = pq.ParquetFile(
        pa.PythonFile(stream, mode="r"),
        metadata=pq.read_metadata(io.BytesIO(footer.without_arrow(stream))),
        buffer_size=reading.buffer_bytes,
        **_SAFELY,
    )
    if any(pa.types.is_dictionary(kind) for kind in file.schema_arrow.types):
        raise ValueError("it says twice of what types its columns are")
    yield from file.iter_batches(reading.rows_at_once, columns=columns)


def _pieces(
    file: DataFile, schema: pa.Schema, unreadable: Collection[str], reading: pages.Reading
) -> Iterator[bytes]:
    """Yield the rows as CSV without a header, some megabytes at a time."""
    rows = size = 0
    read = [name for name in schema.names if name not in unreadable] if unreadable else None
    with _Guard(file.name):
        for batch in _batches(file.open(), reading, read):
            for part in _parts(batch, rows, file.limits.line_bytes):
                found = map(_writable, part.columns)
                empty = pa.nulls(part.num_rows, pa.string()) if unreadable else None
                columns = [empty if name in unreadable else next(found) for name in schema.names]
                sink = io.BytesIO()
                names = [str(at) for at in range(len(columns))]
                pyarrow.csv.write_csv(pa.table(columns, names), sink, _WRITE)
                piece = sink.getvalue()
                size += len(piece)
                if size > file.limits.member_bytes:
                    raise TooLargeError(
                        f"the rows of {shown(file.name)} are larger than "
                        f"{file.limits.member_bytes:,} bytes as text",
                        remedy="Give a smaller file: sample its rows, or drop columns.",
                    )
                yield piece
            rows += batch.num_rows


def _parts(batch: pa.RecordBatch, before: int, longest: int) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts of which each is some megabytes of text.

    Args:
        batch: Rows of a file.
        before: How many rows came before it.
        longest: Most bytes of a row.

    Raises:
        LineTooLongError: A row has more.
    """
    texts = [column for column in batch.columns if _is_text(column.type)]
    if not texts:
        yield batch
        return
    lengths: NDArray[np.int64] = sum(map(_lengths, texts), np.zeros(batch.num_rows, np.int64))
    if len(lengths) and lengths.max() > longest:
        raise LineTooLongError(
            f"the row has more than {longest:,} bytes of text",
            remedy="Drop columns of long text.",
            line=before + int((lengths > longest).argmax()) + 1,
        )
    ends = np.cumsum(lengths)
    start = 0
    while start < batch.num_rows:
        done = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + _PIECE_BYTES, side="right")))
        yield batch.slice(start, end - start)
        start = end


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    """Return how many bytes of text each value has."""
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    lengths = pc.fill_null(pc.binary_length(column), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)


class _Guard:
    """Turns what pyarrow raises on a damaged file into a refusal."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # ArrowInvalid is a ValueError; thrift's and the codecs' failures arrive as OSError.
        if isinstance(
            error, (pa.ArrowException, OSError, ValueError, IndexError)
        ) and not isinstance(error, DataError):
            reason = shown(str(error).partition("\n")[0], limit=200)[1:-1]
            raise DamagedArchiveError(
                f"{shown(self._name)} is not a whole Parquet file ({reason})",
                remedy="Download the file again, or write it again.",
            ) from error


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
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8())
    if pa.types.is_decimal(kind):
        # As written: a float would merge long ones, and name the class 1.10 as 1.1.
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_null(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        # An empty field is what a missing value looks like in every format.
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return column
