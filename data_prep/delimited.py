"""A strict reader of CSV and its kin: comma, semicolon or tab between values, names in line one.

A header is required, so that the label can be named. Values read here are those that
`pandas.read_csv(float_precision="round_trip")` reads.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from .arff import VALUES_AT_ONCE
from .errors import (
    DelimiterError,
    HeaderMissingError,
    NoRowsError,
    QuotingError,
    RaggedRowError,
    shown,
)
from .table import Batch

_DELIMITERS = ",;\t"
_SNIFFED_ROWS = 20
_Open = Callable[[], io.TextIOBase]


class DelimitedRows:
    """A delimited file's columns, and its rows as text.

    The delimiter is the one of , ; and tab that gives the first rows equally many values, the most
    of them.

    Raises:
        DelimiterError: No delimiter gives more than one column.
        HeaderMissingError: The first line holds numbers.
        QuotingError: The header's quotes are not closed.
    """

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

    def __init__(self, open_text: _Open) -> None:
        self._open_text = open_text
        self._delimiter = _sniff(open_text)
        with open_text() as text:
            header, line = next(_rows(text, self._delimiter), ([], 1))
        names = tuple(name.strip() for name in header)
        if not names:
            raise NoRowsError("the file holds blank lines only", remedy="Give a header and rows.")
        if len(names) == 1:
            raise DelimiterError(
                f"{shown(names[0])} is the only column",
                remedy="Separate the values by commas, semicolons or tabs.",
                line=line,
            )
        numbers = [name for name in names if _is_number(name)]
        if len(numbers) > len(names) / 2:
            raise HeaderMissingError(
                f"the first line holds values such as {shown(numbers[0])}, not column names",
                remedy="Put a line with the columns' names, the label's among them, on top.",
                line=line,
            )
        self.names = names

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in file order.

        Raises:
            RaggedRowError: A row has more or fewer values than the header.
            QuotingError: A quoted value is not closed, or is followed by something else.
        """
        width = len(self.names)
        at_once = max(1, VALUES_AT_ONCE // width)
        with self._open_text() as text:
            found = islice(_rows(text, self._delimiter), 1, None)
            while pairs := list(islice(found, at_once)):
                for row, line in pairs:
                    if len(row) != width:
                        raise RaggedRowError(
                            f"the row has {len(row)} values and the header has {width}",
                            remedy="Correct or remove the row, or quote values that hold the "
                            f"delimiter {shown(self._delimiter)}.",
                            line=line,
                        )
                yield Batch([row for row, _ in pairs], [line for _, line in pairs])


def _rows(text: io.TextIOBase, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield each row that is not blank with its line, the header first."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        try:
            for row in reader:
                if row and (len(row) > 1 or row[0].strip()):
                    yield row, reader.line_num
        except csv.Error as error:
            raise QuotingError(
                f"the quotes do not pair up ({error})",
                remedy='Close them before the next delimiter; write a quote inside quotes as "".',
                line=reader.line_num,
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
