"""Files made by hand, to be refused or read: by format, with what the refusal is to say."""

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from data_prep import DataError, Limits

HEAD = "@relation r\n@attribute a numeric\n@attribute b real\n@attribute class {Abnormal,Normal}\n"
ROWS = "".join(f"{row},{row}.5,{('Abnormal', 'Normal')[row % 2]}\n" for row in range(40))
ARFF = f"{HEAD}@data\n{ROWS}"
CSV = "a,b,class\n" + ROWS
SMALL = Limits(member_bytes=10_000, line_bytes=1000, ratio_from=1000, directory_bytes=2000)


class Bad(NamedTuple):
    """An input, how it is refused, and what the message must say."""

    content: bytes
    name: str
    error: type[DataError]
    says: tuple[str, ...]
    options: Mapping[str, Any] = MappingProxyType({})


def arff(rows: str, error: type[DataError], *says: str, **options: Any) -> Bad:
    """Rows after a good ARFF header and two good rows; the first of them is line 8."""
    text = f"{HEAD}@data\n1,2,Abnormal\n3,4,Normal\n{rows}"
    return Bad(text.encode(), "x.arff", error, says, options)


def header(lines: str, error: type[DataError], *says: str, **options: Any) -> Bad:
    """An ARFF header of one's own, before good rows."""
    return Bad(f"{lines}\n@data\n{ROWS}".encode(), "x.arff", error, says, options)


def csv(text: str, error: type[DataError], *says: str, **options: Any) -> Bad:
    """A CSV file."""
    return Bad(text.encode(), "x.csv", error, says, options)


def numbers(last: str, error: type[DataError], *says: str, **options: Any) -> Bad:
    """A CSV file whose label is a number, and a last row; that one is line 42."""
    rows = "".join(f"{row},{row % 7},{row % 5 + 1.5}\n" for row in range(40))
    options = {"task": "regression", "label": "y", **options}
    return Bad(f"a,b,y\n{rows}{last}\n".encode(), "x.csv", error, says, options)


def zipped(*members: tuple[str | zipfile.ZipInfo, str | bytes], **options: Any) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", **options) as archive:
        warnings.simplefilter("ignore")  # a duplicate name
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def archive(content: bytes, error: type[DataError], *says: str, **options: Any) -> Bad:
    """A zip file that is refused."""
    return Bad(content, "x.zip", error, says, options)


def link() -> zipfile.ZipInfo:
    """A zip entry that is a symbolic link."""
    entry = zipfile.ZipInfo("data.arff")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted() -> bytes:
    """A zip file whose member says it is encrypted."""
    content = bytearray(zipped(("data.arff", ARFF)))
    content[6] |= 1  # general purpose flags, local header
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def altered() -> bytes:
    """A stored member whose bytes no longer have their checksum."""
    return zipped(("data.arff", ARFF)).replace(b"3,3.5,Normal", b"3,3.6,Normal")


def method(number: int) -> bytes:
    """A zip file whose member claims a compression method."""
    content = bytearray(zipped(("data.arff", ARFF)))
    at = content.index(b"PK\x01\x02")
    content[8:10] = content[at + 10 : at + 12] = struct.pack("<H", number)
    return bytes(content)


def parquet(rows: int = 40, **columns: list[Any]) -> bytes:
    """A Parquet file of a, b and class."""
    table = {
        "a": [row * 0.5 for row in range(rows)],
        "b": list(range(rows)),
        "class": [("Abnormal", "Normal")[row % 2] for row in range(rows)],
        **columns,
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


DEFLATED = {"compression": zipfile.ZIP_DEFLATED}
LONG_NUMBER = "9" * 400
