"""The number of a class, before the classes are known."""

import pytest

from data_prep.bulk.lanes.base import class_keys
from tests.data_prep.bulk.lanes.blocks import block_of


@pytest.mark.parametrize(
    ("asked", "alike"),
    [
        ({"positive": "1"}, [["1", "1.0", "01"], ["0", "x", "0.5"]]),
        ({"positive": "a"}, [["a"], ["b", "1", "A"]]),
        ({"task": "multiclass"}, [["1", "1.0"], ["2"], ["x"], ["X"], ["1_0"]]),
    ],
)
def test_labels_of_one_class_have_one_number(asked: dict[str, str], alike: list[list[str]]) -> None:
    """Of two classes it is the positive one or not; of several, numbers compare by value."""
    schema, _ = block_of("x,class\n1,a\n", **asked)
    keys = [class_keys(schema, labels) for labels in alike]
    assert all(len(set(each)) == 1 for each in keys)
    assert len({each[0] for each in keys}) == len(alike)
