"""predictions.csv: the test rows with what the model made of them. Pure."""

from collections.abc import Iterator

from .evaluation import Columns

# As Python's own numbers and text rows take twenty times the memory.
_ROWS_AT_ONCE = 50_000


def lines(columns: Columns) -> Iterator[str]:
    """Yield the rows with a header, counted from 1, some of them at a time."""
    yield ",".join(["row", *columns.names]) + "\n"
    for start in range(0, len(columns.values[0]), _ROWS_AT_ONCE):
        some = (values[start : start + _ROWS_AT_ONCE].tolist() for values in columns.values)
        numbered = (
            ",".join(map(repr, (number, *row)))
            for number, row in enumerate(zip(*some, strict=True), start=start + 1)
        )
        yield "\n".join([*numbered, ""])
