"""What is known of a prepared file, and what of it is a leak or a warning."""

import math

import pytest

from data_prep import DataError, profile
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


def test_a_leak_is_refused_unless_it_is_allowed() -> None:
    """Then it is a warning."""
    leak = feature((1.0, 1.0), (2.0, 2.0), leaks=True)
    with pytest.raises(DataError, match="column 'x'"):
        profile.check_leakage([leak], "y", allowed=False)
    profile.check_leakage([leak], "y", allowed=True)
    assert [each["name"] for each in profile.warnings([leak], 0)] == ["LeakageWarning"]


def test_a_constant_and_repeated_rows_are_warned_of() -> None:
    """A column with one value, whatever its class; and how many rows repeat another."""
    constant, other = feature((3.0, 3.0), (3.0, 3.0)), feature((1.0, 2.0), (math.nan, math.nan))
    found = profile.warnings([constant, other], 1234)
    assert [each["name"] for each in found] == ["ConstantColumnWarning", "DuplicateRowsWarning"]
    assert found[1]["count"] == 1234
    assert "1,234 rows" in found[1]["message"]


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
