# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""The split is scikit-learn's, row for row, for every shape."""

import random

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from data_prep import bulk_split, split
from data_prep.errors import FractionsError, TooFewRowsError
from data_prep.split import Fractions


def test_1000_random_shapes_split_as_scikit_learn() -> None:
    """Size, balance, share and seed at random: equal parts in equal order, or both refuse."""
    draw = random.Random(0)
    refused = 0
    for _ in range(1000):
        rows = draw.choice(
            [draw.randrange(2, 12), draw.randrange(12, 200), draw.randrange(200, 1500)]
        )
        share = draw.choice([0.5, 0.1, 0.03, draw.random()])
        labels = bytes(int(draw.random() < share) for _ in range(rows))
        test_size = draw.choice([0.1, 0.2, 0.25, 1 / 3, 0.5, 0.7, draw.uniform(0.01, 0.99)])
        seed = draw.choice([0, 42, 2**32 - 1, draw.randrange(2**32)])
        if len(set(labels)) < 2:
            continue
        try:
            expected = train_test_split(
                np.arange(rows), test_size=test_size, random_state=seed, stratify=list(labels)
            )
        except ValueError:
            refused += 1
            with pytest.raises(TooFewRowsError):
                split.stratified(labels, test_size, seed)
            with pytest.raises(TooFewRowsError):
                bulk_split.stratified(np.frombuffer(labels, np.uint8), test_size, seed)
            continue
        first, second = split.stratified(labels, test_size, seed)
        assert (first, second) == tuple(part.tolist() for part in expected)
        fast = bulk_split.stratified(np.frombuffer(labels, np.uint8), test_size, seed)
        assert [part.tolist() for part in fast] == [first, second]
    assert 25 < refused < 500, "both outcomes must have been compared"


def test_more_draws_than_one_block_of_the_generator() -> None:
    """A split of 20,000 rows draws on many blocks of random words and still matches."""
    labels = bytes(row % 7 == 0 for row in range(20_000))
    expected = train_test_split(
        np.arange(20_000), test_size=0.2, random_state=7, stratify=list(labels)
    )
    assert split.stratified(labels, 0.2, 7) == tuple(part.tolist() for part in expected)


def test_the_notebooks_fractions_are_the_numbers_it_writes() -> None:
    """Shares of 0.8, 0.1 and 0.1 give exactly the notebook's 0.2 and 0.5."""
    fractions = Fractions(0.8, 0.1, 0.1)
    assert fractions.held_out == 0.2
    assert fractions.validate_of_held_out == 0.5
    assert Fractions(0.7, 0.2, 0.1).held_out == 0.3
    assert Fractions(0.7, 0.1, 0.2).validate_of_held_out == 2 / 3


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ((0.8, 0.1, 0.2), "sum to 1.1"),
        ((1.0, 0.0, 0.0), "split.train is 1.0"),
        ((1.2, -0.1, -0.1), "split.train is 1.2"),
        ((float("nan"), 0.5, 0.5), "split.train is nan"),
    ],
)
def test_impossible_fractions_are_refused(shares: tuple[float, float, float], problem: str) -> None:
    """Shares out of (0, 1), or not summing to 1, are refused by name and value."""
    with pytest.raises(FractionsError, match=problem):
        Fractions(*shares)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_numpy_has_not_are_refused(seed: int) -> None:
    """A seed outside NumPy's range is refused."""
    with pytest.raises(FractionsError, match=r"split\.seed"):
        split.three_way(bytes([0, 1] * 50), Fractions(), seed)


def test_a_part_without_one_class_is_refused() -> None:
    """scikit-learn lets the test part go without the rare class; no metric would be defined."""
    labels = bytes([1] * 5 + [0] * 95)
    with pytest.raises(TooFewRowsError, match=r"5 positive and 95 negative .* has only one"):
        split.three_way(labels, Fractions(0.6, 0.35, 0.05), 42)


def test_held_out_rows_too_few_to_split_again_are_refused() -> None:
    """The message counts the rows of the input, and says that the second split failed."""
    labels = bytes([1] * 5 + [0] * 95)
    with pytest.raises(TooFewRowsError, match=r"5 positive and 95 .* held out, 1 positive and 19"):
        split.three_way(labels, Fractions(0.8, 0.1, 0.1), 42)


def test_parts_hold_every_row_once() -> None:
    """The three parts together are the input."""
    parts = split.three_way(bytes([0, 1, 1] * 77), Fractions(0.61, 0.2, 0.19), 3)
    assert sorted(parts.train + parts.test + parts.validate) == list(range(231))
