"""How what is wrong with an input is shown."""

import json

import pytest

from spine.shipped import load

problems = load("common.problems")


def test_a_problem_says_where_what_and_what_to_do() -> None:
    """In one line."""
    found = problems.Problem("split.train", "2 is more than 1", "Give a share.")
    assert str(found) == "split.train: 2 is more than 1. Give a share."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("é", '"é"'),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        (object, json.dumps(str(object))),
        # What a terminal would act on, or a reader could not see.
        ("a\u200bb", '"a\\u200bb"'),
        ("a\x9bb", '"a\\x9bb"'),
        ("x" * 78, f'"{"x" * 78}"'),
        ("x" * 79, f'"{"x" * 78}…'),
    ],
)
def test_a_value_is_shown_on_one_line_of_80_characters(value: object, shown: str) -> None:
    """Nothing in it is invisible, and what does not fit ends in an ellipsis."""
    assert problems.show(value) == shown
    assert len(shown) <= 80


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("endpont", 'Did you mean "endpoint"? '),
        ("ENDPOINT", 'Did you mean "endpoint"? '),
        ("zzz", ""),
        # So much alike, and no more: four of seven letters.
        ("endpoxyz", 'Did you mean "endpoint"? '),
        ("endwxyzq", ""),
        ("x" * 1_000_000, ""),
    ],
)
def test_the_nearest_known_name_is_offered(name: str, said: str) -> None:
    """If one is near; a name of any length is looked at in no time."""
    assert problems.closest(name, iter(("source", "endpoint", "endpoints_of_others"))) == said
