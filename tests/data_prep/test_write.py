# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""Numbers and rows are written as pandas writes them, whatever their number."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import Fractions
from tests.data_prep import reference
from tests.data_prep.support import run


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-3.4e38, 3.4e38), min_size=20, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_any_float_survives(values: list[float], seed: int) -> None:
    """Any float that has one of 32 bits is written with the digits that pandas writes."""
    text = "@relation r\n@attribute x real\n@attribute class {Abnormal,Normal}\n@data\n" + "".join(
        f"{value!r},{('Abnormal', 'Normal')[row % 2]}\n" for row, value in enumerate(values)
    )
    options = {"fractions": Fractions(0.6, 0.2, 0.2), "seed": seed}
    expected = reference.from_arff(text, **options)  # type: ignore[arg-type]
    assert run(text, "x.arff", **options).files == expected


@pytest.mark.slow
def test_more_rows_than_one_batch() -> None:
    """Rows beyond one batch of the reader and of the writer keep their values and their order."""
    draw = random.Random(1)
    rows = 40_000
    lines = ["n,x,y,z,class"]
    for row in range(rows):
        # The third column turns from whole numbers to floats in the last batch.
        third = "0.25" if row == rows - 1 else str(2**60 + row)
        lines.append(f"{row},{draw.random()!r},{third},1,{'no' if row % 3 else 'yes'}")
    text = "\n".join(lines)
    assert run(text, "a.csv", positive="yes").files == reference.from_csv(text, positive="yes")
