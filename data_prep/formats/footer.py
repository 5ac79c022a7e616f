"""The footer of a Parquet file, read before pyarrow reads it.

Where a footer contradicts itself, pyarrow's objects end the whole process, so it is refused here.

Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import io
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, cast

from data_prep.errors import TooLargeError, shown
from data_prep.formats.thrift import BINARY, I32, I64, Compact, Kind, Struct, TooManyError

BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY = 6, 7
# A struct of the footer takes up to 700 bytes in memory and may be 3 in the file.
_STRUCT_BYTES = 700
# Each has about seven fields and elements; those above it take time and no memory.
_PART_BYTES = 100
# Below this size even a footer of nothing but structs is read.
_SMALL = 1 << 20
_MAGIC, _MAGIC_BYTES = b"PAR1", 8
_ARROW = b"ARROW:schema"
_OPTIONAL, _REPEATED = 1, 2
# Groups that are open where a column of the table is: the root's, and what stands for all.
_BELOW_ROOT = 2
_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")

# SchemaElement, SizeStatistics, ColumnChunk, RowGroup and FileMetaData: the fields that are used.
_ELEMENT: Mapping[int, Kind] = {
    **dict.fromkeys((1, 2, 3, 5), I32),
    4: BINARY,
}
_SIZES: Mapping[int, Kind] = {1: I64, 2: (I64,), 3: (I64,)}
_META: Mapping[int, Kind] = {
    **dict.fromkeys((1, 4), I32),
    **dict.fromkeys((5, 6, 7, 9, 11), I64),
    16: _SIZES,
}
_CHUNK: Mapping[int, Kind] = {3: _META, 8: {}}
_GROUP: Mapping[int, Kind] = {1: (_CHUNK,), 3: I64}
_FILE: Mapping[int, Kind] = {2: (_ELEMENT,), 3: I64, 4: (_GROUP,)}


class Leaf(NamedTuple):
    """A column, as the schema describes it.

    Attributes:
        name: Its own, without those of the columns above it.
        kind: Its physical type.
        length: Bytes of a value, where all have as many.
        definition: Of how many fields on its path a value may be missing.
        repetition: How many fields on its path are lists.
        top: The name of the column that it is or is part of.
    """

    name: str
    kind: int
    length: int
    definition: int
    repetition: int
    top: str


class Chunk(NamedTuple):
    """A column of one row group.

    Attributes:
        leaf: The column.
        codec: By its name in the format.
        values: How many there are, missing ones too.
        packed: Bytes in the file.
        start: Where its data pages begin.
        dictionary: Where its dictionary begins; 0 where there is none.
    """

    leaf: Leaf
    codec: str
    values: int
    packed: int
    start: int
    dictionary: int


class Group(NamedTuple):
    """A row group: its rows and columns."""

    rows: int
    chunks: list[Chunk]


class Footer(NamedTuple):
    """A file: its rows and row groups."""

    rows: int
    groups: list[Group]

    def without(self, columns: Collection[str]) -> "Footer":
        """Return what is left of it where some columns are not read."""
        groups = [
            group._replace(chunks=[each for each in group.chunks if each.leaf.top not in columns])
            for group in self.groups
        ]
        return Footer(self.rows, groups)


def read(name: str, stream: io.BufferedIOBase, most: int) -> Footer:
    """Read a footer that takes no more than `most` bytes in memory.

    Raises:
        TooLargeError: It takes more.
        ValueError: It is none, or contradicts itself.
        IndexError: It is cut.
    """
    length = _found(stream)
    if length <= most:
        structs, parts = most // _STRUCT_BYTES, most // _PART_BYTES
        if length <= _SMALL:
            structs = parts = length
        try:
            found = Compact(stream.read(length), structs, parts).struct(_FILE)
        except TooManyError:
            pass
        else:
            return _footer(found)
    raise TooLargeError(
        f"{shown(name)} describes itself in {length:,} bytes, which take more than {most:,} in "
        "memory",
        remedy="Write it in fewer row groups, or with fewer columns.",
    )


def without_arrow(stream: io.BufferedIOBase) -> bytes:
    """Return a file of nothing but the footer, less the types that Arrow noted in it.

    Arrow reads as dictionaries what it wrote from dictionaries. It then keeps each different text
    of a row group, in up to 160 bytes more than the text has.

    Source: https://arrow.apache.org/docs/cpp/parquet.html (ARROW:schema).
    """
    length = _found(stream)
    # What it is called is the last in a footer that is so called, but for who wrote the file.
    before, _, after = stream.read(length).rpartition(_ARROW)
    found = before + bytes(len(_ARROW)) + after if before else after
    return b"".join((_MAGIC, found, length.to_bytes(4, "little"), _MAGIC))


def _found(stream: io.BufferedIOBase) -> int:
    """Find where the footer begins, and return how many bytes it has."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(end - _MAGIC_BYTES, 0))
    length = int.from_bytes(stream.read(4), "little")
    if stream.read(4) != _MAGIC:
        raise ValueError("it does not end as a file of Parquet that is not encrypted")
    if length > end - _MAGIC_BYTES:
        raise ValueError("its footer is longer than the file")
    stream.seek(end - _MAGIC_BYTES - length)
    return length


def _footer(found: Struct) -> Footer:
    leaves = list(_leaves(_structs(found, 2)))
    groups = []
    for group in _structs(found, 4):
        chunks = _structs(group, 1)
        if len(chunks) != len(leaves):
            raise ValueError(f"a row group has {len(chunks)} columns, not {len(leaves)}")
        pairs = zip(leaves, chunks, strict=True)
        groups.append(Group(_number(group, 3), [_chunk(leaf, chunk) for leaf, chunk in pairs]))
    rows = _number(found, 3)
    total = sum(group.rows for group in groups)
    if total != rows:
        raise ValueError(f"its row groups have {total} rows, not {rows}")
    return Footer(rows, groups)


def _leaves(elements: list[Struct]) -> Iterator[Leaf]:
    """Yield the columns of a schema, whose elements are listed from its root downwards."""
    # Of each group that is not complete: how many elements it lacks, and its levels.
    open_groups: list[tuple[int, int, int]] = [(1, 0, 0)]
    top = ""
    for at, element in enumerate(elements):
        while open_groups and not open_groups[-1][0]:
            open_groups.pop()
        if not open_groups:
            raise ValueError("its schema has elements that belong to none")
        name = cast("bytes", element.get(4, b"")).decode()
        if len(open_groups) == _BELOW_ROOT:
            top = name
        left, definition, repetition = open_groups.pop()
        open_groups.append((left - 1, definition, repetition))
        # The root is there once, whatever it says.
        if at:
            repeated = element.get(3) == _REPEATED
            definition += repeated or element.get(3) == _OPTIONAL
            repetition += repeated
        children = _number(element, 5, 0)
        if children or 1 not in element:
            open_groups.append((children, definition, repetition))
            continue
        kind, length = _number(element, 1), _number(element, 2, 0)
        yield Leaf(name, kind, length, definition, repetition, top)
    if any(left for left, *_ in open_groups):
        raise ValueError("its schema lacks elements")


def _chunk(leaf: Leaf, found: Struct) -> Chunk:
    if 8 in found or 3 not in found:
        raise ValueError(f"column {shown(leaf.name)} is encrypted, or has no metadata")
    meta = _part(found, 3)
    codec = _number(meta, 4)
    if _number(meta, 1) != leaf.kind or not 0 <= codec < len(_CODECS):
        raise ValueError(f"column {shown(leaf.name)} is not of the schema's type, or of no codec")
    sizes = _part(meta, 16)
    for field, levels in ((2, leaf.repetition), (3, leaf.definition)):
        counts = cast("list[int]", sizes.get(field, []))
        if counts and len(counts) != levels + 1:
            raise ValueError(f"column {shown(leaf.name)} counts {len(counts)} levels")
    if 1 in sizes and leaf.kind != BYTE_ARRAY:
        raise ValueError(f"column {shown(leaf.name)} counts bytes of text and has none")
    places = (_number(meta, 5), _number(meta, 7), _number(meta, 9), _number(meta, 11, 0))
    return Chunk(leaf, _CODECS[codec], *places)


def _number(found: Struct, field: int, missing: int = -1) -> int:
    return cast("int", found.get(field, missing))


def _part(found: Struct, field: int) -> Struct:
    return cast("Struct", found.get(field, {}))


def _structs(found: Struct, field: int) -> list[Struct]:
    return cast("list[Struct]", found.get(field, []))
