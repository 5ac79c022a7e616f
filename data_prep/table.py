"""What passes between the steps: a table of numbers."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

# In the place of a class's number: the row is in no part.
DROPPED = 255


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
        dropped: How many rows were left out for a label without a class, by that label; their
            number is `DROPPED`.
        lines: The line each row ends on.
    """

    features: tuple[Column, ...]
    labels: bytes
    target: Column | None
    classes: tuple[str, ...]
    dropped: Mapping[str, int] = MappingProxyType({})
    lines: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.labels if self.target is None else self.target.values)
