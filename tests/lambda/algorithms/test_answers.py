"""Reading what models answer."""

import math

import pytest

from spine.shipped import load

answers = load("algorithms.answers")


@pytest.mark.parametrize(
    ("score", "probability"),
    [(0.0, 0.5), (2.5, 1 / (1 + math.exp(-2.5))), (-2.5, 1 - 1 / (1 + math.exp(-2.5)))],
)
def test_log_odds_stand_for_a_probability(score: float, probability: float) -> None:
    """By the logistic function."""
    assert answers.logistic(score) == pytest.approx(probability)


@pytest.mark.parametrize("score", [710.0, 1e300])
def test_log_odds_of_any_size_do_not_overflow(score: float) -> None:
    """So far out the probability is 0 or 1 to the last digit."""
    assert answers.logistic(score) == 1
    assert answers.logistic(-score) == pytest.approx(0, abs=1e-300)


@pytest.mark.parametrize(
    ("output", "classes", "text", "label"),
    [
        ("probability", 2, "1", 1.0),
        ("probability", 2, "2", None),
        ("probability", 2, "1.0", None),
        ("class", 3, "2", 2.0),
        ("class", 3, "-1", None),
        ("value", 0, "-1.5e3", -1500.0),
        ("value", 0, "nan", None),
        ("value", 0, "1_0", None),
        ("value", 0, "1e999", None),
    ],
)
def test_a_label_is_read_as_the_preparation_writes_it(
    output: str, classes: int, text: str, label: float | None
) -> None:
    """Classes are numbered from 0; numbers are finite and written plainly."""
    assert answers.Form(output, classes).label(text) == label


def test_a_plain_answer_has_no_brackets() -> None:
    """Those are XGBoost's; a container without a form of its own writes CSV."""
    assert answers.Form("probabilities", 2).split("0.25, 0.75") == ["0.25", "0.75"]
    assert (
        answers.Form("probabilities", 2).read(answers.Form("probabilities", 2).split("[0.25,0.75]"))
        is None
    )
