"""A large file as blocks of whole lines, cut alike at every reading."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np

from data_prep.bulk.arrow import Array
from data_prep.formats.base import Opened

SIZE = 2 << 20
# One more than cores, since workers wait for the interpreter's lock and the reader: a tenth less
# time at 5 million rows on two cores.
WORKERS = max(2, os.cpu_count() or 1) + 1
# Blocks joined while a quote is open.
_MOST_JOINED = 4

# Joins pieces of bytes.
Put = Callable[[Sequence[bytes | memoryview]], bytes | memoryview]
T = TypeVar("T")
R = TypeVar("R")


class Block(NamedTuple):
    """Whole lines, each ended by a line feed.

    Attributes:
        data: The lines' bytes.
        line: The number of the first.
        kept: The text that is kept, and where in it they lie, with two bytes ahead of them.
    """

    data: bytes | memoryview
    line: int
    kept: tuple[Array, int] | None = None


def blocks_of(
    opened: Opened, size: int | None = None, *, first: bool = False, put: Put = b"".join
) -> Iterator[Block]:
    """Read a file's lines after the header, in blocks of about so many bytes.

    Args:
        opened: The file.
        size: Of a block; `SIZE` when left out.
        first: Whether it is the first reading to the end, which may examine the file on its way.
        put: Joins the pieces of a block.
    """
    with (opened.open_once if first else opened.open_lines)() as stream:
        yield from cut(stream, opened.rows.header_lines, size or SIZE, put)


def cut(
    stream: io.BufferedIOBase, header_lines: int, size: int, put: Put = b"".join
) -> Iterator[Block]:
    """Cut a stream into blocks of whole lines after the header, each line ended by a line feed."""
    line = 1
    for number, data in enumerate(_whole_lines(stream, size, put)):
        start = 0
        if line <= header_lines or not number:
            text = bytes(data)
            start = len(text) - len(text.removeprefix(b"\xef\xbb\xbf")) if not number else 0
            while line <= header_lines and (end := text.find(b"\n", start)) >= 0:
                start, line = end + 1, line + 1
        if start < len(data):
            # Counted beforehand: rows of a text that is kept are relabelled where they lie.
            ends = np.frombuffer(data, np.uint8, offset=start) == ord("\n")
            lines = int(np.count_nonzero(ends))
            yield Block(data[start:] if start else data, line)
            line += lines


def _whole_lines(stream: io.BufferedIOBase, size: int, put: Put) -> Iterator[bytes | memoryview]:
    """Cut a stream after line feeds; where carriage returns alone end lines, they become those."""
    rest = b""
    alone: bool | None = None
    joined = 0
    while True:
        chunk = _full(stream, size)
        if chunk and not any(mark in part for mark in (b'"', b"\r") for part in (rest, chunk)):
            # What follows does the same to it, and copies it twice.
            end = chunk.rfind(b"\n") + 1
            if end:
                yield put((rest, memoryview(chunk)[:end]))
                rest = b""
            rest += chunk[end:]
            continue
        data = rest + chunk
        if alone is None and (at := data.find(b"\r")) >= 0 and (at + 1 < len(data) or not chunk):
            alone = data[at + 1 : at + 2] != b"\n"
        if alone:
            # A last one waits for what follows: it may be a line feed.
            held = b"\r" if chunk and data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            data += held
        if not chunk:
            if data:
                yield put((data, b"" if data.endswith(b"\n") else b"\n"))
            return
        end = data.rfind(b"\n") + 1
        # A quoted value may hold line ends: a block ends where the quotes pair up, if they ever do.
        if joined < _MOST_JOINED and b'"' in data and data.count(b'"', 0, end) % 2:
            joined += 1
            rest = data
            continue
        joined = 0
        if end:
            yield put((memoryview(data)[:end],))
        rest = data[end:]


def _full(stream: io.BufferedIOBase, size: int) -> bytes:
    """Read so many bytes, fewer only at the end: both passes must cut the file alike."""
    chunk = stream.read(size)
    while 0 < len(chunk) < size and (more := stream.read(size - len(chunk))):
        chunk += more
    return chunk


def lines_of(text: Array) -> tuple[Array, Array]:
    """Return where each line that is not blank starts and where its line end is."""
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    if len(ends) and (text == ord("\r")).any():
        ends = ends - ((ends > starts) & (text[ends - 1] == ord("\r")))
    if (ends == starts).any():
        used = ends > starts
        starts, ends = starts[used], ends[used]
    return starts, ends


def quoting(data: bytes, delimiter: str) -> str:
    """Return "" without quotes, "plain" when they enclose whole values, "unclear" otherwise."""
    if b'"' not in data:
        return ""
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2:
        return "unclear"
    opening, closing = quotes[::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    after = text[np.minimum(closing + 1, len(text) - 1)]
    edge = ord(delimiter)
    begins = (opening == 0) | (before == edge) | (before == ord("\n"))
    finishes = (after == edge) | (after == ord("\n")) | (after == ord("\r"))
    ends = np.flatnonzero(text == ord("\n"))
    on_one_line = np.searchsorted(ends, opening) == np.searchsorted(ends, closing)
    return "plain" if begins.all() and finishes.all() and on_one_line.all() else "unclear"


def in_order(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:
    """Yield the function's results in order, a few items ahead of what is asked for."""
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
