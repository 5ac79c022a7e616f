"""Writing the rows of a large file, shuffled in memory or in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np
import pyarrow as pa

from data_prep.bulk import arrow, blocks
from data_prep.bulk.arrow import Array, array_of, bytes_of, take, wrapped
from data_prep.bulk.blocks import Block
from data_prep.bulk.formatting import divided, label_lengths, labelled, part_of, without_label
from data_prep.bulk.lanes.base import Encoding, Relabelled, RowLabels
from data_prep.bulk.schema import Schema
from data_prep.bulk.surveyed import Surveyed, SurveyedBlock

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PARTS = ("train/train.csv", "test/test.csv", "validate/validate.csv")
_BATCH = "batch-in/batch-in.csv"
_ROWS_AT_ONCE = 32_768

Opener = Callable[[str], BinaryIO]
R = TypeVar("R")


class Text:
    """The rows' text, kept while there is not more of it than may be shuffled in memory.

    Attributes:
        bytes: The text of block after block, each with two bytes ahead of it.
        end: Where the last block ends.
        blocks: `Survey.relabelled` of each block.
        whole: Whether no block had to be left out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # What is not used of it takes no memory.
        self.bytes = np.empty(most + most // 16, np.uint8)
        self.end = 0
        self.blocks: list[Relabelled | None] = []
        self.whole = True

    def put(self, pieces: Sequence[bytes | memoryview]) -> bytes | memoryview:
        """Add a block, unless it is too much, and return it whole."""
        start = self.end + 2
        end = start + sum(map(len, pieces))
        self.whole = self.whole and end <= self._most
        if not self.whole:
            self.bytes = np.empty(0, np.uint8)
            self.blocks.clear()
            return b"".join(pieces)
        self.end = start
        for piece in pieces:
            self.bytes[self.end : self.end + len(piece)] = np.frombuffer(piece, np.uint8)
            self.end += len(piece)
        return self.bytes.data[start:end]

    def place(self, block: Block) -> Block:
        """Tell a block where it lies, if it is the last that was put."""
        return (
            block._replace(kept=(self.bytes, self.end - len(block.data))) if self.whole else block
        )

    def append(self, pieces: Sequence[bytes]) -> Array:
        """Add texts after the last block; return where each begins and the last one ends."""
        offsets = np.cumsum([self.end, *map(len, pieces)])
        if offsets[-1] > len(self.bytes):
            room = np.empty(offsets[-1] - self.end, np.uint8)
            self.bytes = np.concatenate([self.bytes[: self.end], room])
        self.bytes[self.end : offsets[-1]] = np.frombuffer(b"".join(pieces), np.uint8)
        return offsets


class Writer:
    """Writes the four files."""

    def __init__(
        self,
        schema: Schema,
        read: Callable[[], Iterator[Block]],
        surveyed: Surveyed,
        labels: NDArray[np.uint8],
        classes: int,
        text: Text | None,
    ) -> None:
        self._schema = schema
        self._read = read
        self._text = text
        self._surveyed = surveyed
        self.labels = labels
        self.encoding = Encoding(
            surveyed.whole,
            surveyed.places(),
            classes,
            label_lengths(list(surveyed.labels.strings())),
        )

    def rows(self) -> Iterator[tuple[SurveyedBlock, slice]]:
        """Yield what is known of each block, and which of the file's rows are its."""
        start = 0
        for block in self._surveyed.blocks:
            end = start + len(block.codes)
            yield block, slice(start, end)
            start = end

    def _rendered(self, finish: Callable[[pa.Array, Array | None, slice], R]) -> Iterator[R]:
        """Render the blocks on every core and yield, in order, what `finish` makes of each."""

        def render(job: tuple[Block, tuple[SurveyedBlock, slice]]) -> R:
            block, (known, rows) = job
            labels = RowLabels(known.codes, self.labels[rows])
            strings, places = known.rendering.render(self._schema, block, labels, self.encoding)
            return finish(strings, places, rows)

        with ThreadPoolExecutor(blocks.WORKERS) as pool:
            jobs = zip(self._read(), self.rows(), strict=True)
            yield from blocks.in_order(pool, render, jobs)

    def in_file_order(self, parts: Sequence[Array], opener: Opener) -> None:
        """Write each part's rows in the order of the file, a block at a time."""
        numbers = part_of(parts, len(self.labels))

        def divide(strings: pa.Array, places: Array | None, rows: slice) -> list[memoryview]:
            return divided(strings, places, numbers[rows], self.encoding.classes)

        with ExitStack() as stack:
            train, test, validate = (stack.enter_context(opener(path)) for path in _PARTS)
            batch = stack.enter_context(opener(_BATCH))
            for pieces in self._rendered(divide):
                for file, piece in zip((train, test, batch, validate), pieces, strict=True):
                    file.write(piece)

    def shuffled(self, parts: Sequence[Array], opener: Opener) -> None:
        """Write each part's rows in its own order, from all the rows in memory."""
        texts, places = self._kept if self._can_relabel() else self._rendered_whole()

        def gather(task: tuple[int, int]) -> tuple[int, list[memoryview]]:
            number, start = task
            rows = parts[number][start : start + _ROWS_AT_ONCE]
            some = take(texts, array_of(places[rows]))
            batch = [without_label(some, self.encoding.classes)] if number == 1 else []
            return number, [bytes_of(each) for each in (some, *batch)]

        tasks = [
            (number, start)
            for number, rows in enumerate(parts)
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        with ExitStack() as stack:
            files = [stack.enter_context(opener(path)) for path in _PARTS]
            batch = stack.enter_context(opener(_BATCH))
            pool = stack.enter_context(ThreadPoolExecutor(blocks.WORKERS))
            for number, pieces in blocks.in_order(pool, gather, tasks):
                for file, piece in zip((files[number], batch), pieces, strict=False):
                    file.write(piece)

    def get_ready(self) -> None:
        """Do what can be done before it is known which part each row is in."""
        if self._can_relabel():
            _ = self._kept

    def _rendered_whole(self) -> tuple[pa.Array, Array]:
        """Return the texts of all rows and where each row is among them."""

        def wide(texts: pa.Array, places: Array | None, rows: slice) -> tuple[pa.Array, Array]:
            own = np.arange(rows.stop - rows.start) if places is None else places
            return arrow.cast(texts, pa.large_string()), own

        pieces, place_of, at = [], [], 0
        for texts, own in self._rendered(wide):
            pieces.append(texts)
            place_of.append(own + at)
            at += len(texts)
        return pa.concat_arrays(pieces), np.concatenate(place_of)

    def _can_relabel(self) -> bool:
        """Tell whether the kept text needs nothing but other labels."""
        return (
            self._text is not None
            and self._text.whole
            and all(block.rendering.keeps_rows(self.encoding) for block in self._surveyed.blocks)
        )

    @cached_property
    def _kept(self) -> tuple[pa.Array, Array]:
        """The texts of all rows, where they were kept, and where each row is among them."""
        text, rows = self._text, len(self.labels)
        assert text is not None  # noqa: S101 (what `_can_relabel` told)
        ready = [block for block in text.blocks if block is not None]
        places = np.arange(0, 2 * rows, 2)
        numbers = np.concatenate(
            [
                relabelled.odd_rows + mine.start
                for relabelled, (_, mine) in zip(ready, self.rows(), strict=True)
            ]
        )
        lines = labelled(
            [line for block in ready for line in block.odd_lines], self.labels[numbers]
        )
        places[numbers] = 2 * rows + np.arange(len(lines))
        offsets = np.concatenate([*(block.offsets for block in ready), text.append(lines)])
        text.bytes[offsets[0 : 2 * rows : 2]] = self.labels + ord("0")
        return wrapped(offsets, text.bytes), places
