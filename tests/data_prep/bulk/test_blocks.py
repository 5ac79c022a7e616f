"""A file is cut into blocks of whole lines, however it is read."""

import io

import pytest

from data_prep.bulk import blocks


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_blocks_are_whole_lines_whatever_the_size(end: str, size: int) -> None:
    """However the stream is cut, the lines come out whole, counted, and each ended."""
    lines = ["a,b", "", '1,"x', 'y"', "3,4", "5,6"]
    content = end.join(lines).encode()
    found = list(blocks.cut(io.BytesIO(b"\xef\xbb\xbf" + content), 1, max(size, 4)))
    text = b"".join(block.data for block in found).replace(b"\r", b"")
    assert text == "\n".join([*lines[1:], ""]).encode()
    line = 2
    for block in found:
        assert block.line == line
        assert bytes(block.data).endswith(b"\n")
        line += bytes(block.data).count(b"\n")
