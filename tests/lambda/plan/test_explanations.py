"""Errors of the models read in the words of the execution input."""

from typing import Any

import pytest

from spine.shipped import load
from tests.planning import at, refused, says_one_problem

explanations = load("plan.explanations")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "no value"),
        (True, "a truth value"),
        (0, "a number"),
        (0.5, "a number"),
        ("", "text"),
        ({}, "an object"),
        ([], "a list"),
    ],
)
def test_a_value_is_named_by_its_kind(value: object, kind: str) -> None:
    """As a person would; JSON's true is no number."""
    assert explanations.kind_of(value) == kind


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("split", 5, "5 is a number. Give an object such as {}"),
        ("split", [], "[] is a list. Give an object such as {}"),
        ("source.format", "csv", '"csv" is text. Give an object such as {}'),
        ("split.seed", "42", '"42" is text. Give '),
        ("split.seed", True, "true is a truth value. Give "),
        ("split.train", None, "null is no value. Give a number between 0 and 1"),
        ("source.label", "", '"" is empty. Give '),
        ("split.seed", -1, "-1 is not within what the field takes. Give "),
        ("source.drop", "id", '"id" is text. Give '),
        ("source.rename", ["a"], '["a"] is a list. Give '),
    ],
)
def test_a_field_of_another_kind_is_refused_with_what_it_takes(
    path: str, value: object, says: str
) -> None:
    """The value, what it is, and the field's own description."""
    says_one_problem(refused(at(path, value)), path, says)


def test_a_place_in_a_list_is_named() -> None:
    """What the list takes is said."""
    message = refused(at("source.drop", ["id", 5]))
    says_one_problem(message, "source.drop.1", "5 is a number. Give ")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("split.trian", 'Did you mean "train"?'),
        ("source.format.delimeter", 'Did you mean "delimiter"?'),
        ("split.threshold", 'Did you mean "evaluation.threshold"?'),
        ("evaluation.seed", 'Did you mean "split.seed"?'),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_is_meant(path: str, hint: str) -> None:
    """The closest in its place; one of that name elsewhere with its section."""
    message = refused(at(path, 1))
    says_one_problem(message, path, "1 is given to a field that does not exist")
    assert hint in message
    assert "The fields here are " in message


def test_a_field_like_no_other_gets_no_hint() -> None:
    """The fields that there are say enough."""
    message = refused(at("split.qqqqqqqq", 1))
    assert "Did you mean" not in message
    assert "The fields here are train, test, validate, seed." in message


def test_the_secret_of_an_address_is_not_shown() -> None:
    """Not of one that is refused for its form either."""
    long = "https://user:hunter2@data.example.org/a.csv?sig=hunter3&" + "x" * 5000
    message = refused(at("source.uri", long))
    assert "source.uri" in message
    assert "hunter" not in message


@pytest.mark.parametrize(
    "given",
    [
        {"source": {"uri": ["https://me:hunter2@data.example.org/a.csv"]}},
        {"source": {"uri": {"a": "https://data.example.org/a.csv?key=hunter2"}}},
        {"source": {"url": "https://me:hunter2@data.example.org/a.csv"}},
        {"source": "https:/me:hunter2@data.example.org/a.csv"},
        {"source": {"https://me:hunter2@data.example.org/a.csv": 1}},
        {"sources": [{"uri": 'https:\\\\me:hunter2"x@data.example.org/a.csv'}]},
    ],
)
def test_the_secret_of_an_address_in_a_wrong_place_is_not_shown(given: dict[str, Any]) -> None:
    """The refusal shows what is given to a field that is none, too."""
    message = refused(given)
    assert "hunter2" not in message
    assert "..." in message


def test_a_hostile_name_of_a_field_is_shown_shortened_and_escaped() -> None:
    """It goes to logs and terminals."""
    problem: Any = explanations.unknown("a\x1b[31m" + "b" * 500, 1, siblings=["train"])
    assert "\x1b" not in problem.path
    assert len(problem.path) < 200
