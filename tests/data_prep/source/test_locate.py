"""The data file is found by the first bytes of what was given."""

import gzip
import io
import zipfile

import pytest

from data_prep import DataError
from data_prep.limits import Limits
from data_prep.source.locate import check_kind, locate


def packed() -> bytes:
    """A zip file of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("b.csv", "content")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (b"content", "a.csv", "a.csv"),
        (gzip.compress(b"content", mtime=0), "a.csv.GZ", "a.csv"),
        (gzip.compress(b"content", mtime=0), "a.gzip", "a"),
        (packed(), "a.csv", "b.csv"),
    ],
)
def test_what_it_is_tells_how_it_is_opened(content: bytes, name: str, found: str) -> None:
    """Its name does not; it can be opened more than once."""
    located = locate(io.BytesIO(content), name, None, Limits())
    assert located.name == found
    assert located.packed_size <= len(content)
    for _ in range(2):
        with located.open() as stream:
            assert stream.read() == b"content"


def test_two_streams_over_one_source_do_not_disturb_each_other() -> None:
    """Each has a place of its own, and closing one leaves the source open."""
    source = io.BytesIO(b"0123456789")
    located = locate(source, "a", None, Limits())
    one, other = located.open(), located.open()
    assert (one.read(3), other.read(5), one.read(2)) == (b"012", b"01234", b"34")
    one.close()
    assert other.read() == b"56789"
    assert not source.closed


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PK\x03\x04", "NestedArchiveError"),
        (b"%PDF-1.7", "UnsupportedFormatError"),
        (b"\xef\xbb\xbf <HTML>", "WebPageError"),
    ],
)
def test_what_is_no_table_is_refused_by_its_first_bytes(head: bytes, name: str) -> None:
    """Each by a name of its own; a table is not."""
    with pytest.raises(DataError) as caught:
        check_kind("x", head)
    assert type(caught.value).__name__ == name
    check_kind("x", b"a,b,c\n")
