"""The first reading of a file: every byte is checked, wherever and how far it is read."""

import gzip
import hashlib
import io

import pytest

from data_prep import DataError
from data_prep.source.examination import examine
from tests.data_prep.formats.samples import CSV
from tests.data_prep.support import zipped


def test_size_and_checksum_are_those_of_the_unpacked_file() -> None:
    """A bare file, a zip of it and a gzip of it have one size and one SHA-256."""
    content = CSV.encode()
    sources = {
        "data.csv": io.BytesIO(content),
        "data.csv.gz": io.BytesIO(gzip.compress(content)),
        "x.zip": zipped(data__csv=CSV),
    }
    for name, source in sources.items():
        examined = examine(source, name=name, sha256=hashlib.sha256(content).hexdigest().upper())
        examined.finish()
        found = examined.member()
        assert (found.name, found.size) == ("data.csv", len(content))


LINES = b"".join(b"%d,line\n" % number for number in range(300_000))


def test_reading_beyond_what_is_kept_examines_the_rest_first() -> None:
    """A parser is never told that a file ends where only what is kept of it does."""
    file = examine(io.BytesIO(LINES), name="a.csv")
    assert file.size < len(LINES)
    with file.open() as stream:
        assert stream.read(5) == LINES[:5]
        assert file.size < len(LINES)
        assert stream.read() == LINES[5:]
    assert file.member().size == len(LINES)
    assert file.member().sha256 == hashlib.sha256(LINES).hexdigest()


def test_a_file_refused_on_the_way_is_refused_again() -> None:
    """Whoever passes over the refusal, or asks for what follows, meets the same one."""
    file = examine(io.BytesIO(LINES + b"\xff"), name="a.csv")
    for attempt in (file.open().read, file.finish, lambda: file.open(once=True).read()):
        with pytest.raises(DataError, match=r"line 300001: 'a.csv' is not UTF-8"):
            attempt()


@pytest.mark.parametrize("ahead", [0, 1 << 20, len(LINES) + 1])
def test_the_first_reading_examines_and_others_may_go_on_beside_it(ahead: int) -> None:
    """However much was read ahead, each reading has the whole file."""
    file = examine(io.BytesIO(LINES), name="a.csv")
    while file.size < ahead and file.read_ahead(1 << 18):
        pass
    with file.open(once=True) as first:
        start = first.read(10)
        with file.open() as beside:
            assert beside.read() == LINES
        assert start + first.read() == LINES
    file.finish()
    assert file.member().sha256 == hashlib.sha256(LINES).hexdigest()
    assert file.open().read() == file.open(once=True).read() == LINES


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_text_of_another_encoding_is_read_as_utf_8(encoding: str) -> None:
    """In pieces of any size, the first time and again."""
    text = "é,ü\n" * 200_000
    file = examine(io.BytesIO(text.encode(encoding)), name="a.csv", encoding=encoding)
    for once in (True, False):
        with file.open_utf8(once=once) as stream:
            pieces = b"".join(iter(lambda: stream.read(99_999), b""))
        assert pieces.decode() == text
