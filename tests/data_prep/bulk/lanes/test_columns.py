"""The lane of what pyarrow parses: it takes no block that pyarrow reads otherwise."""

from typing import Any

import pytest

from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes.columns import ColumnLane
from data_prep.bulk.lanes.rows import RowLane
from tests.data_prep.bulk.lanes.blocks import block_of

GOOD = "1.5,3,a\n2.5,4,b\n"


@pytest.mark.parametrize(
    "line",
    [
        *("0x1F,3,a", "1.5,-0,a", "1.5,3, a", '1.5,3,"a', "1.5,3\r,a", "x,3,a", "1.5,,a", "1.5,3"),
        *("1.5,99999999999999999999,a", "inf,3,a", "1_0,3,a", '1.5,"3\n",a'),
    ],
)
def test_what_pyarrow_reads_otherwise_is_left_to_the_rows_reader(line: str) -> None:
    """One row of it is enough."""
    schema, _ = block_of(f"x,n,class\n{GOOD}")
    assert ColumnLane().survey(schema, Block(f"{GOOD}{line}\n5.5,6,a\n".encode(), 2)) is None


@pytest.mark.parametrize("line", ["% a comment", "{0 1.5}", "'1.5',3,a", '1.5,3,"a"', "1.5,?,a"])
def test_what_only_arff_has_is_left_to_its_reader(line: str) -> None:
    """Comments, sparse rows, quotes of its own, and its mark of a missing value."""
    head = "@relation r\n@attribute x real\n@attribute n real\n@attribute class {a,b}\n@data\n"
    schema, block = block_of(f"{head}{GOOD}", "x.arff")
    assert ColumnLane().survey(schema, block) is not None
    assert ColumnLane().survey(schema, Block(f"{GOOD}{line}\n".encode(), 6)) is None


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        (GOOD, {}),
        ('1.5,3,"a"\n2.5,4,"b"\n', {}),
        ("1.5,3,a\r\n\r\n2.5,4,b\r\n", {}),
        ("1.5,,a\nNA,4,b\n", {"missing": "pass"}),
        ("1.5,red,a\n2.5,blue,b\n3.5,red,b\n", {"categorical": ("n",)}),
        ("1.5,3,a\n2.5,4,b\n", {"task": "regression", "label": "n", "drop": ("class",)}),
    ],
)
def test_it_finds_what_the_rows_reader_finds(rows: str, asked: dict[str, Any]) -> None:
    """Of every kind of block that it takes."""
    schema, block = block_of(f"x,n,class\n{rows}", **asked)
    one, other = ColumnLane().survey(schema, block), RowLane().survey(schema, block)
    assert one is not None
    assert (one.labels, one.first_lines) == (other.labels, other.first_lines)
    for which, (whole, missing) in enumerate(zip(one.whole, one.missing, strict=True)):
        # A column with gaps is one of floats, which is told once every block is known.
        assert other.whole[which] is bool(whole and (not missing or which in one.categories))
    assert one.codes.tolist() == other.codes.tolist()
    assert one.missing.tolist() == other.missing.tolist()
    assert one.hashes.tolist() == other.hashes.tolist()
    assert one.categories == other.categories
    for bounds in ("low", "high"):
        left, right = getattr(one, bounds), getattr(other, bounds)
        numbers = [at for at in range(len(one.whole)) if at not in one.categories]
        assert repr(left[:, numbers].tolist()) == repr(right[:, numbers].tolist())
