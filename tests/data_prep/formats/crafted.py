"""Parquet files written field by field, so that a test may write what no writer writes."""

from typing import NamedTuple

import pyarrow as pa

Field = tuple[int, tuple[int, bytes]]
ROWS = 100


def varint(number: int) -> bytes:
    """A whole number without sign."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def whole(number: int, kind: int = 5) -> tuple[int, bytes]:
    """A number: of 32 bits, if no other type is given."""
    return kind, varint(number * 2)


def text(value: str) -> tuple[int, bytes]:
    """A string."""
    return 8, varint(len(value)) + value.encode()


def several(kind: int, items: list[bytes]) -> tuple[int, bytes]:
    """A list."""
    return 9, bytes([0xF0 | kind]) + varint(len(items)) + b"".join(items)


def struct(*fields: Field) -> tuple[int, bytes]:
    """A struct, each of whose fields has its number written out."""
    return 12, b"".join(bytes([k]) + varint(n * 2) + value for n, (k, value) in fields) + b"\0"


def page(
    data: bytes, packed: bytes, *more: Field, encoding: int = 0, levels: int = 3, rows: int = ROWS
) -> bytes:
    """A data page of as many values as there are rows, whose header has some fields more."""
    inner = struct((1, whole(rows)), (2, whole(encoding)), (3, whole(levels)), (4, whole(3)))
    sizes = ((2, whole(len(data))), *more, (3, whole(len(packed))))
    return struct((1, whole(0)), *sizes, (5, inner))[1] + packed


def dictionary(data: bytes, values: int, packed: bytes | None = None) -> bytes:
    """A dictionary's page."""
    packed = zipped(data) if packed is None else packed
    inner = struct((1, whole(values)), (2, whole(0)))
    sizes = ((2, whole(len(data))), (3, whole(len(packed))))
    return struct((1, whole(2)), *sizes, (7, inner))[1] + packed


def zipped(data: bytes) -> bytes:
    """Data as zstd packs them."""
    return bytes(pa.Codec("zstd").compress(data))


class Column(NamedTuple):
    """A column of a file.

    Attributes:
        pages: Its pages' bytes.
        physical: Its type by number: INT32 is 1, BYTE_ARRAY 6, FIXED_LEN_BYTE_ARRAY 7.
        optional: Whether values may be missing.
        schema: Fields more of its element of the schema.
        chunk: Fields more of its chunk's metadata.
        values: How many its chunk says it has.
        dictionary: Bytes of the first page, if that is a dictionary.
        described: Its type by the schema, if that is another.
        codec: By its number; zstd is 6.
        around: Fields more of its chunk, beside the metadata.
        without_metadata: Whether its chunk has none.
    """

    pages: bytes
    physical: int = 1
    optional: bool = False
    schema: tuple[Field, ...] = ()
    chunk: tuple[Field, ...] = ()
    values: int = ROWS
    dictionary: int = 0
    described: int | None = None
    codec: int = 6
    around: tuple[Field, ...] = ()
    without_metadata: bool = False


def file(
    *columns: Column,
    elements: int | None = None,
    rows: int = ROWS,
    said_rows: int | None = None,
    tree: tuple[int, ...] = (),
) -> bytes:
    """A file of one row group, whose schema has the first `elements` of the columns.

    Args:
        columns: Its columns.
        elements: How many of them are in the schema.
        rows: Of the row group.
        said_rows: Of the file, if it says another number.
        tree: How many elements the root says it has, and each group in front of the columns.
    """
    out, chunks, schema = b"PAR1", [], []
    for at, column in enumerate(columns):
        start = len(out)
        out += column.pages
        places: list[Field] = [(9, whole(start + column.dictionary, 6))]
        if column.dictionary:
            places.append((11, whole(start, 6)))
        name = text(f"c{at}")
        meta = struct(
            (1, whole(column.physical)),
            (2, several(5, [b"\0"])),
            (3, several(8, [name[1]])),
            (4, whole(column.codec)),
            (5, whole(column.values, 6)),
            (6, whole(len(column.pages), 6)),
            (7, whole(len(column.pages), 6)),
            *places,
            *column.chunk,
        )
        described: tuple[Field, ...] = () if column.without_metadata else ((3, meta),)
        chunks.append(struct((2, whole(start, 6)), *described, *column.around)[1])
        kind = column.described or column.physical
        kinds = ((1, whole(kind)), (3, whole(int(column.optional))), (4, name))
        schema.append(struct(*sorted((*kinds, *column.schema)))[1])
    schema = schema[:elements]
    below, *groups = tree or (len(schema),)
    root = struct((4, text("schema")), (5, whole(below)))[1]
    schema = [struct((4, text("g")), (5, whole(each)))[1] for each in groups] + schema
    group = struct((1, several(12, chunks)), (2, whole(len(out), 6)), (3, whole(rows, 6)))[1]
    footer = struct(
        (1, whole(2)),
        (2, several(12, [root, *schema])),
        (3, whole(rows if said_rows is None else said_rows, 6)),
        (4, several(12, [group])),
        (6, text("test")),
    )[1]
    return out + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def numbers(*more: Field) -> bytes:
    """A page of zeros and ones in turn."""
    data = b"\0\0\0\0\1\0\0\0" * (ROWS // 2)
    return page(data, zipped(data), *more)
