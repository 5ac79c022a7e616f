"""A file is cut into blocks of whole lines, however it is read."""

import io
from collections.abc import Sequence

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


def test_a_block_that_is_written_over_does_not_shift_the_lines_after_it() -> None:
    """Lines are counted before the block is handed out, as its rows may be relabelled in place."""

    def put(pieces: Sequence[bytes | memoryview]) -> memoryview:
        return memoryview(bytearray(b"".join(pieces)))

    stream = io.BytesIO(b"a,b\n" + b"1,2\n" * 99)
    lines = []
    for block in blocks.cut(stream, 1, 40, put):
        lines.append(block.line)
        memoryview(block.data)[:] = b"\n" * len(block.data)
    assert lines == [2, *range(11, 101, 10)]
