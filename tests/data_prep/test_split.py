# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""The split is scikit-learn's, row for row, for every shape."""

import random

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from data_prep import split
from data_prep.bulk import split as bulk_split
from data_prep.split import Fractions, FractionsError, TooFewRowsError
from tests.support import seeds


@pytest.mark.slow
def test_1000_random_shapes_split_as_scikit_learn() -> None:
    """Size, balance, share and seed at random: equal parts in equal order, or both refuse.

    Half of the shapes have two classes, the others up to twelve.
    """
    draw = random.Random(0)
    refused = 0
    compared = [0, 0]
    for _ in range(1400):
        rows = draw.choice(
            [draw.randrange(2, 12), draw.randrange(12, 200), draw.randrange(200, 1500)]
        )
        share = draw.choice([0.5, 0.1, 0.03, draw.random()])
        count = draw.choice([2, draw.randrange(3, 13)])
        labels = bytes(
            draw.randrange(1, count) if draw.random() < share else 0 for _ in range(rows)
        )
        test_size = draw.choice([0.1, 0.2, 0.25, 1 / 3, 0.5, 0.7, draw.uniform(0.01, 0.99)])
        seed = draw.choice([0, 42, 2**32 - 1, draw.randrange(2**32)])
        classes = [str(number) for number in range(count)]
        if len(set(labels)) < count:
            # scikit-learn knows no class without a row, and a label none either.
            continue
        compared[count > 2] += 1
        try:
            expected = train_test_split(
                np.arange(rows), test_size=test_size, random_state=seed, stratify=list(labels)
            )
        except ValueError:
            refused += 1
            with pytest.raises(TooFewRowsError):
                split.stratified(labels, test_size, seed, classes)
            with pytest.raises(TooFewRowsError):
                bulk_split.stratified(np.frombuffer(labels, np.uint8), test_size, seed, classes)
            continue
        first, second = split.stratified(labels, test_size, seed, classes)
        assert (first, second) == tuple(part.tolist() for part in expected)
        fast = bulk_split.stratified(np.frombuffer(labels, np.uint8), test_size, seed, classes)
        assert [part.tolist() for part in fast] == [first, second]
    assert min(compared) > 250, "both few and many classes must have been compared"
    assert 25 < refused < 500, "both outcomes must have been compared"


@pytest.mark.slow
def test_300_random_shapes_split_without_classes_as_scikit_learn() -> None:
    """A regression's rows are split by size, share and seed alone, equal in order."""
    draw = random.Random(1)
    for _ in range(300):
        rows = draw.choice([draw.randrange(2, 40), draw.randrange(40, 3000)])
        test_size = draw.choice([0.1, 0.2, 0.25, 1 / 3, 0.5, 0.7, draw.uniform(0.01, 0.99)])
        seed = draw.choice([0, 42, 2**32 - 1, draw.randrange(2**32)])
        try:
            parts = train_test_split(np.arange(rows), test_size=test_size, random_state=seed)
        except ValueError:
            # Nothing is left to train on, which `check_sizes` tells of all three parts.
            continue
        expected = tuple(part.tolist() for part in parts)
        assert split.unstratified(rows, test_size, seed) == expected
        fast = bulk_split.unstratified(rows, test_size, seed)
        assert tuple(part.tolist() for part in fast) == expected


@pytest.mark.parametrize("seed", seeds(100))
def test_where_order_does_not_matter_the_parts_have_the_same_rows(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for files beyond memory: fewer shuffles, smaller words, rows found piece by piece."""
    draw = random.Random(seed)
    count = draw.choice([2, 3, 20])
    names = [str(number) for number in range(count)]
    labels = bytes(draw.randrange(count) for _ in range(draw.randrange(600, 1500)))
    expected = split.three_way(labels, Fractions(0.6, 0.2, 0.2), seed, names)
    monkeypatch.setattr(bulk_split, "_FEW_ROWS", 0)
    monkeypatch.setattr(bulk_split, "_PIECE", draw.choice([7, 100, 1 << 20]))
    array = np.frombuffer(labels, np.uint8)
    for ordered in (True, False):
        parts = bulk_split.three_way(array, Fractions(0.6, 0.2, 0.2), seed, names, ordered=ordered)
        assert [sorted(part.tolist()) for part in parts] == [sorted(part) for part in expected]
        assert bulk_split.class_counts(array, parts, count) == [
            np.bincount(array[list(part)], minlength=count).tolist() for part in expected
        ]
        if ordered:
            assert [part.tolist() for part in parts] == [list(part) for part in expected]


@pytest.mark.parametrize(
    ("rows", "part"), [(15, "test part would have 1"), (2, "train part would have 1")]
)
def test_a_regression_needs_two_rows_in_each_part(rows: int, part: str) -> None:
    """Fewer have no spread to explain; the message names the part and its rows."""
    with pytest.raises(TooFewRowsError, match=f"{rows} rows are too few: the {part}"):
        split.unstratified_three_way(rows, Fractions(0.8, 0.1, 0.1), 42)
    with pytest.raises(TooFewRowsError, match=f"{rows} rows are too few: the {part}"):
        bulk_split.unstratified_three_way(rows, Fractions(0.8, 0.1, 0.1), 42)


def test_a_rare_class_among_several_is_named() -> None:
    """The message says which class is short of rows, and of how many."""
    labels = bytes([0] * 50 + [1] * 46 + [2] * 4)
    with pytest.raises(TooFewRowsError, match=r"4 of 100 rows with the label 'rare' are too few"):
        split.three_way(labels, Fractions(), 42, ("often", "more", "rare"))


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
