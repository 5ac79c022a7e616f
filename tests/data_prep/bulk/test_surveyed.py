"""What blocks tell of a file, gathered in their order."""

import math

import numpy as np
import pytest

from data_prep import DataError, Wanted
from data_prep.bulk import lanes
from data_prep.bulk.blocks import Block
from data_prep.bulk.schema import Schema
from data_prep.bulk.surveyed import Surveyed
from tests.data_prep.support import opened_whole

TEXT = "x,n,k,class\n1.5,1,red,a\n2.5,7,blue,b\n1.5,1,red,a\n,3,green,b\n"


def gathered(*blocks: str, **wanted: object) -> Surveyed:
    """Survey a file's blocks, each of some lines."""
    options = {"positive": "a", "categorical": ("k",), "missing": "pass", **wanted}
    schema = Schema.of(opened_whole(TEXT, "x.csv"), Wanted(**options))  # type: ignore[arg-type]
    found, line = Surveyed(schema), 2
    for text in blocks:
        found.take(lanes.survey(schema, Block(text.encode(), line), decimal=False))
        line += text.count("\n")
    return found


@pytest.mark.parametrize("size", [1, 2, 4])
def test_however_a_file_is_cut_the_same_is_known_of_it(size: int) -> None:
    """Bounds by class, gaps, kinds, categories, repeated rows."""
    lines = TEXT.splitlines(keepends=True)[1:]
    cut = ["".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    found = gathered(*cut)
    assert found.labels.strings() == ["a", "b"]
    numbers, classes = found.labels.numbered(Wanted(positive="a"))
    assert (numbers, classes) == (b"\1\0\1\0", ("b", "a"))
    assert b"".join(block.codes.tobytes() for block in found.blocks) == b"\0\1\0\1"
    x, n, k = found.features()
    assert (x.kind, x.missing, x.bounds) == ("number", 1, ((2.5, 2.5), (1.5, 1.5)))
    assert (n.kind, n.missing, n.bounds) == ("integer", 0, ((3.0, 7.0), (1.0, 1.0)))
    assert k.categories == ("blue", "green", "red")
    assert found.places() == {2: {"blue": 0, "green": 1, "red": 2}}
    assert found.count_duplicates() == 1


def test_one_block_of_floats_makes_floats_of_a_column() -> None:
    """Whichever it is."""
    for blocks in (("1.5,1,red,a\n", "2.5,1.5,red,b\n"), ("2.5,1.5,red,b\n", "1.5,1,red,a\n")):
        assert gathered(*blocks).whole == (False, False, True)


def test_a_label_too_many_is_told_by_its_line() -> None:
    """In the order of the blocks, though each is surveyed by itself."""
    blocks = ["".join(f"1.5,1,red,{at + row}\n" for row in range(100)) for at in (0, 100, 200)]
    with pytest.raises(DataError, match="line 258") as caught:
        gathered(*blocks, task="multiclass")
    assert type(caught.value).__name__ == "TooManyClassesError"


def test_a_regressions_label_has_ends() -> None:
    """And no classes; every row is of one."""
    found = gathered("1.5,1,red,a\n2.5,7,red,a\n", label="n", task="regression", drop=("class",))
    assert found.target() == {"type": "integer", "min": 1, "max": 7}
    assert [block.codes.tolist() for block in found.blocks] == [[0, 0]]
    assert not any(math.isnan(bound) for bound in found.features()[0].bounds[0])
    assert np.array_equal(found.blocks[0].codes, np.zeros(2))
