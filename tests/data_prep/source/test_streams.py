"""Streams over a file: from what is kept of it on to what is not."""

import io

import pytest

from data_prep import DataError
from data_prep.source.streams import Head, Onward, Transcoded, View


@pytest.mark.parametrize("size", [1, 3, 4, 100, -1])
def test_what_is_kept_goes_on_into_the_rest(size: int) -> None:
    """Whatever is read at once; the rest is opened once, and only when it is reached."""
    asked: list[int] = []

    def rest(at: int) -> io.BytesIO:
        asked.append(at)
        return io.BytesIO(b"789")

    stream = Head([b"0123", b"456"], rest)
    assert stream.read(7 if size < 0 else 1)
    assert asked == []
    stream = Head([b"0123", b"456"], rest)
    assert b"".join(iter(lambda: stream.read(size), b"")) == b"0123456789"
    assert stream.read(1) == b""
    assert asked == [7]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_was_read_is_let_go(size: int) -> None:
    """The kept pieces are gone by the time the rest is read."""
    pieces = [b"0123", b"456"]
    rest = io.BytesIO(b"789")
    stream = Onward(pieces, rest.read)
    assert b"".join(iter(lambda: stream.read(size), b"")) == b"0123456789"
    assert pieces == []


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-32"])
@pytest.mark.parametrize("size", [1, 2, 5, -1])
def test_text_is_recoded_in_pieces_of_any_size(encoding: str, size: int) -> None:
    """No character is cut in two for good."""
    stream = Transcoded(io.BytesIO("héllo, wörld\n".encode(encoding)), encoding)
    whole = b"".join(iter(lambda: stream.read(size), b""))
    assert whole.decode() == "héllo, wörld\n"


def test_one_read_of_too_much_is_refused() -> None:
    """A zip file says itself how large its list of members is."""
    stream = View(io.BytesIO(b"x" * 100), most=10)
    assert stream.read(10) == b"x" * 10
    with pytest.raises(DataError, match="takes 11 bytes, more than 10"):
        stream.read(11)
