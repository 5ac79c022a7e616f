"""Preparing a file on several machines: the two passes over it by the same lanes, block by block.

The one machine that leads cuts the file into blocks and puts each where all can read it. The others
check blocks and describe them; what they found is gathered in the order of the file, so that the
first refusal is the one that a single machine would have met first. The leader deals the rows out,
and the others write their blocks' rows: train and validate as a file for each block, test and
batch-in to be joined, since a batch transform and its evaluation pair those two line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from data_prep.bulk import lanes
from data_prep.bulk.blocks import Block, blocks_of
from data_prep.bulk.formatting import divided, part_of
from data_prep.bulk.lanes.base import Encoding, Rendering, RowLabels, Survey
from data_prep.bulk.schema import Schema
from data_prep.bulk.surveyed import Surveyed, compared
from data_prep.bulk.writer import Writer
from data_prep.errors import DataError
from data_prep.formats.base import Opened
from data_prep.limits import Limits, check_row_count
from data_prep.spread import Hashes, Spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A block's share of the test part is held in memory while blocks are joined.
_LARGEST_BLOCK = 32 << 20
_SMALLEST_BLOCK = 1 << 10
# A guess: files of shorter rows are compared whole, too, as long as they are not large.
_SHORTEST_ROW = 16
# Blocks a machine, so that none idles for long at the end.
_BLOCKS_EACH = 4


class _Reference(NamedTuple):
    """A block that lies elsewhere: its number, and that of its first line."""

    number: int
    line: int


@dataclass(frozen=True)
class _Survey:
    """Checks a block where it lies."""

    schema: Schema
    read: Callable[[int], bytes]
    compared: int

    def __call__(self, block: _Reference) -> tuple[Survey | DataError, Hashes]:
        lines = Block(self.read(block.number), block.line)
        try:
            found = lanes.survey(self.schema, lines, decimal=self.schema.is_decimal)
        except DataError as error:
            return error, np.empty(0, np.uint64)
        # All are counted elsewhere; the leader compares some across the parts.
        rows = np.flatnonzero((found.hashes & np.uint64(self.compared)) == 0)
        return found._replace(hashes=found.hashes[rows], compared=rows), found.hashes


class _Order(NamedTuple):
    """What a machine must know to write a block.

    Attributes:
        rendering: How its rows are written.
        labels: Of each row.
        parts: The part each row is in.
    """

    block: _Reference
    rendering: Rendering
    labels: RowLabels
    parts: NDArray[np.uint8]


@dataclass(frozen=True)
class _Write:
    """Writes a block's rows where it lies; returns how many bytes each file got."""

    schema: Schema
    read: Callable[[int], bytes]
    write: Callable[[str, memoryview], None]
    encoding: Encoding

    def __call__(self, order: _Order) -> tuple[int, ...]:
        block = Block(self.read(order.block.number), order.block.line)
        strings, places = order.rendering.render(self.schema, block, order.labels, self.encoding)
        pieces = divided(strings, places, order.parts, self.encoding.classes)
        for path, piece in zip(_PATHS, pieces, strict=True):
            if len(piece):
                self.write(path.format(order.block.number), piece)
        return tuple(len(piece) for piece in pieces)


# In the order of `divided`. What is to be joined lies apart from what is read as it is.
_PATHS = (
    "train/part-{:05}.csv",
    "preparation/test/part-{:05}.csv",
    "preparation/batch-in/part-{:05}.csv",
    "validate/part-{:05}.csv",
)
_JOINED = {1: "test/test.csv", 2: "batch-in/batch-in.csv"}


class Leader:
    """Leads the passes over one file.

    Args:
        opened: The file.
        schema: Its schema.
        size: Its bytes.
        spread: The machines.
    """

    def __init__(self, opened: Opened, schema: Schema, size: int, spread: Spread) -> None:
        self._opened = opened
        self._schema = schema
        self._spread = spread
        self._size = size
        share = size // (_BLOCKS_EACH * spread.machines)
        self._block_bytes = min(max(share, _SMALLEST_BLOCK), _LARGEST_BLOCK)
        self._blocks: list[_Reference] = []

    def survey(self, limits: Limits) -> Surveyed:
        """Have every block checked.

        Raises:
            DataError: One of its classes: the input is refused.
        """
        for number, block in enumerate(blocks_of(self._opened, self._block_bytes)):
            self._spread.put(number, bytes(block.data))
            self._blocks.append(_Reference(number, block.line))
        mask = compared(self._size // _SHORTEST_ROW)
        task = _Survey(self._schema, self._spread.reader(), mask)
        found, duplicates = self._spread.survey(task, self._blocks)
        surveyed = Surveyed(self._schema)
        for each in found:
            if isinstance(each, DataError):
                raise each
            surveyed.take(each)
            check_row_count(len(surveyed.labels), limits.rows)
        surveyed.duplicates = duplicates
        return surveyed

    def write(
        self,
        writer: Writer,
        parts: Sequence[NDArray[Any]],
        opener: Callable[[str], BinaryIO],
    ) -> None:
        """Have every block written, and join what must be one file."""
        part_numbers = part_of(parts, len(writer.labels))
        task = _Write(self._schema, self._spread.reader(), self._spread.writer(), writer.encoding)
        sizes = self._spread.each(task, list(self._orders(writer, part_numbers)))
        for at, path in _JOINED.items():
            with opener(path) as file:
                for block, written in zip(self._blocks, sizes, strict=True):
                    if written[at]:
                        file.write(self._spread.read_back(_PATHS[at].format(block.number)))

    def _orders(self, writer: Writer, parts: NDArray[np.uint8]) -> Iterable[_Order]:
        for block, (known, rows) in zip(self._blocks, writer.rows(), strict=True):
            labels = RowLabels(known.codes, writer.labels[rows])
            yield _Order(block, known.rendering, labels, parts[rows])
