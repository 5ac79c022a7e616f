"""Checking hyperparameters, whatever the algorithm."""

import pytest

from spine.shipped import load

hyperparameters = load("algorithms.hyperparameters")
Choice, Number = hyperparameters.Choice, hyperparameters.Number


@pytest.mark.parametrize(
    ("rule", "value", "text"),
    [
        (Number(whole=True), 3.0, "3"),
        (Number(whole=True), 3.5, None),
        (Number(whole=True), "+3", "+3"),
        (Number(low=0, high=1, whole=True), True, "1"),
        (Number(low=0, high=2, whole=True), True, None),
        (Number(low=0, open_low=True), 0, None),
        (Number(low=0, open_low=True), 1e-9, "1e-09"),
        (Number(), "inf", None),
        (Number(), "1e400", None),
        (Choice(("true", "false")), False, "false"),
        (Choice(("a", "b")), "a,b", None),
        (Choice(("a", "b"), several=True), "a,b", "a,b"),
        (Choice(("a", "b"), several=True), "a, b", None),
        (Choice(("a",)), 1, None),
    ],
)
def test_a_value_becomes_the_text_that_a_container_parses(
    rule: object, value: object, text: str | None
) -> None:
    """Or nothing, when the container would not take it."""
    assert rule.text(value) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        (Number(), "Give a number."),
        (Number(low=0, open_low=True, high=1), "Give a number above 0 and at most 1."),
        (Number(low=1, whole=True), "Give a whole number at least 1."),
        (Choice(("a",)), 'Give "a" or leave it out.'),
        (Choice(("a", "b")), "Give one of: a, b."),
    ],
)
def test_a_rule_says_what_would_do(rule: object, remedy: str) -> None:
    """In a sentence."""
    assert rule.remedy() == remedy  # type: ignore[attr-defined]


def test_images_are_compared_by_their_numbers() -> None:
    """1.10 is newer than 1.9, and an image as old as the value needs will do."""
    known = hyperparameters.Hyperparameters(
        rules={"depth": Number()}, defaults={}, since={"depth": "1.10-1"}
    )
    for version, needed in (("1.9-2", ["1.10-1"]), ("1.10-1", []), ("2.0-1", [])):
        found = known.too_new({"depth": "1"}, {"depth": 1}, version=version)
        assert [since for _, since in found] == needed


def test_only_what_was_given_can_be_too_new() -> None:
    """The defaults suit every image."""
    known = hyperparameters.Hyperparameters(
        rules={"depth": Number()}, defaults={"depth": "1"}, since={"depth": "2.0-1"}
    )
    assert list(known.too_new({"depth": "1"}, {}, version="1.0-1")) == []
