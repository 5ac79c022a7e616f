"""Which columns of a batch transform go in, which come out, and inputs joined to their predictions.

Source: "Associate Prediction Results with Input Records" in the SageMaker developer guide: the
JSONPath operators that filters take, the order (filter, predict, join, filter), and that the join
takes the input as it was before the filter.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from localcloud.sagemaker.errors import JobError

Row = list[str]
_Selector = Callable[[Row], Row]
# `$`, `$[1]`, `$[0,2,-1]`, `$[1:]`, `$[:-1]`, `$[2:5]`; blanks are allowed inside the brackets.
_INDEX = r"\s*-?\d+\s*"
_PATH = re.compile(
    rf"\$(?:\[(?:(?P<list>{_INDEX}(?:,{_INDEX})*)|(?P<start>{_INDEX})?\s*:\s*(?P<end>{_INDEX})?)\])?"
)


@dataclass(frozen=True)
class Processing:
    """A job's `DataProcessing` over CSV.

    Attributes:
        before: Selects the columns of an input row that the model gets.
        after: Selects the columns of a row of the output.
        joined: Whether a row of the output is the input's row and then the prediction.
    """

    before: _Selector | None
    after: _Selector | None
    joined: bool

    @property
    def wanted(self) -> bool:
        """Whether anything is to be done."""
        return self.joined or self.before is not None or self.after is not None

    def request(self, payload: bytes) -> bytes:
        """What the model gets of a payload.

        Raises:
            JobError: A row lacks a column that the filter names.
        """
        return payload if self.before is None else _write(map(self.before, _rows(payload)))

    def answer(self, payload: bytes, predicted: bytes) -> bytes:
        """What is written for a payload and the model's answer to it: one line a record.

        Raises:
            JobError: Payload and answer differ in their records, or a row lacks a column that the
                filter names.
        """
        if not self.joined and self.after is None:
            return predicted
        rows = _rows(predicted)
        if self.joined:
            inputs = _rows(payload)
            if len(inputs) != len(rows):
                raise JobError(
                    "ClientError: Fail to join data: mismatched line count between the input and "
                    f"the output ({len(inputs)} and {len(rows)})"
                )
            rows = [given + found for given, found in zip(inputs, rows, strict=True)]
        return _write(rows if self.after is None else map(self.after, rows))


def selector(path: str | None) -> _Selector | None:
    """Reads a filter; None stands for all columns.

    Raises:
        ValueError: It is not a JSONPath that CSV rows can be filtered with.
    """
    match = _PATH.fullmatch((path or "$").strip())
    if match is None:
        raise ValueError(
            f"{path!r} does not filter CSV. Use $, $[1], $[0,2], or a slice like $[1:]."
        )
    if match[0] == "$":
        return None
    if match["list"] is not None:
        places = [int(place) for place in match["list"].split(",")]

        def pick(row: Row) -> Row:
            try:
                return [row[place] for place in places]
            except IndexError:
                raise JobError(
                    f"ClientError: the filter {path} names a column that a row of {len(row)} "
                    "columns does not have"
                ) from None

        return pick
    start, end = (int(match[part]) if match[part] else None for part in ("start", "end"))
    return lambda row: row[start:end]


def _rows(text: bytes) -> list[Row]:
    reader = csv.reader(io.StringIO(text.decode(), newline=""))
    return [row for row in reader if row]


def _write(rows: Iterable[Row]) -> bytes:
    output = io.StringIO()
    csv.writer(output, lineterminator="\n").writerows(rows)
    return output.getvalue().encode()
