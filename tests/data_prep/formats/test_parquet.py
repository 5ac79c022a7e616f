"""Parquet's columns become the text that the other readers check."""

import datetime as dt
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import DataError, Wanted, check, formats
from data_prep.formats.base import Opened
from data_prep.source.examination import examine
from tests.data_prep.support import run


def opened(table: pa.Table) -> Opened:
    """Open a table as a file that has been examined."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    file = examine(sink, name="x.parquet")
    file.finish()
    return formats.opened(file)


def test_every_type_is_written_as_the_text_that_small_files_hold() -> None:
    """Truth values are 0 and 1, floats the shortest decimals; decimals stay, gaps are empty."""
    table = pa.table(
        {
            "truth": [True, False, None],
            "half": pa.array([0.5, 1.5, None], pa.float16()),
            "real": [0.1, float("nan"), 1e300],
            "whole": [2**62, -1, None],
            "decimal": [decimal.Decimal("1.50"), None, decimal.Decimal("2")],
            "word": pa.array(["a,b", 'say "x"', "é"]).dictionary_encode(),
            "nothing": pa.nulls(3),
        }
    )
    file = opened(table)
    assert file.rows.names == tuple(table.column_names)
    assert file.rows.floats == {"half", "real", "decimal"}
    (batch,) = file.batches()
    assert batch.rows == [
        ["1", "0.5", "0.1", str(2**62), "1.50", "a,b", ""],
        ["0", "1.5", "", "-1", "", 'say "x"', ""],
        ["", "", "1e+300", "", "2.00", "é", ""],
    ]
    assert batch.lines == [1, 2, 3]


def test_its_lines_can_be_opened_again_and_again() -> None:
    """Each pass reads the file from its start, whatever was read of it before."""
    file = opened(pa.table({"x": list(range(100_000)), "class": ["a", "b"] * 50_000}))
    with file.open_lines() as stream:
        assert stream.readline() == b'0,"a"\n'
    with file.open_once() as first, file.open_lines() as second:
        whole = first.read()
        assert whole == second.read()
    assert whole.count(b"\n") == 100_000


@pytest.mark.parametrize("values", [[dt.date(2020, 1, 1)], [[1]], [{"a": 1}], [b"x"]])
def test_a_column_of_another_type_is_refused_by_its_name(values: list[object]) -> None:
    """It names the column, since there is no line."""
    rows = opened(pa.table({"x": [1], "y": [2], "odd": values})).rows
    with pytest.raises(DataError, match=r"^column 'odd': the column is of type") as caught:
        check.layout(rows, Wanted(label="x"))
    assert type(caught.value).__name__ == "UnsupportedTypeError"
    assert check.layout(rows, Wanted(label="x", drop=("odd",))).features == (1,)


def test_what_is_declared_a_float_is_written_as_one() -> None:
    """Whole numbers in a column of floats keep their point, those in one of integers do not."""
    sink = io.BytesIO()
    labels = ["Abnormal", "Normal"] * 30
    columns = {"real": [float(n % 7) for n in range(60)], "whole": [n % 5 for n in range(60)]}
    pq.write_table(pa.table({**columns, "class": labels}), sink)
    first = run(sink.getvalue(), "x").files["batch-in/batch-in.csv"].splitlines()[0]
    real, whole = first.decode().split(",")
    assert "." in real
    assert whole.isdigit()
