"""What passes between the steps: rows as text from the readers, then a table of numbers."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Batch(NamedTuple):
    """Consecutive rows of a file, as text.

    Attributes:
        rows: The values of each row, as many as there are columns.
        lines: The line each row ends on, counted from 1.
    """

    rows: list[list[str]]
    lines: list[int]


class Rows(Protocol):
    """A file's columns and its rows; what each format's reader returns.

    Attributes:
        names: The columns' names, in file order.
        nominal: For each column that declares its values, those values.
        numeric: The columns that are declared to be numbers.
        keeps_integers: Whether a column of whole numbers is written without a decimal point. pandas
            reads CSV so; scipy reads every ARFF number as a float.
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
    def missing(self) -> frozenset[str]: ...  # noqa: D102

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in file order, a bounded number at a time."""


@dataclass(slots=True)
class Column:
    """A feature: its finite values as 64-bit floats, and how they are written.

    Attributes:
        name: The column's name.
        values: One value for each row.
        integers: Whether every value is written as a whole number.
        exact: Rows whose whole number a float cannot hold, with that number.
    """

    name: str
    # Quoted: array cannot be subscripted before Python 3.12.
    values: "array[float]" = field(default_factory=lambda: array("d"))
    integers: bool = True
    exact: dict[int, int] = field(default_factory=dict)

    def texts(self, rows: list[int]) -> Iterator[str]:
        """Return the values of these rows as pandas' `to_csv` writes them."""
        values = map(self.values.__getitem__, rows)
        if not self.integers:
            return map(repr, values)
        if not self.exact:
            return map(str, map(int, values))
        return (
            str(self.exact.get(row, int(value))) for row, value in zip(rows, values, strict=True)
        )


class Classes(NamedTuple):
    """The label's two values as the file writes them: positive becomes 1, negative 0."""

    positive: str
    negative: str


@dataclass(frozen=True, slots=True)
class Table:
    """A checked input: numeric features, and a label of two classes.

    Attributes:
        features: The columns except the label, in file order, all of `len(labels)` values.
        labels: 1 or 0 for each row.
        label: The label column's name.
        classes: The two values the label had.
    """

    features: tuple[Column, ...]
    labels: bytes
    label: str
    classes: Classes
