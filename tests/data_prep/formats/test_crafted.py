"""What two readers of a Parquet file could understand in two ways is refused."""

import io
from collections.abc import Callable

import pyarrow as pa
import pytest

from data_prep.errors import DamagedArchiveError, TooLargeError
from data_prep.formats import footer, pages, parquet
from data_prep.limits import Limits
from tests.data_prep.formats import crafted
from tests.data_prep.formats.crafted import ROWS, Column, whole
from tests.data_prep.support import run

HONEST = Column(crafted.numbers())
TEXT = ((6, whole(0)),)
# The start of 100 lengths of zero in DELTA_BINARY_PACKED, in one block of 128 in four parts.
EMPTY_TEXTS = b"\x80\x01\x04\x64\0" + b"\0" * 5


def read(*columns: Column, elements: int | None = None, most: int = 1 << 30) -> int:
    """Read a file of the columns and a label, and return how many rows it has."""
    content = crafted.file(HONEST, *columns, elements=elements)
    limits = Limits(decoded_bytes=most)
    found = run(
        content,
        "x.parquet",
        label="c0",
        positive="1",
        limits=limits,
        categorical=tuple(f"c{at}" for at, it in enumerate(columns, 1) if it.physical == 6),
        missing="pass",
        allow_leakage=True,
    )
    return sum(found.counts.values())


def test_a_crafted_file_of_nothing_else_is_read() -> None:
    """So that what the other tests refuse is what they add."""
    assert read(HONEST, HONEST) == ROWS


@pytest.mark.parametrize(
    "more",
    [
        (2, whole(400, 6)),
        (2, whole(400)),
        (65_536 + 2, whole(400)),
        (32_768, whole(400)),
        (14, whole(1 << 32)),
        (14, whole(1 << 16, 4)),
        (8, whole(400)),
    ],
    ids=["type", "repeated", "number", "large number", "32 bits", "16 bits", "no struct"],
)
def test_a_field_that_readers_take_for_another_is_refused(more: crafted.Field) -> None:
    """Fields of another type, met twice, of a number beyond 16 bits or larger than their type."""
    with pytest.raises(DamagedArchiveError, match="header is malformed"):
        read(Column(crafted.numbers(more)))


def test_a_page_after_the_last_row_is_refused() -> None:
    """The reader goes on until it has as many values as the column says."""
    two = crafted.numbers() * 2
    with pytest.raises(DamagedArchiveError, match="has 200 values in 100 rows"):
        read(Column(two, values=2 * ROWS))
    with pytest.raises(DamagedArchiveError, match="contradicts its column"):
        read(Column(two))


def test_a_page_of_lengths_is_unpacked_within_the_bound_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its header tells beforehand that it takes more."""
    monkeypatch.setattr("data_prep.formats.pages._unpacked", lambda *_: pytest.fail("unpacked"))
    data = EMPTY_TEXTS + b"\0" * 500_000
    pages = crafted.page(data, crafted.zipped(data), encoding=6)
    with pytest.raises(TooLargeError, match="unpacks to more than"):
        read(Column(pages, 6, schema=((6, whole(0)),)), most=400_000)


def test_levels_in_the_encoding_of_old_are_read() -> None:
    """They have no length before them, so a page's lengths begin right after them."""
    levels = b"\xff" * 13
    texts = Column(b"", 6, True, ((6, whole(0)),))
    for count, refused in ((ROWS, False), (2**20, True)):
        packed = b"\x80\x01\x04" + crafted.varint(count) + b"\0" + b"\0" * 5
        data = levels + packed + b"\0" * 5 * (count // 128)
        page = crafted.page(data, crafted.zipped(data), encoding=6, levels=4)
        if refused:
            with pytest.raises(DamagedArchiveError, match="more lengths than values"):
                read(texts._replace(pages=page))
        else:
            assert read(texts._replace(pages=page)) == ROWS
    page = crafted.page(data, crafted.zipped(data), encoding=6, levels=5)
    with pytest.raises(DamagedArchiveError, match="levels are never in encoding 5"):
        read(texts._replace(pages=page))


@pytest.mark.parametrize("physical", [6, 7])
def test_decimals_are_as_wide_as_their_largest(physical: int) -> None:
    """A dictionary of one decimal of a megabyte is refused, or few rows are read at once."""
    length = 1_000_000
    value = (length.to_bytes(4, "little") if physical == 6 else b"") + bytes(length)
    indices = b"\x01" + crafted.varint(ROWS << 1) + b"\0"
    first = crafted.dictionary(value, 1)
    column = Column(
        first + crafted.page(indices, crafted.zipped(indices), encoding=8),
        physical,
        schema=((2, whole(length)), (6, whole(5)), (7, whole(2)), (8, whole(9))),
        dictionary=len(first),
    )
    if physical == 7:
        with pytest.raises(DamagedArchiveError, match="a decimal has 1,000,000 bytes"):
            read(column)
    else:
        stream = io.BytesIO(crafted.file(HONEST, column))
        found = pages.measured("x", stream, footer.read("x", stream, 1 << 30), 1 << 30)
        assert found.rows_at_once == (64 << 20) // (length + 4 + 32)


def padded(rows: int) -> bytes:
    """A file whose rows are read one by one."""
    number = crafted.varint(rows)
    lengths = b"\x80\x01\x04" + number + b"\0" + b"\0" * 5 * -(-(rows - 1) // 128)
    data = lengths * 2 + bytes(70 << 20)
    page = crafted.page(data, crafted.zipped(data), encoding=7, rows=rows)
    return crafted.file(Column(page, 6, schema=TEXT, values=rows), rows=rows)


def test_a_file_is_read_in_so_many_pieces_only() -> None:
    """Each takes time."""
    for rows, refused in ((1 << 18, False), ((1 << 18) + 1, True)):
        stream = io.BytesIO(padded(rows))
        described = footer.read("x", stream, 1 << 30)
        if refused:
            with pytest.raises(TooLargeError, match=f"read in {rows:,} pieces"):
                pages.measured("x", stream, described, 1 << 30)
        else:
            assert pages.measured("x", stream, described, 1 << 30).rows_at_once == 1


def coded(
    *texts: bytes, rows: int = ROWS, said: int | None = None, codec: int = 6, more: bytes = b""
) -> Column:
    """A column of text, each of whose rows is the first text of its dictionary."""
    indices = b"\x01" + crafted.varint(rows << 1) + b"\0"
    data = b"".join(len(text).to_bytes(4, "little") + text for text in texts) + more
    packed = PACKED[codec](data)
    first = crafted.dictionary(data, len(texts) if said is None else said, packed)
    page = crafted.page(indices, PACKED[codec](indices), encoding=8, rows=rows)
    return Column(first + page, 6, schema=TEXT, dictionary=len(first), codec=codec, values=rows)


def hadoop(data: bytes) -> bytes:
    """Data as Hadoop packs them: in blocks, each behind its lengths."""
    blocks = []
    for part in (data[:7], data[7:]):
        packed = bytes(pa.Codec("lz4_raw").compress(part))
        lengths = len(part).to_bytes(4, "big") + len(packed).to_bytes(4, "big")
        blocks.append(lengths + packed)
    return b"".join(blocks)


# By the number of their codec: 5 is the LZ4 of old, which Arrow writes as it does 7.
PACKED: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    5: hadoop,
    6: crafted.zipped,
    7: lambda data: bytes(pa.Codec("lz4_raw").compress(data)),
}


@pytest.mark.parametrize("codec", PACKED)
def test_the_longest_text_of_a_dictionary_tells_how_many_rows_are_read(codec: int) -> None:
    """Each row may hold it, however short most texts are and however they are packed."""
    texts = [b"a", b"b" * 70_000, *(b"%d" % number for number in range(500))]
    for column in (coded(*texts, codec=codec), coded(*texts[2:], texts[1], codec=codec)):
        stream = io.BytesIO(crafted.file(HONEST, column))
        found = pages.measured("x", stream, footer.read("x", stream, 1 << 30), 1 << 30)
        assert found.rows_at_once == (64 << 20) // (70_000 + 32)
        assert read(column) == ROWS


def test_lz4_without_hadoops_lengths_is_read() -> None:
    """Arrow wrote it so under the codec's old number."""
    assert read(coded(b"a", b"bb" * 50, codec=7)._replace(codec=5)) == ROWS


def test_a_dictionary_that_is_cut_is_refused() -> None:
    """Within a length or within a text."""
    for column in (
        coded(b"a" * 9, said=2, more=b"\1\0\0"),
        coded(b"a" * 9, said=2, more=b"\7\0\0\0a"),
    ):
        with pytest.raises(DamagedArchiveError, match="a dictionary is cut"):
            read(column)


def test_texts_of_dictionaries_are_measured_so_many_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all columns and row groups together, since each takes time."""
    monkeypatch.setattr(pages, "_MOST_TEXTS", 6)
    assert read(coded(b"a", b"b", b"c"), coded(b"a", b"b", b"c")) == ROWS
    with pytest.raises(TooLargeError, match="have more than 6 texts"):
        read(coded(b"a", b"b", b"c"), coded(b"a", b"b", b"c", b"d"))


def test_the_lengths_of_texts_are_told_whatever_their_type() -> None:
    """Missing ones and parts included."""
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        texts = pa.array(["", "a", "bb", None, "ccc"], kind)
        assert parquet._lengths(texts).tolist() == [0, 1, 2, 0, 3]
        assert parquet._lengths(texts[2:]).tolist() == [2, 0, 3]
