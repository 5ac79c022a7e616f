"""What a format is: a row of the registry, and the reader of rows that it opens a file with."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple, Protocol, cast

from data_prep.errors import DataError, TooLargeError, shown
from data_prep.limits import Limits
from data_prep.numerals import Numerals
from data_prep.options import FormatOptions

# Values of a batch: rows are read so many at a time.
VALUES_AT_ONCE = 100_000


class Batch(NamedTuple):
    """Consecutive rows of a file, as text.

    Attributes:
        rows: The values of each row, as many as there are columns.
        lines: The line each row ends on, counted from 1.
    """

    rows: list[list[str]]
    lines: list[int]


class Rows(Protocol):
    """A file's columns, and the reader of its lines. It travels between machines: it is pickled.

    Attributes:
        names: The columns' names, in file order.
        nominal: For each column that declares its values, those values.
        numeric: The columns that are declared to be numbers.
        keeps_integers: Whether a column of whole numbers is written without a decimal point. pandas
            reads CSV so; scipy reads every ARFF number as a float.
        floats: The columns of floats whatever their values look like, as Parquet declares them.
        header_lines: How many lines come before the rows.
        delimiter: What separates the values of a line, quoted as in CSV; None where a line is
            something else, which then only this reader understands.
        own_marks: Bytes that only this reader understands. A block without one is parsed as CSV.
        missing: What a missing value looks like in this format, beside an empty one.
        index: The columns that number or name the rows and are no columns of the table; they are
            left out unless they are asked for.
        unreadable: The columns that cannot be read, with the refusals of those that are not
            dropped. They are read as empty.
        numerals: How numbers are written, where not as Python writes them.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102 (described above)
    @property
    def nominal(self) -> Mapping[str, tuple[str, ...]]: ...  # noqa: D102
    @property
    def numeric(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def keeps_integers(self) -> bool: ...  # noqa: D102
    @property
    def floats(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def header_lines(self) -> int: ...  # noqa: D102
    @property
    def delimiter(self) -> str | None: ...  # noqa: D102
    @property
    def own_marks(self) -> tuple[bytes, ...]: ...  # noqa: D102
    @property
    def missing(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def index(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def numerals(self) -> Numerals | None: ...  # noqa: D102
    @property
    def unreadable(self) -> Mapping[str, DataError]: ...  # noqa: D102

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some whole lines, of which the first has the number given.

        Raises:
            DataError: A row is malformed; the error names its line.
        """


class DataFile(Protocol):
    """A file whose rows are to be read, examined whole or not yet.

    Attributes:
        name: Its name in the archive, or the name of the bare file.
        binary: The format that its first bytes tell; None: it is text.
        limits: What is refused for its size.
        is_records: Whether its text begins as a list of JSON objects does, which may be one line.
        parts: The files that it consists of; none where it is one.
        starts: Where the rows of each of them begin, once they are read.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 (described above)
    @property
    def binary(self) -> "Format | None": ...  # noqa: D102
    @property
    def limits(self) -> Limits: ...  # noqa: D102
    @property
    def is_records(self) -> bool: ...  # noqa: D102
    @property
    def parts(self) -> "Sequence[PartFile]": ...  # noqa: D102
    @property
    def starts(self) -> "list[PartStart]": ...  # noqa: D102

    def open(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open its bytes from the start; `once`, to be read to the end, to examine it meanwhile."""

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open its text likewise as UTF-8, a byte order mark perhaps first."""


class PartFile(DataFile, Protocol):
    """One of several files that are read as one.

    Attributes:
        path: Its path among them.
        keys: What the folders of its path say of its rows: columns and their values.
    """

    @property
    def path(self) -> str: ...  # noqa: D102 (described above)
    @property
    def keys(self) -> Mapping[str, str]: ...  # noqa: D102


class PartStart(NamedTuple):
    """Where the rows of one of several files begin.

    Attributes:
        line: The number of the first line, of the lines of all files.
        in_file: That of the same line in the file.
        path: Of the file.
    """

    line: int
    in_file: int
    path: str


class Opened(NamedTuple):
    """A data file with its header read.

    Attributes:
        rows: Its columns, and the reader of its lines.
        open_lines: Opens the lines from the start as UTF-8, a byte order mark perhaps first. The
            header takes `rows.header_lines` of them.
        open_once: Does so for the first reading to the end, which may examine the file on its way.
        newline: What ends a line of its text, as `io.TextIOWrapper` takes it.
    """

    rows: Rows
    open_lines: Callable[[], io.BufferedIOBase]
    open_once: Callable[[], io.BufferedIOBase]
    newline: str | None = None

    def batches(self, last_line: int | None = None) -> Iterator[Batch]:
        """Yield the rows in file order, a bounded number at a time; it raises what `Rows` does.

        Args:
            last_line: The last line to read; all of them when None.
        """
        header = self.rows.header_lines
        with decoded(self.open_lines(), self.newline) as text:
            lines = islice(text, header, last_line)
            yield from self.rows.batches_of(lines, first_line=header + 1)


class Format(NamedTuple):
    """How a format is recognised, and how a file of it is opened.

    Attributes:
        name: What `FormatOptions.kind` calls it.
        suffixes: How its files' names end, in lower case.
        open: Reads a file's header.
        magic: What its files begin with, if they are binary.
        looks_like: Tells by its first lines whether a text of no known suffix is of this format.
        is_packed: Whether its rows take several times as many bytes once they are text.
        reads_from_end: Whether its reader looks for the end of the file first. Then the file is
            examined whole beforehand, and can be read from anywhere.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[DataFile, FormatOptions], Opened]
    magic: bytes = b""
    looks_like: Callable[[io.TextIOBase], bool] | None = None
    is_packed: bool = False
    reads_from_end: bool = False

    @property
    def is_text(self) -> bool:
        """Whether its files are text, of whatever encoding."""
        return not self.magic


def decoded(stream: io.BufferedIOBase, newline: str | None = None) -> io.TextIOWrapper:
    """Return the text of a stream of UTF-8, without a byte order mark."""
    # BinaryIO adds a name to what BufferedIOBase has; the wrapper does not use it.
    return io.TextIOWrapper(cast("BinaryIO", stream), encoding="utf-8-sig", newline=newline)


def of_text(file: DataFile, rows: Rows, newline: str | None = None) -> Opened:
    """Return a file of text whose lines are read as they are."""
    return Opened(rows, file.open_utf8, lambda: file.open_utf8(once=True), newline)


def check_width(name: str, rows: int, columns: int, size: int, limits: Limits) -> None:
    """Refuse rows that have many more values than their file writes out.

    Args:
        name: Of the file.
        rows: How many there are.
        columns: Of each.
        size: Characters of the rows as they are written.
        limits: How large they may be as text, and how many times larger than written.

    Raises:
        TooLargeError: They have.
    """
    values = rows * columns
    # A row as text has a line's length at the most, and two bytes for each value at the least.
    if (
        2 * columns > limits.line_bytes
        or values > limits.member_bytes
        or (values > limits.ratio_from and values > limits.ratio * size)
    ):
        raise TooLargeError(
            f"the {rows:,} rows of {shown(name)} with {columns:,} columns have {values:,} values, "
            f"of which few are written",
            remedy="Give fewer columns, or fewer rows.",
        )


class Pulled(io.RawIOBase):
    """Pieces of bytes as a stream, each made when it is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        """Read on, some bytes at least."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
