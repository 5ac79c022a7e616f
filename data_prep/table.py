"""What passes between the steps: rows as text from the readers, then a table of numbers."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
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
        floats: The columns of floats whatever their values look like, as Parquet declares them.
        header_lines: How many lines come before the rows.
        delimiter: What separates the values of a row.
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
    def delimiter(self) -> str: ...  # noqa: D102
    @property
    def missing(self) -> frozenset[str]: ...  # noqa: D102

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in file order, a bounded number at a time."""

    def batches_of(self, lines: Iterable[str], *, first_line: int) -> Iterator[Batch]:
        """Yield the rows of some whole lines, of which the first has the number given."""


class Column:
    """A feature: its values as 64-bit floats, and how they are written.

    Attributes:
        name: The column's name.
        values: One value for each row, NaN where it is missing. Of a categorical column they are
            numbers of `codes`.
        integers: Whether every value is written as a whole number.
        exact: Rows whose whole number a float cannot hold, with that number.
        codes: Of a categorical column: its values in order of appearance, with their numbers; the
            declared ones first, in their order.
        declared: Whether the codes' order was declared.
        missing: How many values are missing.
    """

    __slots__ = ("codes", "declared", "exact", "integers", "missing", "name", "values")

    def __init__(
        self, name: str, *, integers: bool, categories: tuple[str, ...] | None = None
    ) -> None:
        self.name = name
        # Quoted: array cannot be subscripted before Python 3.12.
        self.values: array[float] = array("d")
        self.integers = integers or categories is not None
        self.exact: dict[int, int] = {}
        self.codes: dict[str, int] | None = None
        self.declared = bool(categories)
        if categories is not None:
            self.codes = {value: code for code, value in enumerate(categories)}
        self.missing = 0

    def categories(self) -> list[str] | None:
        """Return the values of a categorical column in the order of the numbers written."""
        if self.codes is None:
            return None
        return list(self.codes) if self.declared else sorted(self.codes)

    def settle(self) -> None:
        """Once every row is read: number the categories in their final order."""
        final = self.categories()
        if self.codes is None or final is None or self.declared:
            return
        place = {value: float(code) for code, value in enumerate(final)}
        numbers = {float(code): place[value] for value, code in self.codes.items()}
        self.values = array("d", [numbers.get(value, value) for value in self.values])
        self.codes = {value: code for code, value in enumerate(final)}

    def texts(self, rows: list[int]) -> Iterator[str]:
        """Return the values of these rows as pandas' `to_csv` writes them."""
        values = map(self.values.__getitem__, rows)
        if self.missing:
            return self._texts_with_gaps(values)
        if not self.integers:
            return map(repr, values)
        if not self.exact:
            return map(str, map(int, values))
        return (
            str(self.exact.get(row, int(value))) for row, value in zip(rows, values, strict=True)
        )

    def _texts_with_gaps(self, values: Iterator[float]) -> Iterator[str]:
        write = (lambda value: str(int(value))) if self.integers else repr
        return ("" if value != value else write(value) for value in values)


class Table(NamedTuple):
    """A checked input: numeric features, and a label of classes or of numbers.

    Attributes:
        features: The columns except the label, in file order, of one length.
        labels: The number of each row's class; empty for a regression.
        target: A regression's label; None for classes.
        classes: The label's values as the file writes them, by the numbers written for them;
            empty for a regression. With one class against the rest, the first is the list of the
            others.
    """

    features: tuple[Column, ...]
    labels: bytes
    target: Column | None
    classes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.labels if self.target is None else self.target.values)
