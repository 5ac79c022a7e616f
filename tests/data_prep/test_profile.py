"""What is known of a prepared file, and what of it is a leak or a warning."""

import math

import pytest

from data_prep import profile
from data_prep.leaks import Finding
from data_prep.profile import Feature


def feature(*bounds: tuple[float, float], leaks: bool = False, missing: int = 0) -> Feature:
    """A feature of whole numbers."""
    return Feature("x", "integer", missing, bounds, None, leaks)


@pytest.mark.parametrize(
    ("missing", "bounds", "tells"),
    [
        (0, [(1.0, 1.0), (2.0, 2.0)], True),
        (0, [(1.0, 1.0), (1.0, 1.0)], False),
        (0, [(1.0, 1.0), (2.0, 3.0)], False),
        (1, [(1.0, 1.0), (2.0, 2.0)], False),
    ],
)
def test_one_value_for_each_class_tells_the_label(
    missing: int, bounds: list[tuple[float, float]], tells: bool
) -> None:
    """Different ones, in every row."""
    assert profile.tells_class(missing, bounds) is tells


def test_a_leak_that_is_allowed_is_a_warning() -> None:
    """With its column, and what leaves it out."""
    leak = feature((1.0, 1.0), (2.0, 2.0), leaks=True)
    (found,) = profile.warnings([leak], profile.Noted([], 0))
    assert (found["name"], found["column"]) == ("LeakageWarning", "x")
    assert found["fix"] == {"source": {"drop": ["x"]}}


def test_a_constant_and_repeated_rows_are_warned_of() -> None:
    """A column with one value, whatever its class; and how many rows repeat another."""
    constant, other = feature((3.0, 3.0), (3.0, 3.0)), feature((1.0, 2.0), (math.nan, math.nan))
    found = profile.warnings([constant, other], profile.Noted([], 1234))
    assert [each["name"] for each in found] == ["ConstantColumnWarning", "DuplicateRowsWarning"]
    assert found[1]["count"] == 1234
    assert "1,234 rows" in found[1]["message"]


def test_classes_of_few_rows_and_rows_left_out_are_warned_of() -> None:
    """How many rows each has; classes that are a little uneven are not."""
    noted = profile.Noted([], 0, {"": 3, "odd": 2}, {"a": 900, "b": 300, "c": 20})
    dropped, rare = profile.warnings([], noted)
    assert (dropped["name"], dropped["count"]) == ("DroppedRowsWarning", 5)
    assert "'', 'odd'" in dropped["message"]
    assert (rare["name"], rare["count"]) == ("ImbalanceWarning", 20)
    assert "20 of 1,220 rows" in rare["message"]


def test_every_warning_says_what_to_do() -> None:
    """A name, a message in one sentence, and a remedy."""
    leak, constant = feature((1.0, 1.0), (2.0, 2.0), leaks=True), feature((3.0, 3.0))
    noted = profile.Noted(
        [Finding("IdentifierWarning", "x", "looks like an identifier", "Drop it.", {})],
        1,
        {"": 1},
        {"a": 100, "b": 1},
    )
    found = profile.warnings([leak, constant], noted)
    assert len(found) == 6
    for each in found:
        assert each["name"].endswith("Warning")
        assert each["message"].endswith(".")
        assert each["remedy"].endswith(".")


def test_the_ends_of_a_column_are_those_of_all_classes() -> None:
    """Whole numbers are whole in the profile; a column without a value has no ends."""
    assert feature((1.0, 5.0), (-2.0, 3.0)).summary() == {
        "name": "x",
        "type": "integer",
        "missing": 0,
        "min": -2,
        "max": 5,
    }
    empty = feature((math.nan, math.nan), missing=4).summary()
    assert (empty["min"], empty["max"], empty["missing"]) == (None, None, 4)
