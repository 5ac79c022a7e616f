"""Parquet files of a few bytes that ask for gigabytes, and honest ones that are as small.

None of them takes much memory to make: the largest has two million rows.
"""

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.data_prep.formats.crafted import varint

_STRUCT = 12
# The start of 1,000 numbers in DELTA_BINARY_PACKED: blocks of 128 in four parts.
_THOUSAND = bytes([0x80, 0x01, 0x04, 0xE8, 0x07])


def written(table: pa.Table, **options: Any) -> bytes:
    """Write a table."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def repeated(text: str, rows: int) -> pa.Array:
    """A column that holds one text in every row, by its number in a dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def classes(rows: int) -> pa.Array:
    """A label of two classes."""
    codes = pa.array(np.arange(rows, dtype=np.int32) % 2)
    return pa.DictionaryArray.from_arrays(codes, pa.array(["Abnormal", "Normal"]))


def long_texts(length: int, rows: int = 65_536, **options: Any) -> bytes:
    """One text in every row, which a batch of rows would write out so many times."""
    return written(pa.table({"a": repeated("x" * length, rows), "class": classes(rows)}), **options)


def says_twice() -> bytes:
    """A file whose types are noted by Arrow, and whose writer is called as that note is."""
    found = long_texts(460_000)
    writer = found.rindex(b"parquet-cpp-arrow")
    return found[:writer] + b"ARROW:schema" + found[writer + 12 :]


def constants(rows: int) -> bytes:
    """An honest table of few different values: a thousand times larger than its file."""
    number = pa.array(np.arange(rows) % 7 / 2)
    same = pa.array(np.zeros(rows))
    return written(pa.table({"a": number, "b": same, "class": classes(rows)}), row_group_size=rows)


def one_page(rows: int = 2_000_000) -> bytes:
    """A column whose one page unpacks to many megabytes of zeros."""
    return written(
        pa.table({"a": pa.array(np.zeros(rows)), "class": classes(rows)}),
        use_dictionary=["class"],
        data_page_size=1 << 30,
        write_batch_size=rows,
        max_rows_per_page=rows,
        row_group_size=rows,
    )


def many_columns(columns: int, rows: int) -> bytes:
    """A batch of many rows has many values in each."""
    zeros = pa.nulls(rows, pa.float64())
    names = {f"c{at}": zeros for at in range(columns)}
    return written(pa.table({**names, "class": classes(rows)}), write_statistics=False)


def lengths(lie: int = 2**31 - 1, encoding: str = "DELTA_LENGTH_BYTE_ARRAY") -> bytes:
    """A page of a thousand texts that says it has the lengths of more: all are unpacked at once."""
    plain = io.BytesIO()
    pq.write_table(
        pa.table({"a": [f"v{n}" for n in range(1000)], "class": classes(1000)}),
        plain,
        compression="none",
        use_dictionary=["class"],
        column_encoding={"a": encoding},
        write_statistics=False,
    )
    found = bytearray(plain.getvalue())
    at = found.index(_THOUSAND)
    packed = varint(1 << 30) + varint(4) + varint(lie) + b"\0" + b"\0\0\0\0\0" * 3
    found[at : at + len(packed)] = packed
    return bytes(found)


def dictionary_of(values: int) -> bytes:
    """A dictionary that says it has so many texts: a place is made for each."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": ["v", "w"] * 20, "class": classes(40)}), sink, compression="none")
    found = sink.getvalue()
    # Of the first page's header: a dictionary's own part, its number of values (2) and encoding.
    before = b"\x4c\x15\x04\x15\x00"
    at = found.index(before)
    return found[:at] + b"\x4c\x15" + varint(values * 2) + found[at + 3 :]


def chunks(number: int) -> bytes:
    """A footer of that many columns, each of three bytes in the file and 700 in memory."""
    root, leaf = b"\x48\x04root\x15\x02\x00", b"\x15\x02\x25\x00\x18\x01a\x00"
    group = b"\x19" + _list(_STRUCT, number) + b"\x26\x00\x00" * number + b"\x16\x00\x16\x50\x00"
    meta = b"\x15\x02\x19" + _list(_STRUCT, 2) + root + leaf + b"\x16\x50\x19"
    meta += _list(_STRUCT, 1) + group + b"\x00"
    return b"PAR1" + meta + struct.pack("<I", len(meta)) + b"PAR1"


def nested(depth: int) -> bytes:
    """A schema of groups in groups."""
    groups = b"\x35\x02\x18\x01g\x15\x02\x00" * depth
    root, leaf = b"\x48\x04root\x15\x02\x00", b"\x15\x02\x25\x00\x18\x01a\x00"
    meta = b"\x15\x02\x19" + _list(_STRUCT, depth + 2) + root + groups + leaf
    meta += b"\x16\x02\x19" + _list(_STRUCT, 0) + b"\x00"
    return b"PAR1" + meta + struct.pack("<I", len(meta)) + b"PAR1"


def _list(kind: int, size: int) -> bytes:
    return bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + varint(size)


# By what becomes of them: the name of the refusal, or None where they are read.
BOMBS: Mapping[str, tuple[Callable[[], bytes], str | None]] = {
    "a text of half a megabyte in every row": (lambda: long_texts(460_000), "TooLargeError"),
    "a text that was no category": (
        lambda: long_texts(460_000, store_schema=False),
        "TooLargeError",
    ),
    "a text whose type is said twice": (says_twice, "DamagedArchiveError"),
    "a text of two megabytes in every row": (lambda: long_texts(2 << 20), "LineTooLongError"),
    "lengths that are not there": (lengths, "DamagedArchiveError"),
    "prefixes that are not there": (
        lambda: lengths(encoding="DELTA_BYTE_ARRAY"),
        "DamagedArchiveError",
    ),
    "a dictionary that is not there": (lambda: dictionary_of(2**31 - 1), "DamagedArchiveError"),
    "a footer of many columns": (lambda: chunks(300_000), "DamagedArchiveError"),
    "groups in groups": (lambda: nested(100_000), "DamagedArchiveError"),
    "rows of constants": (lambda: constants(300_000), None),
    "a page of many megabytes": (one_page, None),
    "many columns": (lambda: many_columns(300, 5_000), None),
}


def small() -> Iterator[bytes]:
    """Yield those that a fuzzer takes whole: two kilobytes at most."""
    yield long_texts(3000, 40)
    yield long_texts(5000, 40)
    yield dictionary_of(2**31 - 1)
    yield chunks(300)
    yield nested(20)
    yield nested(3)
    yield constants(40)
