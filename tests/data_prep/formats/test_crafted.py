"""What two readers of a Parquet file could understand in two ways is refused."""

import io

import pyarrow as pa
import pytest

from data_prep.errors import DamagedArchiveError, TooLargeError
from data_prep.formats import footer, pages, parquet
from data_prep.limits import Limits
from tests.data_prep.formats import crafted
from tests.data_prep.formats.crafted import ROWS, Column, whole
from tests.data_prep.support import run

HONEST = Column(crafted.numbers())
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


def padded(rows: int, texts: int) -> bytes:
    """A file whose rows are read one by one, and whose other column has many texts."""
    number = crafted.varint(rows)
    lengths = b"\x80\x01\x04" + number + b"\0" + b"\0" * 5 * -(-(rows - 1) // 128)
    data = lengths * 2 + bytes(70 << 20)
    indices = b"\x01" + crafted.varint(rows << 1) + b"\0"
    first = crafted.dictionary(b"\x01\0\0\0a" * texts, texts)
    text = ((6, whole(0)),)
    return crafted.file(
        Column(
            crafted.page(data, crafted.zipped(data), encoding=7, rows=rows),
            6,
            schema=text,
            values=rows,
        ),
        Column(
            first + crafted.page(indices, crafted.zipped(indices), encoding=8, rows=rows),
            6,
            schema=text,
            dictionary=len(first),
            values=rows,
        ),
        rows=rows,
    )


def test_a_file_is_read_in_so_many_pieces_only() -> None:
    """Each takes time, more if its dictionary is large."""
    for rows, texts, refused in (
        (1 << 18, 1, False),
        ((1 << 18) + 1, 1, True),
        (10_000, 3_000_000, False),
        (12_000, 3_000_000, True),
    ):
        stream = io.BytesIO(padded(rows, texts))
        described = footer.read("x", stream, 1 << 30)
        if refused:
            with pytest.raises(TooLargeError, match=f"read in {rows:,} pieces"):
                pages.measured("x", stream, described, 1 << 30)
        else:
            assert pages.measured("x", stream, described, 1 << 30).rows_at_once == 1


def test_a_batch_looks_at_no_more_texts_of_a_dictionary_than_it_has() -> None:
    """Their lengths come out as those of the texts themselves, missing ones and parts included."""
    texts = pa.array(["", "a", "bb", None, "ccc"]).dictionary_encode()
    large = pa.array(["x", "yyyy"], pa.large_string()).dictionary_encode()
    for column, lengths in (
        (texts, [0, 1, 2, 0, 3]),
        (texts[2:], [2, 0, 3]),
        (large, [1, 4]),
        (pa.DictionaryArray.from_arrays([1, 0], texts.dictionary[2:]), [3, 2]),
        (pa.nulls(2).cast(pa.dictionary(pa.int32(), pa.string())), [0, 0]),
    ):
        assert parquet._lengths(column).tolist() == lengths
