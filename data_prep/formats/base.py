"""What a format is: a row of the registry, and the reader of rows that it opens a file with."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import BinaryIO, NamedTuple, Protocol, cast

from data_prep.limits import Limits
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
    """

    @property
    def name(self) -> str: ...  # noqa: D102 (described above)
    @property
    def binary(self) -> "Format | None": ...  # noqa: D102
    @property
    def limits(self) -> Limits: ...  # noqa: D102

    def open(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open its bytes from the start; `once`, to be read to the end, to examine it meanwhile."""

    def open_utf8(self, *, once: bool = False) -> io.BufferedIOBase:
        """Open its text likewise as UTF-8, a byte order mark perhaps first."""


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
