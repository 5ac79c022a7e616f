"""A strict reader of CSV and its kin: comma, semicolon, tab, blanks or what is said between values.

A header is required, so that the label can be named, unless the file is said to have none.
Values read here are those that `pandas.read_csv(float_precision="round_trip")` reads.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from data_prep.errors import DataError, NoRowsError, QuotingError, RaggedRowError, pasted, shown
from data_prep.formats.base import VALUES_AT_ONCE, Batch, DataFile, Opened, decoded, of_text
from data_prep.limits import Limits
from data_prep.numerals import Numerals
from data_prep.options import WHITESPACE, FormatOptions


class HeaderMissingError(DataError):
    """The first line holds values, not column names."""


class HeaderFoundError(DataError):
    """The file is said to have no header, and its first line holds column names."""


class ColumnNamesError(DataError):
    """`format.names` gives another number of names than there are columns."""


class DelimiterError(DataError):
    """The file has one column: its values are separated by something else than , ; or tab."""


# The longest line is what limits a value; Python's own limit of 131,072 characters would not let
# the reader of rows take what pyarrow takes.
csv.field_size_limit(Limits().line_bytes)

_DELIMITERS = ",;\t"
_SNIFFED_ROWS = 20
# Line ends inside of quotes are told apart by the reader itself.
_NEWLINE = ""
# What Excel writes on top to say the delimiter.
_SEPARATOR = re.compile(r'"?sep=(?P<delimiter>[^\r\n])"?[\r\n]*', re.IGNORECASE)
# What R calls the column that its header leaves out.
_ROW_NAMES = "row.names"
# The end of a line that is not blank.
_LINE_END = re.compile(rb"(?<=[^\r\n])\r?\n")
_LINE_END_AFTER_QUOTE = re.compile(rb"(?:(?<=[^\r\n])|\A)\r?\n")
_Open = Callable[[], io.TextIOBase]


class Dialect(NamedTuple):
    """How lines become values.

    Attributes:
        delimiter: One character, or `WHITESPACE` for any run of blanks and tabs.
        comment: What a line begins with that is no row; None: no line is.
    """

    delimiter: str
    comment: str | None = None


def opened(file: DataFile, options: FormatOptions, *, named_rows: bool = True) -> Opened:
    """Read a delimited file's header.

    The delimiter, where neither the options nor a line `sep=` give it, is the one of , ; and tab
    that gives the first rows equally many values, the most of them; blanks where none does.

    Args:
        file: The file.
        options: How it is written.
        named_rows: Whether a header with one name fewer than values is one of R's.

    Raises:
        NoRowsError: There are blank lines only.
        DelimiterError: No delimiter gives more than one column.
        HeaderMissingError: The first line holds values.
        HeaderFoundError: The first line holds names although there is said to be no header.
        ColumnNamesError: Another number of names is given than there are columns.
        QuotingError: The header's quotes are not closed.
    """

    def open_text() -> io.TextIOWrapper:
        return decoded(file.open_utf8(), _NEWLINE)

    delimiter, skipped = options.delimiter, 0
    with open_text() as text:
        # No more of a long line than tells.
        said = _SEPARATOR.fullmatch(text.readline(8))
        if said is not None:
            delimiter, skipped = delimiter or said["delimiter"], 1
    dialect = Dialect(delimiter or _sniff(open_text, options.comment, skipped), options.comment)
    first, line, sample = _first_rows(open_text, dialect, skipped)
    names = tuple(name.strip() for name in first)
    if not names:
        raise NoRowsError("the file holds blank lines only", remedy="Give a header and rows.")
    index: frozenset[str] = frozenset()
    if named_rows and options.header is not False and not options.names and _is_r(names, sample):
        names, index = (_ROW_NAMES, *names), frozenset([_ROW_NAMES])
    if len(names) == 1:
        raise DelimiterError(
            f"{shown(names[0])} is the only column",
            remedy="Separate the values by commas, semicolons or tabs, or set "
            "source.format.delimiter.",
            line=line,
        )
    if options.names:
        _check_count(options.names, names, line)
        # Names without a word of a header are those of a file without one, as in pandas.
        names, line = tuple(options.names), line if options.header else skipped
    elif options.header is False:
        _check_no_header(names, sample, line)
        names, line = tuple(f"column_{at}" for at in range(1, len(names) + 1)), skipped
    elif options.header is None:
        _check_header(names, sample, line)
    numerals = None
    if options.decimal or options.thousands:
        numerals = Numerals(options.decimal or ".", options.thousands)
    rows = DelimitedRows(
        names,
        line,
        dialect,
        missing=DelimitedRows.missing.union(options.na_values),
        index=index,
        numerals=numerals,
    )
    return of_text(file, rows, _NEWLINE)


def _first_rows(
    open_text: _Open, dialect: Dialect, skipped: int
) -> tuple[list[str], int, list[list[str]]]:
    """Return the first row, the line it ends on, and some more rows as far as they can be read."""
    with open_text() as text:
        found = _rows(islice(text, skipped, None), dialect, skipped + 1)
        first, line = next(found, ([], 1))
        sample: list[list[str]] = []
        try:
            sample.extend(row for row, _ in islice(found, _SNIFFED_ROWS))
        except QuotingError:
            # Who reads the rows meets it again.
            sample.clear()
    return first, line, sample


def _is_r(names: tuple[str, ...], sample: list[list[str]]) -> bool:
    """Tell whether each row begins with a name that the header has none for, as R writes them.

    Where every row ends with a delimiter, it is that which makes them longer.
    """
    return bool(sample) and (
        all(len(row) == len(names) + 1 for row in sample) and any(row[-1].strip() for row in sample)
    )


def _check_count(given: Sequence[str], names: tuple[str, ...], line: int) -> None:
    if len(given) != len(names):
        raise ColumnNamesError(
            f"source.format.names has {len(given)} names and the file {len(names)} columns",
            remedy=f"Give {len(names)} names, in the order of the columns.",
            line=line,
        )


def _check_header(names: tuple[str, ...], sample: list[list[str]], line: int) -> None:
    """Refuse a first line of values, which is told by numbers and by texts that come again."""
    numbers = [name for name in names if _is_number(name)]
    again = [
        name
        for at, name in enumerate(names)
        if name
        and not _is_number(name)
        and any(row[at].strip() == name for row in sample if len(row) == len(names))
    ]
    few = len(numbers) <= len(names) / 2
    if few and len(again) <= len(names) / 2 and not (numbers and again):
        return
    if _is_numbering(names, sample):
        remedy = "Set source.format.header to true if they are; or name the columns otherwise."
    else:
        remedy = (
            "Put a line with the columns' names, the label's among them, on top; or set "
            "source.format.header to false."
        )
    value = (numbers if not few or not again else again)[0]
    raise HeaderMissingError(
        f"the first line holds values such as {shown(value)}, not column names",
        remedy=remedy,
        line=line,
    )


def _check_no_header(names: tuple[str, ...], sample: list[list[str]], line: int) -> None:
    """Refuse a first line of names: words over numbers only, or the columns' own numbers."""
    rows = [row for row in sample if len(row) == len(names)]
    words = [
        name
        for at, name in enumerate(names)
        if name
        and not _is_number(name)
        and name not in DelimitedRows.missing
        and rows
        and all(_is_number(row[at]) for row in rows)
    ]
    if len(words) > len(names) / 2 or _is_numbering(names, rows):
        raise HeaderFoundError(
            f"source.format.header is false and the first line holds names: "
            f"{', '.join(map(shown, (words or names)[:5]))}",
            remedy="Set source.format.header to true; or, if it is a row of data, give the "
            f"columns' names as source.format.names, such as {pasted(['x', 'y'])}.",
            line=line,
        )


def _is_numbering(names: tuple[str, ...], sample: list[list[str]]) -> bool:
    """Tell whether numbers that are names count, from 0 or 1, over rows of other numbers."""
    at = [place for place, name in enumerate(names) if _is_number(name)]
    numbers = [names[place] for place in at]
    counted = [[str(number) for number in range(start, start + len(at))] for start in (0, 1)]
    rows = [row for row in sample if len(row) == len(names)]
    return (
        len(numbers) > 2
        and len(numbers) > len(names) / 2
        and numbers in counted
        and bool(rows)
        and not any(all(row[place].strip().isdigit() for place in at) for row in rows)
    )


class DelimitedRows:
    """A delimited file's columns, and the reader of its lines; see `Rows` for the attributes."""

    keeps_integers = True
    # pandas' own list (`pandas._libs.parsers.STR_NA_VALUES`), the "?" of the UCI archive, and what
    # Hive, MySQL and Oracle write: what pandas would turn into NaN, and the databases' nulls.
    # fmt: off
    missing = frozenset([
        "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "\\N", "(null)",
    ])
    # fmt: on
    nominal: Mapping[str, tuple[str, ...]] = {}
    numeric: frozenset[str] = frozenset()

    def __init__(
        self,
        names: tuple[str, ...],
        header_lines: int,
        dialect: Dialect | str,
        floats: frozenset[str] = frozenset(),
        *,
        missing: frozenset[str] | None = None,
        index: frozenset[str] = frozenset(),
        unreadable: Mapping[str, DataError] | None = None,
        numerals: Numerals | None = None,
    ) -> None:
        self.names = names
        self.header_lines = header_lines
        self.floats = floats
        self.index = index
        self.unreadable = unreadable or {}
        self.numerals = numerals
        if missing is not None:
            self.missing = missing
        self._dialect = Dialect(dialect) if isinstance(dialect, str) else dialect
        self._gaps = frozenset(filter(_is_number, self.missing - DelimitedRows.missing))
        comment = self._dialect.comment
        self.own_marks: tuple[bytes, ...] = (comment.encode(),) if comment else ()

    @property
    def spoken(self) -> str:
        """What stands between the values, as it is said in `FormatOptions`."""
        return self._dialect.delimiter

    @property
    def delimiter(self) -> str | None:
        """What separates the values; None where a line is read otherwise than CSV is."""
        only_here = self.numerals or self._gaps or self._dialect.delimiter == WHITESPACE
        return None if only_here else self._dialect.delimiter

    def extended(self, names: Sequence[str]) -> "DelimitedRows":
        """Return the reader of lines that `ended` has made longer by some columns."""
        return self.replaced(names=(*self.names, *names))

    def replaced(self, **changes: Any) -> "DelimitedRows":
        """Return a reader that differs in some attributes."""
        # Without the module copy, whose import takes longer than reading a small file.
        found = object.__new__(DelimitedRows)
        vars(found).update({**vars(self), **changes})
        return found

    def ended(self, lines: bytes, values: Mapping[str, str]) -> bytes:
        """Return whole lines, in which quotes pair up, with some more values at the end of each."""
        delimiter = " " if self._dialect.delimiter == WHITESPACE else self._dialect.delimiter
        sink = io.StringIO()
        csv.writer(sink, delimiter=delimiter, lineterminator="").writerow(values.values())
        more = f"{delimiter}{sink.getvalue()}".encode()
        # Every other piece is within quotes; all but the first begin after one.
        pieces = lines.split(b'"')
        for at in range(0, len(pieces), 2):
            end = _LINE_END if at == 0 else _LINE_END_AFTER_QUOTE
            pieces[at] = end.sub(lambda found: more + found[0], pieces[at])
        return b'"'.join(pieces)

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some lines after the header.

        Raises:
            RaggedRowError: A row has more or fewer values than there are columns.
            QuotingError: A quoted value is not closed, or is followed by something else.
        """
        width = len(self.names)
        at_once = max(1, VALUES_AT_ONCE // width)
        found = _rows(lines, self._dialect, first_line)
        while pairs := list(islice(found, at_once)):
            for row, line in pairs:
                if len(row) != width:
                    raise RaggedRowError(
                        f"the row has {len(row)} values and the header has {width}"
                        if self.header_lines
                        else f"the row has {len(row)} values and the first has {width}",
                        remedy="Correct or remove the row, or quote values that hold the "
                        f"delimiter {shown(self._dialect.delimiter)}.",
                        line=line,
                    )
            rows = [row for row, _ in pairs]
            if self._gaps:
                # A number that stands for a missing value would pass for one.
                rows = [["" if v.strip() in self._gaps else v for v in row] for row in rows]
            yield Batch(rows, [line for _, line in pairs])


def _rows(
    lines: Iterable[str], dialect: Dialect, first_line: int = 1
) -> Iterator[tuple[list[str], int]]:
    """Yield each row that is not blank with the line it ends on."""
    delimiter = dialect.delimiter
    if dialect.comment:
        lines = _uncommented(lines, dialect.comment)
    if delimiter == WHITESPACE:
        reader = csv.reader(map(_aligned, lines), delimiter=" ", skipinitialspace=True, strict=True)
    else:
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


def _aligned(line: str) -> str:
    """Return a line with single blanks between its values, as far as there are no quotes."""
    return line.rstrip() + "\n" if '"' in line else " ".join(line.split()) + "\n"


def _uncommented(lines: Iterable[str], comment: str) -> Iterator[str]:
    """Yield the lines, a blank one for each comment; a quoted value may go on over such a line."""
    quoted = False
    for line in lines:
        if not quoted and line.lstrip(" \t").startswith(comment):
            yield "\n"
            continue
        quoted ^= bool(line.count('"') % 2)
        yield line


def _sniff(open_text: _Open, comment: str | None, skipped: int) -> str:
    """Return the delimiter that fits the first rows best, a comma when none does."""
    best, best_score = _DELIMITERS[0], (False, 1)
    for delimiter in (*_DELIMITERS, WHITESPACE):
        if delimiter == WHITESPACE and best_score > (False, 1):
            break
        with open_text() as text:
            lines = islice(text, skipped, None)
            try:
                rows = islice(_rows(lines, Dialect(delimiter, comment)), _SNIFFED_ROWS)
                widths = [len(row) for row, _ in rows]
            except QuotingError:
                continue
        if not widths:
            continue
        score = (len(set(widths)) == 1 and widths[0] > 1, widths[0])
        if delimiter == WHITESPACE:
            # Words of one line are no columns. R's header has one name fewer than its rows.
            if len(set(widths[1:])) != 1 or widths[1] - widths[0] not in (0, 1):
                continue
            score = (True, widths[1])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
