"""Preparing a file on several machines: the two passes of `bulk`, by its own code, block by block.

The one machine that leads cuts the file into blocks and puts each where all can read it. The others
check blocks and describe them; what they found is gathered in the order of the file, so that the
first refusal is the one that a single machine would have met first. The leader deals the rows out,
and the others write their blocks' rows: train and validate as a file for each block, test and
batch-in to be joined, since a batch transform and its evaluation pair those two line by line.

How machines are reached is the business of whoever implements `Spread`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from data_prep import check, errors
from data_prep.bulk.blocks import Block
from data_prep.bulk.surveyed import Surveyed
from data_prep.bulk.texts import divided, part_of
from data_prep.bulk.work import Final, Kept, Survey, Work
from data_prep.bulk.writer import Writer
from data_prep.errors import DataError
from data_prep.read import Limits

# A block's share of the test part is held in memory while blocks are joined.
_LARGEST_BLOCK = 32 << 20
_SMALLEST_BLOCK = 1 << 10
# Blocks a machine, so that none idles for long at the end.
_BLOCKS_EACH = 4

T = TypeVar("T")
R = TypeVar("R")
Hashes = NDArray[np.uint64]


class Spread(Protocol):
    """Several machines that share out work.

    Attributes:
        machines: How many there are, or how many will read the shards, whichever is more.
    """

    @property
    def machines(self) -> int: ...  # noqa: D102 (described above)

    def put(self, number: int, data: bytes) -> None:
        """Put a block where every machine can read it."""

    def reader(self) -> Callable[[int], bytes]:
        """Return what reads a block by its number; it can be pickled."""

    def writer(self) -> Callable[[str, memoryview], None]:
        """Return what writes a file of the run by its path; it can be pickled."""

    def read_back(self, path: str) -> bytes:
        """Read what a machine has written."""

    def survey(
        self, function: Callable[[T], tuple[R, Hashes]], items: Sequence[T]
    ) -> tuple[list[R], int]:
        """Call a function on every item; return what it gives, in order, and repeated hashes.

        The hashes, eight bytes for each row, need not pass through the leader.
        """

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Call a function on every item; return what it gives, in order."""


class _Reference(NamedTuple):
    """A block that lies elsewhere: its number, and that of its first line."""

    number: int
    line: int


class _Refusal(NamedTuple):
    """A refusal on its way to the leader: exceptions do not survive the way with their types."""

    kind: str
    problem: str
    remedy: str
    line: int | None
    column: str | None

    @classmethod
    def of(cls, error: DataError) -> "_Refusal":
        return cls(type(error).__name__, error.problem, error.remedy, error.line, error.column)

    def error(self) -> DataError:
        kind: type[DataError] = getattr(errors, self.kind)
        return kind(self.problem, remedy=self.remedy, line=self.line, column=self.column)


@dataclass(frozen=True)
class _Survey:
    """Checks a block where it lies."""

    work: Work
    read: Callable[[int], bytes]

    def __call__(self, block: _Reference) -> tuple[Survey | _Refusal, Hashes]:
        try:
            found = self.work.survey(Block(self.read(block.number), block.line))
        except DataError as error:
            return _Refusal.of(error), np.empty(0, np.uint64)
        return found._replace(hashes=np.empty(0, np.uint64)), found.hashes


class _Order(NamedTuple):
    """What a machine must know to write a block.

    Attributes:
        kept: What the first pass learned.
        codes: The label's code of each row.
        labels: What is written for each row's label.
        parts: The part each row is in.
    """

    block: _Reference
    kept: Kept
    codes: NDArray[np.uint8]
    labels: NDArray[Any]
    parts: NDArray[np.uint8]


@dataclass(frozen=True)
class _Write:
    """Writes a block's rows where it lies; returns how many bytes each file got."""

    work: Work
    read: Callable[[int], bytes]
    write: Callable[[str, memoryview], None]
    final: Final

    def __call__(self, order: _Order) -> tuple[int, ...]:
        block = Block(self.read(order.block.number), order.block.line)
        final = self.final._replace(codes=order.codes)
        texts, places = self.work.render(block, order.kept, order.labels, final)
        pieces = divided(texts, places, order.parts, final.classes)
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
        work: What does not change from block to block.
        size: The file's bytes.
        spread: The machines.
    """

    def __init__(self, work: Work, size: int, spread: Spread) -> None:
        self._work = work
        self._spread = spread
        share = size // (_BLOCKS_EACH * spread.machines)
        self._block_bytes = min(max(share, _SMALLEST_BLOCK), _LARGEST_BLOCK)
        self._blocks: list[_Reference] = []

    def survey(self, limits: Limits) -> Surveyed:
        """Have every block checked.

        Raises:
            DataError: One of its classes: the input is refused.
        """
        for number, block in enumerate(self._work.blocks(self._block_bytes)):
            self._spread.put(number, bytes(block.data))
            self._blocks.append(_Reference(number, block.line))
        task = _Survey(self._work, self._spread.reader())
        found, duplicates = self._spread.survey(task, self._blocks)
        surveyed = Surveyed(self._work)
        for each in found:
            if isinstance(each, _Refusal):
                raise each.error()
            surveyed.take(each)
            check.check_row_count(len(surveyed.labels), limits.rows)
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
        task = _Write(self._work, self._spread.reader(), self._spread.writer(), writer.final(0))
        sizes = self._spread.each(task, list(self._orders(writer, part_numbers)))
        for at, path in _JOINED.items():
            with opener(path) as file:
                for block, written in zip(self._blocks, sizes, strict=True):
                    if written[at]:
                        file.write(self._spread.read_back(_PATHS[at].format(block.number)))

    def _orders(self, writer: Writer, parts: NDArray[np.uint8]) -> Iterable[_Order]:
        start = 0
        for block in self._blocks:
            kept = writer.surveyed.kept[block.number]
            mine = slice(start, start + kept.rows)
            codes = writer.surveyed.codes[block.number]
            yield _Order(block, kept, codes, writer.labels[mine], parts[mine])
            start += kept.rows
