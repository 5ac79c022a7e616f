# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""A block takes the quickest lane that understands it."""

import pickle
import random

import numpy as np
import pytest

from data_prep import DataError, Wanted
from data_prep.bulk import blocks, lanes
from data_prep.bulk.lanes.base import Survey
from data_prep.bulk.lanes.decimals import DecimalLane
from data_prep.bulk.lanes.parsed import Formatted
from data_prep.bulk.lanes.verbatim import Verbatim
from data_prep.bulk.schema import Schema
from tests.data_prep import reference
from tests.data_prep.generated import outcome
from tests.data_prep.support import BULK, opened_whole, run


@pytest.mark.slow
def test_many_rows_take_the_quick_lanes() -> None:
    """Plain decimals are copied, others formatted; a few odd rows do not change the lane."""
    draw = random.Random(5)
    plain = "\n".join(
        ["x,class", *(f"{draw.gauss(50, 9):.3f}1,{draw.choice('ab')}" for _ in range(20_000)), ""]
    )
    for text, rendering in (
        (plain, Verbatim),
        (plain + "1e-7,a\n2.50,b\n", Verbatim),
        (plain.replace("1,", "10,"), Formatted),
        (plain + "2**2,b\n", None),
    ):
        found = []
        survey = lanes.survey

        def spy(schema: Schema, block: blocks.Block, *, decimal: bool) -> Survey:
            surveyed = survey(schema, block, decimal=decimal)  # noqa: B023 (called within the loop)
            found.append(type(surveyed.rendering))  # noqa: B023
            return surveyed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lanes, "survey", spy)
            result = outcome(text, "a.csv", {"positive": "a", "limits": BULK})
        if rendering is None:
            assert isinstance(result, str)
            assert result.startswith("NotANumberError: line 20002, column 'x': '2**2'")
        else:
            assert not isinstance(result, str)
            assert set(found) == {rendering}
            assert result.files == reference.from_csv(text, positive="a")


@pytest.mark.parametrize(
    ("start", "tried"), [("1.5", range(2, 12)), ("1", range(1))], ids=["later", "at once"]
)
def test_decimals_are_no_longer_looked_for_once_there_is_something_else(
    start: str, tried: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that begins with whole numbers is not tried; of another, a few blocks are."""
    monkeypatch.setattr(blocks, "SIZE", 1000)
    count = []
    survey = DecimalLane.survey

    def spy(self: DecimalLane, schema: Schema, block: blocks.Block) -> Survey | None:
        count.append(block.line)
        return survey(self, schema, block)

    monkeypatch.setattr(DecimalLane, "survey", spy)
    rows = [f"{start if row < 300 else 7},{row}.5,{'ab'[row % 2]}" for row in range(4000)]
    text = "\n".join(["x,y,class", *rows, ""])
    large = run(text, "a.csv", positive="a", limits=BULK)
    assert len(count) in tried
    assert large.files == reference.from_csv(text, positive="a")


@pytest.mark.parametrize(
    ("line", "rendering"),
    [
        *(("1.5,a", "Verbatim"), ("1,a", "Verbatim"), ("1.5,' a'", "Verbatim")),
        *(("1.50,a", "Formatted"), ("+1.5,a", "Formatted"), ('1.5,"a"', "Formatted")),
        *(("1.5, a", "ReadAgain"), ("0x1F.5,a", None)),
    ],
)
def test_what_a_lane_finds_travels_and_does_not_change(line: str, rendering: str | None) -> None:
    """A survey is the same for each machine that makes it, and for each that is sent it."""
    rows = "".join(f"{line}\n" for _ in range(200))
    schema = Schema.of(opened_whole(f"x,class\n{rows}", "a.csv"), Wanted(positive="a"))
    block = blocks.Block(rows.encode(), 2)
    if rendering is None:
        with pytest.raises(DataError, match="line 2, column 'x'"):
            lanes.survey(schema, block, decimal=True)
        return
    found = [
        pickle.loads(pickle.dumps(lanes.survey(each, block, decimal=decimal)))  # noqa: S301
        for each in (schema, pickle.loads(pickle.dumps(schema)))  # noqa: S301
        for decimal in (False, True)
    ]
    for survey in found:
        assert type(survey.rendering).__name__ == rendering
        assert survey.labels == found[0].labels
        assert np.array_equal(survey.hashes, found[0].hashes)
        assert survey.first_lines == [2]


def test_a_numeric_attribute_of_arff_is_encoded_as_in_small_files() -> None:
    """Its values are discovered, since only a nominal one declares them."""
    rows = "".join(f"{row % 3},{row}.5,{'ab'[row % 2]}\n" for row in range(300))
    head = "@relation r\n@attribute k real\n@attribute x real\n@attribute class {a,b}\n@data\n"
    options = {"positive": "a", "categorical": ("k",)}
    for changed in (rows, rows.replace("2,5.5", "?,5.5")):
        asked = {**options, "missing": "pass"} if "?" in changed else options
        small = run(head + changed, "a.arff", **asked)
        large = run(head + changed, "a.arff", limits=BULK, **asked)
        assert large.files == small.files
        assert large.profile == small.profile
