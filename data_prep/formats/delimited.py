"""A strict reader of CSV and its kin: comma, semicolon, tab or what is said between values.

A header is required, so that the label can be named, unless the file is said to have none.
Values read here are those that `pandas.read_csv(float_precision="round_trip")` reads.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from data_prep.errors import DataError, NoRowsError, QuotingError, RaggedRowError, shown
from data_prep.formats.base import VALUES_AT_ONCE, Batch, DataFile, Opened, decoded, of_text
from data_prep.limits import Limits
from data_prep.options import FormatOptions


class HeaderMissingError(DataError):
    """The first line holds values, not column names."""


class DelimiterError(DataError):
    """The file has one column: its values are separated by something else than , ; or tab."""


# The longest line is what limits a value; Python's own limit of 131,072 characters would not let
# the reader of rows take what pyarrow takes.
csv.field_size_limit(Limits().line_bytes)

_DELIMITERS = ",;\t"
_SNIFFED_ROWS = 20
# Line ends inside of quotes are told apart by the reader itself.
_NEWLINE = ""
_Open = Callable[[], io.TextIOBase]


def opened(file: DataFile, options: FormatOptions) -> Opened:
    """Read a delimited file's header.

    The delimiter, where it is not given, is the one of , ; and tab that gives the first rows
    equally many values, the most of them.

    Raises:
        NoRowsError: There are blank lines only.
        DelimiterError: No delimiter gives more than one column.
        HeaderMissingError: The first line holds numbers.
        QuotingError: The header's quotes are not closed.
    """

    def open_text() -> io.TextIOWrapper:
        return decoded(file.open_utf8(), _NEWLINE)

    delimiter = options.delimiter or _sniff(open_text)
    with open_text() as text:
        first, line = next(_rows(text, delimiter), ([], 1))
    names = tuple(name.strip() for name in first)
    if not names:
        raise NoRowsError("the file holds blank lines only", remedy="Give a header and rows.")
    if len(names) == 1:
        raise DelimiterError(
            f"{shown(names[0])} is the only column",
            remedy="Separate the values by commas, semicolons or tabs, or set "
            "source.format.delimiter.",
            line=line,
        )
    if options.header is False:
        names, line = tuple(f"column_{at}" for at in range(1, len(names) + 1)), 0
    elif options.header is None:
        _check_header(names, line)
    return of_text(file, DelimitedRows(names, line, delimiter), _NEWLINE)


def _check_header(names: tuple[str, ...], line: int) -> None:
    numbers = [name for name in names if _is_number(name)]
    if len(numbers) > len(names) / 2:
        raise HeaderMissingError(
            f"the first line holds values such as {shown(numbers[0])}, not column names",
            remedy="Put a line with the columns' names, the label's among them, on top; or set "
            "source.format.header to false.",
            line=line,
        )


class DelimitedRows:
    """A delimited file's columns, and the reader of its lines; see `Rows` for the attributes."""

    keeps_integers = True
    # pandas' own list (`pandas._libs.parsers.STR_NA_VALUES`) and the "?" of the UCI archive: what
    # pandas would turn into NaN.
    # fmt: off
    missing = frozenset([
        "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ])
    # fmt: on
    nominal: Mapping[str, tuple[str, ...]] = {}
    numeric: frozenset[str] = frozenset()
    own_marks: tuple[bytes, ...] = ()

    def __init__(
        self,
        names: tuple[str, ...],
        header_lines: int,
        delimiter: str,
        floats: frozenset[str] = frozenset(),
    ) -> None:
        self.names = names
        self.header_lines = header_lines
        self.delimiter = delimiter
        self.floats = floats

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some lines after the header.

        Raises:
            RaggedRowError: A row has more or fewer values than there are columns.
            QuotingError: A quoted value is not closed, or is followed by something else.
        """
        width = len(self.names)
        at_once = max(1, VALUES_AT_ONCE // width)
        found = _rows(lines, self.delimiter, first_line)
        while pairs := list(islice(found, at_once)):
            for row, line in pairs:
                if len(row) != width:
                    raise RaggedRowError(
                        f"the row has {len(row)} values and the header has {width}"
                        if self.header_lines
                        else f"the row has {len(row)} values and the first has {width}",
                        remedy="Correct or remove the row, or quote values that hold the "
                        f"delimiter {shown(self.delimiter)}.",
                        line=line,
                    )
            yield Batch([row for row, _ in pairs], [line for _, line in pairs])


def _rows(
    lines: Iterable[str], delimiter: str, first_line: int = 1
) -> Iterator[tuple[list[str], int]]:
    """Yield each row that is not blank with the line it ends on."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = first_line - 1
    while True:
        try:
            for row in reader:
                if row and (len(row) > 1 or row[0].strip()):
                    yield row, before + reader.line_num
        except csv.Error as error:
            raise QuotingError(
                f"the quotes do not pair up ({error})",
                remedy='Close them before the next delimiter; write a quote inside quotes as "".',
                line=before + reader.line_num,
            ) from error
        return


def _sniff(open_text: _Open) -> str:
    """Return the delimiter that fits the first rows best, a comma when none does."""
    best, best_score = _DELIMITERS[0], (False, 1)
    for delimiter in _DELIMITERS:
        with open_text() as text:
            try:
                widths = [len(row) for row, _ in islice(_rows(text, delimiter), _SNIFFED_ROWS)]
            except QuotingError:
                continue
        if not widths:
            continue
        score = (len(set(widths)) == 1 and widths[0] > 1, widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
