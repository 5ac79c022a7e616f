"""How much memory the pages of a Parquet file take, told before one of them is decoded.

A page's header says how many bytes and values it has once it is unpacked, and readers believe it:
a few bytes may ask for gigabytes. So every header is read beforehand, and what contradicts itself
is refused as damaged. What is only large is refused beyond a bound, or read fewer rows at a time.

Source: https://github.com/apache/parquet-format (parquet.thrift, Encodings.md)
"""

import io
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from data_prep.errors import TooLargeError, shown
from data_prep.formats.footer import BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, Chunk, Footer
from data_prep.formats.thrift import BOOL, I32, Compact, Kind, Struct

# What a batch of rows takes, about, before it is written as text.
_BATCH_BYTES = 64 << 20
_MOST_ROWS = 65_536
# A batch takes a tenth of a millisecond at least, and as long as its dictionaries take to be made
# again, which pyarrow does for each: about 16 GB a second.
_MOST_BATCHES = 1 << 18
_MOST_DICTIONARY_BYTES = 1 << 40
# Of a value of fixed width, at most (a decimal of 256 bits).
_WIDEST = 32
_HEADER_BYTES = 4096
_LARGEST_HEADER = 1 << 20
# A row group of more compressed bytes is read piece by piece: each column so many bytes at a time.
_WHOLE_GROUP = 64 << 20
_BUFFER_BYTES = 1 << 17
# Of a dictionary's value: where it begins and ends, and for text its place among the others.
_PLACES = {BYTE_ARRAY: 24, FIXED_LEN_BYTE_ARRAY: 8}

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
        dictionaries: The columns whose repeated values stay numbers until they are written.
        buffer_bytes: What is read of a column at once; 0 for all of it in a row group.
    """

    rows_at_once: int
    dictionaries: list[str]
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
        dictionary: Bytes of its dictionary; 0 where none of its values are numbers of one.
    """

    held: int
    passing: int
    width: int
    dictionary: int


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
    rows_at_once, dictionaries, buffer_bytes, dictionary_bytes = _MOST_ROWS, set(), 0, 0
    size = stream.seek(0, io.SEEK_END)
    for number, group in enumerate(footer.groups, 1):
        held = width = passing = made_again = 0
        is_whole = sum(chunk.packed for chunk in group.chunks) <= _WHOLE_GROUP
        for chunk in group.chunks:
            found = _column(stream, chunk, group.rows, size, most - held)
            if found.dictionary and chunk.leaf.kind == BYTE_ARRAY:
                dictionaries.add(chunk.leaf.name)
            held += found.held + (chunk.packed if is_whole else _BUFFER_BYTES)
            passing = max(passing, found.passing)
            made_again += found.dictionary
            width += found.width
            if held + passing > most:
                raise TooLargeError(
                    f"row group {number} of {shown(name)} unpacks to more than {most:,} bytes "
                    "at one time",
                    remedy="Write it with smaller pages (a megabyte is usual) or dictionaries, or "
                    "give it as CSV.",
                )
        rows_at_once = min(rows_at_once, max(1, _BATCH_BYTES // max(width, 1)))
        dictionary_bytes = max(dictionary_bytes, made_again)
        if not is_whole:
            buffer_bytes = _BUFFER_BYTES
    batches = -(-footer.rows // rows_at_once)
    # What is read as one batch is never made again.
    if batches > _MOST_BATCHES or (batches - 1) * dictionary_bytes > _MOST_DICTIONARY_BYTES:
        raise TooLargeError(
            f"{shown(name)} has values so long that it is read in {batches:,} pieces, which takes "
            "too long",
            remedy="Write it with smaller pages (a megabyte is usual), or drop long texts.",
        )
    return Reading(rows_at_once, sorted(dictionaries), buffer_bytes)


def _column(stream: io.BufferedIOBase, chunk: Chunk, rows: int, size: int, most: int) -> _Column:
    """Measure a column of one row group, up to the first page that takes more than `most` bytes."""
    is_text = chunk.leaf.kind == BYTE_ARRAY
    page_held = dictionary_held = passing = values = 0
    width = _WIDEST
    if chunk.leaf.kind == FIXED_LEN_BYTE_ARRAY and not 0 < chunk.leaf.length <= _WIDEST:
        raise ValueError(f"a decimal has {chunk.leaf.length:,} bytes")
    for page in _pages(stream, chunk, rows, size):
        if page.kind == _DICTIONARY:
            # Four bytes of each text's length, or an eighth of a byte of a truth value.
            if page.values > page.unpacked * (1 if is_text else 8) // (4 if is_text else 1):
                raise ValueError("a dictionary has more values than bytes for them")
            # It is copied once for the values, and a place is kept for each that is no number.
            places = _PLACES.get(chunk.leaf.kind, 0) * page.values
            dictionary_held = max(dictionary_held, 2 * page.unpacked + places)
            passing = max(passing, page.packed + page.unpacked)
            if is_text and chunk.leaf.is_decimal:
                # These are written out as they are read, and any may be the whole dictionary.
                width = max(width, page.unpacked)
            continue
        values += page.values
        held = page.unpacked
        passing = max(passing, page.packed)
        if page.encoding in (_DELTA_LENGTHS, _DELTA_STRINGS):
            # The lengths of all of its values are unpacked with it.
            held += 8 * page.values
            if held + page.packed > most:
                return _Column(held, page.packed, width, dictionary_held)
            _check_delta(stream, chunk, page)
        page_held = max(page_held, held)
        if is_text:
            # Of a text that is stored as what it shares with the one before, any may be as long as
            # all that the page holds.
            share = 1 if page.encoding == _DELTA_STRINGS else max(page.values, 1)
            width = max(width, -(-page.unpacked // share))
    if values != rows:
        raise ValueError(f"a column has {values} values in {rows} rows")
    return _Column(page_held + dictionary_held, passing, width, dictionary_held)


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
    codec = pa.Codec({"LZ4": "lz4_raw"}.get(chunk.codec, chunk.codec.lower()))
    return memoryview(codec.decompress(data, size, asbytes=True))


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
