"""How an input is refused: a class for each way, so that a caller can tell them apart by name.

Step Functions shows the class name as the error and the message as its cause, so a message says
where the problem is (line, column, value) and what to change.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

# Of further problems: an error's cause has 32,768 characters in Step Functions.
_MOST_SHOWN = 20


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


def merged(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input with the fields of another: sections are joined, lists of names, too."""
    whole = dict(given)
    for name, value in more.items():
        old = whole.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            whole[name] = merged(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            whole[name] = [*old, *(each for each in value if each not in old)]
        else:
            whole[name] = value
    return whole


class DataError(Exception):
    """An input that cannot be prepared.

    Attributes:
        problem: What is wrong, in one sentence without its full stop.
        remedy: What the person who gave the input can do.
        line: Line of the text file, counted from 1, where it was found.
        column: Name of the column where it was found.
        fix: What solves it in the execution input, to be merged with it; empty where nothing there
            does.
        others: What else is wrong with the file, where it was looked for. The message tells of
            these, too, and the remedy ends with what solves all of them that the input can solve.
        file: Of several files of one table, the one where it was found.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        line: int | None = None,
        column: str | None = None,
        fix: Mapping[str, Any] | None = None,
        others: Sequence["DataError"] = (),
        file: str | None = None,
    ) -> None:
        self.own_remedy = remedy
        self.problem = problem
        self.line = line
        self.column = column
        self.fix = dict(fix or {})
        self.others = tuple(others)
        self.file = file
        whole: dict[str, Any] = {}
        for each in (self.fix, *(other.fix for other in self.others)):
            whole = merged(whole, each)
        self.remedy = remedy
        if whole:
            last = f"Add to the execution input: {pasted(whole)}."
            self.remedy = last if self.others else f"{remedy} {last}"
        parts = [self.own_text() if self.others else f"{self.where()}{problem}. {self.remedy}"]
        if self.others:
            parts += [f"Also: {other.own_text()}" for other in self.others[:_MOST_SHOWN]]
            if (more := len(self.others) - _MOST_SHOWN) > 0:
                parts.append(f"And {more} more.")
            if whole:
                parts.append(self.remedy)
            else:
                self.remedy = self.others[-1].own_remedy if more <= 0 else f"And {more} more."
        super().__init__(" ".join(parts))

    def where(self) -> str:
        """Return the place as the message begins with it."""
        places = [
            f"file {shown(self.file, limit=200)}" if self.file is not None else "",
            f"line {self.line}" if self.line is not None else "",
            f"column {shown(self.column)}" if self.column is not None else "",
        ]
        where = ", ".join(place for place in places if place)
        return f"{where}: " if where else ""

    def own_text(self) -> str:
        """Return the message of this problem alone, without what to paste."""
        return f"{self.where()}{self.problem}. {self.own_remedy}"

    def told(
        self, *, fix: Mapping[str, Any] | None = None, others: Sequence["DataError"] = ()
    ) -> "DataError":
        """Return the same refusal with what solves it, and with what else is wrong."""
        return self._with(fix=self.fix if fix is None else fix, others=others)

    def found_in(self, file: str, line: int | None) -> "DataError":
        """Return the same refusal with the file of several it was met in, and the line there."""
        return self._with(file=file, line=line)

    def _with(self, **changes: Any) -> "DataError":
        return _restored(type(self), self.problem, self._given() | changes)

    def _given(self) -> dict[str, Any]:
        return {
            "remedy": self.own_remedy,
            "line": self.line,
            "column": self.column,
            "fix": self.fix,
            "others": self.others,
            "file": self.file,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way from one machine to another, which the arguments by name would not."""
        return _restored, (type(self), self.problem, self._given())


def _restored(kind: type[DataError], problem: str, given: dict[str, Any]) -> DataError:
    return kind(problem, **given)


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
