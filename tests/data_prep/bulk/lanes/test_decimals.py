"""The lane of nothing but decimals: it proves that a block holds nothing else."""

import pytest

from data_prep.bulk.blocks import Block
from data_prep.bulk.lanes.columns import ColumnLane
from data_prep.bulk.lanes.decimals import DecimalLane
from data_prep.bulk.lanes.parsed import Formatted
from tests.data_prep.bulk.lanes.blocks import block_of, rendered

ROWS = "1.5,2.25,a\n0.5,-3.75,b\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_it_finds_what_the_lane_of_columns_finds(ends: str) -> None:
    """In half the time."""
    schema, block = block_of(f"x,y,class\n{ROWS}")
    block = Block(bytes(block.data).replace(b"\n", ends.encode()), 2)
    one, other = DecimalLane().survey(schema, block), ColumnLane().survey(schema, block)
    assert one is not None
    assert other is not None
    assert one.is_decimal
    assert not other.is_decimal
    assert type(one.rendering) is type(other.rendering)
    assert (one.labels, one.first_lines, one.whole) == (
        other.labels,
        other.first_lines,
        other.whole,
    )
    for field in ("codes", "missing", "low", "high", "hashes"):
        assert getattr(one, field).tolist() == getattr(other, field).tolist()


@pytest.mark.parametrize(
    "line", ["1,2.5,a", "1e5,2.5,a", "1.5,2.5,", "1.5,2.5, a", '1.5,2.5,"a"', "x,2.5,a", "1.5,2.5"]
)
def test_anything_else_is_for_the_next_lane(line: str) -> None:
    """One value is enough."""
    schema, _ = block_of(f"x,y,class\n{ROWS}")
    assert DecimalLane().survey(schema, Block(f"{ROWS}{line}\n".encode(), 2)) is None


def test_decimals_with_idle_zeros_are_formatted() -> None:
    """Where there are many."""
    schema, block = block_of("x,y,class\n" + "1.50,2.250,a\n" * 200)
    survey = DecimalLane().survey(schema, block)
    assert survey is not None
    assert survey.rendering == Formatted(quoted=False)
    assert set(rendered(schema, block, survey, [0])) == {"0,1.5,2.25\n"}
