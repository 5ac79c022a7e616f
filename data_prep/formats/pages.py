"""How much memory the pages of a Parquet file take, told before one of them is decoded.

A page's header says how many bytes and values it has once it is unpacked, and readers believe it:
a few bytes may ask for gigabytes. So every header is read beforehand, and what contradicts itself
is refused as damaged. What is only large is refused beyond a bound, or read fewer rows at a time.

Source: https://github.com/apache/parquet-format (parquet.thrift, Encodings.md)
"""

import io
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from data_prep.errors import TooLargeError, shown
from data_prep.formats.footer import BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, Chunk, Footer
from data_prep.formats.thrift import BOOL, I32, Compact, Kind, Struct

# What a batch of rows takes, about, before it is written as text.
_BATCH_BYTES = 64 << 20
_MOST_ROWS = 65_536
# A batch takes a tenth of a millisecond at least, and a text of a dictionary that is measured a
# thousandth of that.
_MOST_BATCHES = 1 << 18
_MOST_TEXTS = 1 << 30
# Of a value of fixed width, at most (a decimal of 256 bits).
_WIDEST = 32
_HEADER_BYTES = 4096
_LARGEST_HEADER = 1 << 20
# A row group of more compressed bytes is read piece by piece: each column so many bytes at a time.
_WHOLE_GROUP = 64 << 20
_BUFFER_BYTES = 1 << 17
# Of a dictionary's value: where it begins and how long it is, for text twice.
_PLACES = {BYTE_ARRAY: 24, FIXED_LEN_BYTE_ARRAY: 8}
# Before a block of LZ4 in Hadoop's manner: its bytes unpacked and packed.
_TWO_LENGTHS = struct.Struct(">II")

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_DELTA_LENGTHS, _DELTA_STRINGS = 6, 7
_RLE, _BIT_PACKED = 3, 4
# PageHeader of parquet.thrift, and what it has for each kind of page.
_PARTS: dict[int, int] = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}
_HEADER: Mapping[int, Kind] = {
    **dict.fromkeys((1, 2, 3), I32),
    5: dict.fromkeys((1, 2, 3, 4), I32),
    7: dict.fromkeys((1, 2), I32),
    8: {**dict.fromkeys((1, 2, 3, 4, 5, 6), I32), 7: BOOL},
}


class Reading(NamedTuple):
    """How a file is read within the bound.

    Attributes:
        rows_at_once: So many that a batch of them takes about 64 MiB.
        buffer_bytes: What is read of a column at once; 0 for all of it in a row group.
    """

    rows_at_once: int
    buffer_bytes: int


class _Page(NamedTuple):
    kind: int
    values: int
    encoding: int
    unpacked: int
    packed: int
    start: int
    header: Struct


class _Column(NamedTuple):
    """What a column of one row group takes.

    Attributes:
        held: Bytes, as long as it is read: its largest page and its dictionary, unpacked.
        passing: Bytes more while one of its pages is unpacked. Columns do so one after the other.
        width: Bytes of a value, at most on average over a page.
        texts: How many its dictionary has.
    """

    held: int
    passing: int
    width: int
    texts: int


def measured(name: str, stream: io.BufferedIOBase, footer: Footer, most: int) -> Reading:
    """Read the header of every page, and say how the file is read.

    Args:
        name: The file's.
        stream: The file, to be read from anywhere.
        footer: Its footer.
        most: Bytes that may be unpacked at one time.

    Raises:
        TooLargeError: There are more.
        ValueError: A header contradicts another, or the footer.
        IndexError: A header is cut.
    """
    rows_at_once, buffer_bytes, texts = _MOST_ROWS, 0, 0
    size = stream.seek(0, io.SEEK_END)
    for number, group in enumerate(footer.groups, 1):
        held = width = passing = 0
        is_whole = sum(chunk.packed for chunk in group.chunks) <= _WHOLE_GROUP
        for chunk in group.chunks:
            found = _column(stream, chunk, group.rows, size, most - held)
            held += found.held + (chunk.packed if is_whole else _BUFFER_BYTES)
            passing = max(passing, found.passing)
            texts += found.texts
            width += found.width
            if held + passing > most:
                raise TooLargeError(
                    f"row group {number} of {shown(name)} unpacks to more than {most:,} bytes "
                    "at one time",
                    remedy="Write it with smaller pages (a megabyte is usual) or dictionaries, or "
                    "give it as CSV.",
                )
            if texts > _MOST_TEXTS:
                raise TooLargeError(
                    f"the dictionaries of {shown(name)} have more than {_MOST_TEXTS:,} texts, "
                    "which take too long",
                    remedy="Write it without dictionaries, or give it as CSV.",
                )
        rows_at_once = min(rows_at_once, max(1, _BATCH_BYTES // max(width, 1)))
        if not is_whole:
            buffer_bytes = _BUFFER_BYTES
    batches = -(-footer.rows // rows_at_once)
    if batches > _MOST_BATCHES:
        raise TooLargeError(
            f"{shown(name)} has values so long that it is read in {batches:,} pieces, which takes "
            "too long",
            remedy="Write it with smaller pages (a megabyte is usual), or drop long texts.",
        )
    return Reading(rows_at_once, buffer_bytes)


def _column(stream: io.BufferedIOBase, chunk: Chunk, rows: int, size: int, most: int) -> _Column:
    """Measure a column of one row group, up to the first page that takes more than `most` bytes."""
    is_text = chunk.leaf.kind == BYTE_ARRAY
    page_held = dictionary_held = passing = values = texts = 0
    width = _WIDEST
    if chunk.leaf.kind == FIXED_LEN_BYTE_ARRAY and not 0 < chunk.leaf.length <= _WIDEST:
        raise ValueError(f"a decimal has {chunk.leaf.length:,} bytes")
    for page in _pages(stream, chunk, rows, size):
        if page.kind == _DICTIONARY:
            dictionary_held = max(dictionary_held, _dictionary_held(chunk, page))
            passing = max(passing, page.packed + page.unpacked)
            if is_text and dictionary_held + passing <= most:
                texts += page.values
                # Each row may be the longest of them.
                width = max(width, _longest(stream, chunk, page))
            continue
        values += page.values
        held = page.unpacked
        passing = max(passing, page.packed)
        if page.encoding in (_DELTA_LENGTHS, _DELTA_STRINGS):
            # The lengths of all of its values are unpacked with it.
            held += 8 * page.values
            if held + page.packed > most:
                return _Column(held, page.packed, width, texts)
            _check_delta(stream, chunk, page)
        page_held = max(page_held, held)
        if is_text:
            # Of a text that is stored as what it shares with the one before, any may be as long as
            # all that the page holds.
            share = 1 if page.encoding == _DELTA_STRINGS else max(page.values, 1)
            width = max(width, -(-page.unpacked // share))
    if values != rows:
        raise ValueError(f"a column has {values} values in {rows} rows")
    return _Column(page_held + dictionary_held, passing, width, texts)


def _pages(stream: io.BufferedIOBase, chunk: Chunk, rows: int, size: int) -> Iterator[_Page]:
    """Yield the pages of a column of one row group by their headers."""
    # Whoever reads the column goes on until it has so many values.
    if chunk.values != rows:
        raise ValueError(f"a column has {chunk.values} values in {rows} rows")
    if not rows:
        # No page of it is read, and none need be there.
        return
    at = chunk.start
    if 0 < chunk.dictionary < at:
        at = chunk.dictionary
    end = at + chunk.packed
    if not 0 <= at <= end <= size:
        raise ValueError("a column lies outside of the file")
    values = 0
    while at < end:
        page = _page(stream, at, end)
        at = page.start + page.packed
        if page.kind in (_DATA, _DATA_2):
            values += page.values
        if at > end or values > rows or min(page.values, page.packed, page.unpacked) < 0:
            raise ValueError("a page contradicts its column")
        if page.kind in (_DATA, _DATA_2, _DICTIONARY):
            yield page


def _page(stream: io.BufferedIOBase, at: int, end: int) -> _Page:
    length = _HEADER_BYTES
    while (found := _header(stream, at, min(length, end - at))) is None:
        if length >= min(_LARGEST_HEADER, end - at):
            raise ValueError("a page's header is malformed")
        length *= 16
    header, start = found
    kind = _number(header, 1)
    inner = _part(header)
    encoding = _number(inner, 4 if kind == _DATA_2 else 2) if inner else 0
    return _Page(
        kind,
        _number(inner, 1) if inner else 0,
        encoding,
        _number(header, 2),
        _number(header, 3),
        start,
        header,
    )


def _header(stream: io.BufferedIOBase, at: int, length: int) -> tuple[Struct, int] | None:
    """Read a page's header and where its data begin; None where so many bytes do not hold it."""
    stream.seek(at)
    data = stream.read(length)
    reader = Compact(data)
    try:
        header = reader.struct(_HEADER)
    except (IndexError, ValueError):
        return None
    return (header, at + reader.at) if reader.at <= len(data) else None


def _part(header: Struct) -> Struct:
    """Return what a page's header has for its kind of page."""
    found = header.get(_PARTS.get(_number(header, 1), 0))
    return found if isinstance(found, dict) else {}


def _number(found: Struct, field: int) -> int:
    """Return a number of a header; one that contradicts any column where there is none."""
    value = found.get(field)
    return value if isinstance(value, int) else -1


def _dictionary_held(chunk: Chunk, page: _Page) -> int:
    """Return what a dictionary takes as long as its column is read."""
    is_text = chunk.leaf.kind == BYTE_ARRAY
    # Four bytes of each text's length, or an eighth of a byte of a truth value.
    if page.values > page.unpacked * (1 if is_text else 8) // (4 if is_text else 1):
        raise ValueError("a dictionary has more values than bytes for them")
    # It is copied once for the values, and a place is kept for each that is no number.
    return 2 * page.unpacked + _PLACES.get(chunk.leaf.kind, 0) * page.values


def _longest(stream: io.BufferedIOBase, chunk: Chunk, page: _Page) -> int:
    """Return the bytes of a dictionary's longest text."""
    if not page.values:
        return 0
    stream.seek(page.start)
    text = _unpacked(memoryview(stream.read(page.packed)), chunk, page.unpacked)
    at = longest = 0
    length_at = struct.Struct("<I").unpack_from
    try:
        # Millions of times: as little as is possible for each.
        for _ in range(page.values):
            (length,) = length_at(text, at)
            if length > longest:
                longest = length
            at += 4 + length
    except struct.error as error:
        raise ValueError("a dictionary is cut") from error
    if at > len(text):
        raise ValueError("a dictionary is cut")
    return longest


def _check_delta(stream: io.BufferedIOBase, chunk: Chunk, page: _Page) -> None:
    """Refuse a page whose packed lengths are more than its values: all of them are unpacked."""
    stream.seek(page.start)
    data = memoryview(stream.read(page.packed))
    if page.kind == _DATA_2:
        inner = _part(page.header)
        before = _number(inner, 5) + _number(inner, 6)
        if min(_number(inner, 5), _number(inner, 6)) < 0 or before > page.unpacked:
            raise ValueError("a page's levels are longer than the page")
        packed, unpacked = data[before:], page.unpacked - before
        text = _unpacked(packed, chunk, unpacked) if inner.get(7, 1) else packed
    else:
        text = _unpacked(data, chunk, page.unpacked)
        text = text[_levels_bytes(text, page, chunk.leaf.definition) :]
    for _ in range(2 if page.encoding == _DELTA_STRINGS else 1):
        count, length = _delta_lengths(text)
        if count > page.values:
            raise ValueError("a page holds more lengths than values")
        text = text[length:]


def _levels_bytes(text: "memoryview[int]", page: _Page, levels: int) -> int:
    """Return how many bytes of a page tell which values are missing."""
    if not levels:
        return 0
    encoding = _number(_part(page.header), 3)
    if encoding == _BIT_PACKED:
        return -(-page.values * levels.bit_length() // 8)
    if encoding != _RLE:
        raise ValueError(f"levels are never in encoding {encoding}")
    return 4 + int.from_bytes(text[:4], "little")


def _unpacked(data: "memoryview[int]", chunk: Chunk, size: int) -> "memoryview[int]":
    if chunk.codec == "UNCOMPRESSED":
        return data
    if chunk.codec == "LZ4" and (found := _hadoop(data, size)) is not None:
        return found
    codec = pa.Codec({"LZ4": "lz4_raw"}.get(chunk.codec, chunk.codec.lower()))
    return memoryview(codec.decompress(data, size, asbytes=True))


def _hadoop(data: "memoryview[int]", size: int) -> "memoryview[int] | None":
    """Unpack what Hadoop packed: blocks of LZ4 behind two lengths; None where it did not.

    Source: https://github.com/apache/parquet-format/blob/master/Compression.md (LZ4).
    """
    codec, at, left, found = pa.Codec("lz4_raw"), 0, size, []
    try:
        while at < len(data):
            unpacked, packed = _TWO_LENGTHS.unpack_from(data, at)
            at += _TWO_LENGTHS.size
            left -= unpacked
            if left < 0 or packed > len(data) - at:
                return None
            found.append(codec.decompress(data[at : at + packed], unpacked, asbytes=True))
            at += packed
    except (struct.error, OSError):
        return None
    return memoryview(b"".join(found)) if not left else None


def _delta_lengths(text: "memoryview[int]") -> tuple[int, int]:
    """Return how many numbers there are in DELTA_BINARY_PACKED, and in how many bytes."""
    reader = Compact(text)
    block, parts, count = reader.varint(), reader.varint(), reader.varint()
    reader.varint()
    if not block or not parts or block % parts or parts > len(text):
        raise ValueError("a page's lengths are malformed")
    left = count - 1
    while left > 0:
        reader.varint()
        widths = text[reader.at : reader.at + parts]
        reader.at += parts
        for width in widths:
            if left <= 0:
                break
            reader.at += width * (block // parts) // 8
            left -= block // parts
        if reader.at > len(text):
            raise ValueError("a page's lengths are cut")
    return count, reader.at
