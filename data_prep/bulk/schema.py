"""What is known of a large file before its rows are checked; the same for each of its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from data_prep import check
from data_prep.bulk import blocks
from data_prep.check import Layout
from data_prep.errors import DataError
from data_prep.formats.base import Opened, Rows
from data_prep.options import Objective, Task, Wanted

# Wider rows would make patterns larger than RE2 takes.
_WIDEST_PATTERN = 64
# Rows and bytes that are looked at beforehand.
_SAMPLED_ROWS = 200
_SAMPLED_BYTES = 1 << 16


@dataclass(frozen=True)
class Schema:
    """The columns, and what becomes of them. It travels between machines: it is pickled.

    Attributes:
        rows: The reader of lines.
        layout: What each column is for. A regression's label is the first of the features: a number
            as any other, written first.
        task: What the label is for.
        positive: The value of a binary label that becomes 1; None for other tasks.
        objective: Whose domain a regression's label is held to.
        drops_unlabelled: Whether rows without a label are left out.
        keeps_gaps: Whether missing values are passed on.
        floats: Of each feature, whether it is known to be of floats.
        label_last: Whether the label is the last column.
        is_in_place: Whether rows could stay as they are but for the label: the file holds the
            features side by side, in order, with commas between.
        is_decimal: Whether the first rows hold nothing but decimal numbers and labels besides.
    """

    rows: Rows
    layout: Layout
    task: Task
    positive: str | None
    objective: Objective | None
    drops_unlabelled: bool
    keeps_gaps: bool
    floats: tuple[bool, ...]
    label_last: bool
    is_in_place: bool
    is_decimal: bool

    @property
    def is_regression(self) -> bool:
        """Whether the label is a number."""
        return self.task == "regression"

    @classmethod
    def of(cls, opened: Opened, wanted: Wanted) -> Self:
        """Return a file's schema.

        Raises:
            DataError: One of its classes for columns.
        """
        rows = opened.rows
        layout = check.layout(rows, wanted)
        at = layout.features
        label_last = layout.label == len(at)
        if wanted.task == "regression":
            layout = layout._replace(features=(layout.label, *at))
        floats, is_decimal = _sampled(opened, layout)
        is_in_place = (
            (at == tuple(range(len(at))) or at == tuple(range(1, len(at) + 1)))
            and wanted.task != "regression"
            and len(rows.names) == len(at) + 1
            and not layout.categorical
            and len(at) <= _WIDEST_PATTERN
            and rows.delimiter == ","
        )
        return cls(
            rows,
            layout,
            wanted.task,
            wanted.positive if wanted.task == "binary" else None,
            wanted.objective,
            wanted.missing_label == "drop",
            wanted.missing == "pass",
            floats,
            label_last,
            is_in_place,
            is_in_place and is_decimal,
        )


def _sampled(opened: Opened, layout: Layout) -> tuple[tuple[bool, ...], bool]:
    """Tell by the first rows which features are floats already, so that none is tried whole.

    Returns:
        That, and whether each value of a feature has a decimal point, and no value a quote.
    """
    rows = opened.rows
    floats = [not column.integers for column in layout.columns(rows)]
    try:
        with opened.open_lines() as stream:
            head = next(blocks.cut(stream, rows.header_lines, _SAMPLED_BYTES), None)
        text = bytes(head.data).decode() if head else ""
        is_decimal = not any(quote in text for quote in "'\"")
        lines = text.splitlines(keepends=True)[:_SAMPLED_ROWS]
        for batch in rows.batches_of(lines, first_line=1):
            for which, at in enumerate(layout.features):
                pointed = [text for row in batch.rows if "." in (text := row[at].strip())]
                is_decimal = is_decimal and len(pointed) == len(batch.rows)
                if pointed and at not in layout.categorical:
                    float(pointed[0])
                    floats[which] = True
    except (DataError, ValueError):
        # The first pass meets the same rows and says what is wrong with them.
        return tuple(floats), False
    return tuple(floats), is_decimal
