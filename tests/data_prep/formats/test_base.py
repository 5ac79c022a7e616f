"""What formats share: decoded text, numbered rows, and the first reading told from the others."""

import io

from data_prep import formats
from data_prep.formats.base import Format, Opened, decoded
from data_prep.source.examination import examine
from tests.data_prep.formats.samples import ARFF, CSV


def test_text_is_decoded_without_its_mark() -> None:
    """Line ends become one, unless they are to be kept."""
    assert decoded(io.BytesIO(b"\xef\xbb\xbfa\r\nb")).read() == "a\nb"
    assert decoded(io.BytesIO(b"a\r\nb"), "").read() == "a\r\nb"


def test_a_format_with_magic_bytes_is_binary() -> None:
    """Text has none."""

    def unread(*_: object) -> Opened:
        raise AssertionError

    assert Format("x", (".x",), unread).is_text
    assert not Format("x", (".x",), unread, magic=b"X1").is_text


def test_lines_are_numbered_after_the_header() -> None:
    """By whichever way they are read."""
    for text, name, header in ((ARFF, "x.arff", 4), (CSV, "x.csv", 1)):
        file = examine(io.BytesIO(text.encode()), name=name)
        opened = formats.opened(file)
        assert opened.rows.header_lines == header
        (batch,) = opened.batches()
        assert batch.lines == list(range(header + 1, header + 61))
        lines = text.splitlines(keepends=True)[header:]
        (again,) = opened.rows.batches_of(lines, first_line=header + 1)
        assert again == batch


def test_only_the_first_reading_goes_on_with_the_examination() -> None:
    """The others read what is kept."""
    text = CSV + "1.5,Normal\n" * 100_000
    file = examine(io.BytesIO(text.encode()), name="x.csv")
    opened = formats.opened(file)
    with opened.open_lines() as stream:
        stream.readline()
    assert file.size < len(text)
    with opened.open_once() as stream:
        assert stream.read() == text.encode()
    assert file.member().size == len(text)
