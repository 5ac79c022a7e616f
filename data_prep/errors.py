"""How an input is refused: a class for each way, so that a caller can tell them apart by name.

Step Functions shows the class name as the error and the message as its cause, so a message says
where the problem is (line, column, value) and what to change.
"""

import json
from typing import Any


def shown(value: str, *, limit: int = 60) -> str:
    """Return a value from an input, quoted and cut to `limit` characters, for a message."""
    return repr(value if len(value) <= limit else f"{value[:limit]}...")


def listed(values: list[str] | tuple[str, ...], *, limit: int = 20) -> str:
    """Return names from an input as one comma-separated text, at most `limit` of them."""
    text = ", ".join(shown(value) for value in values[:limit])
    more = len(values) - limit
    return f"{text} and {more} more" if more > 0 else text


def pasted(value: object) -> str:
    """Return a value as JSON that can be pasted into an input, with nothing invisible in it."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class DataError(Exception):
    """An input that cannot be prepared.

    Attributes:
        problem: What is wrong, in one sentence without its full stop.
        remedy: What the person who gave the input can do.
        line: Line of the text file, counted from 1, where it was found.
        column: Name of the column where it was found.
        file: Of several files of one table, the one where it was found.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        line: int | None = None,
        column: str | None = None,
        file: str | None = None,
    ) -> None:
        places = [
            f"file {shown(file, limit=200)}" if file is not None else "",
            f"line {line}" if line is not None else "",
            f"column {shown(column)}" if column is not None else "",
        ]
        where = ", ".join(place for place in places if place)
        super().__init__(f"{where}: {problem}. {remedy}" if where else f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.line = line
        self.column = column
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way from one machine to another, which the arguments by name would not."""
        return _restored, (type(self), self.problem, self.remedy, self.line, self.column, self.file)


def _restored(
    kind: type[DataError],
    problem: str,
    remedy: str,
    line: int | None,
    column: str | None,
    file: str | None,
) -> DataError:
    return kind(problem, remedy=remedy, line=line, column=column, file=file)


def found_in(error: DataError, file: str, line: int | None) -> DataError:
    """Return a refusal that names the file of several in which it was met, and the line there."""
    return _restored(type(error), error.problem, error.remedy, line, error.column, file)


# Refusals that several rooms share. Every other one stands beside its check.


class UnsupportedFormatError(DataError):
    """The file is of a known kind that is not read here: Excel, tar and others."""


class TooLargeError(DataError):
    """The file or member is larger than the limit."""


class DamagedArchiveError(DataError):
    """A zip or gzip file is truncated, altered or malformed."""


class MemberNotFoundError(DataError):
    """The archive, or the bare file, is not the member that was asked for."""


class LineTooLongError(DataError):
    """A line is longer than the limit."""


class QuotingError(DataError):
    """A quoted value is not closed, or is followed by something else than a delimiter."""


class RaggedRowError(DataError):
    """A row has more or fewer values than there are columns."""


class SparseDataError(DataError):
    """A row in a sparse notation, ARFF's or LIBSVM's, is malformed."""


class NoRowsError(DataError):
    """There are columns but no row of data."""


class UnsupportedTypeError(DataError):
    """An attribute is declared string, date or relational."""
