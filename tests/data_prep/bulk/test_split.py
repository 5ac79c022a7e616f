# ruff: noqa: S311 (seeded, so that a failure can be repeated)
"""The split of many rows: that of `data_prep.split`, which its tests compare row for row."""

import random

import numpy as np
import pytest

from data_prep import split
from data_prep.bulk import split as bulk_split
from data_prep.split import Fractions, TooFewRowsError

NAMES = ("a", "b", "c")


def drawn(rows: int, seed: int = 1) -> np.ndarray:
    """Labels of three classes."""
    draw = random.Random(seed)
    return np.array([draw.choice([0, 0, 0, 1, 1, 2]) for _ in range(rows)], np.uint8)


def test_where_order_does_not_matter_the_rows_are_the_same() -> None:
    """The shuffling that is left out draws nothing that others would draw."""
    labels = drawn(3000)
    ordered = bulk_split.three_way(labels, Fractions(), 7, NAMES)
    loose = bulk_split.three_way(labels, Fractions(), 7, NAMES, ordered=False)
    assert [sorted(part.tolist()) for part in ordered] == [sorted(part.tolist()) for part in loose]
    expected = split.three_way(labels.tobytes(), Fractions(), 7, NAMES)
    assert [part.tolist() for part in ordered] == list(expected)


def test_row_numbers_of_32_bits_are_split_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """As very many rows have them, gathered piece by piece."""
    labels = drawn(2000)
    wide = bulk_split.three_way(labels, Fractions(), 7, NAMES)
    monkeypatch.setattr(bulk_split, "_FEW_ROWS", 10)
    monkeypatch.setattr(bulk_split, "_PIECE", 64)
    narrow = bulk_split.three_way(labels, Fractions(), 7, NAMES)
    assert narrow[0].dtype == np.uint32
    assert [part.tolist() for part in narrow] == [part.tolist() for part in wide]


def test_rows_of_each_class_are_counted_in_each_part() -> None:
    """Of few classes and of many."""
    for classes in (3, 40):
        labels = (drawn(3000) * 13 % classes).astype(np.uint8)
        parts = tuple(np.array_split(np.arange(3000), 3))
        assert len(parts) == 3
        found = bulk_split.class_counts(labels, parts, classes)
        assert found == [np.bincount(labels[rows], minlength=classes).tolist() for rows in parts]


def test_a_part_without_a_class_is_refused_with_the_counts_of_the_file() -> None:
    """Not with those of the rows that were left to share."""
    labels = np.array([0] * 97 + [1] * 3, np.uint8)
    with pytest.raises(TooFewRowsError, match="3 positive and 97 negative rows are too few"):
        bulk_split.three_way(labels, Fractions(), 42, split.BINARY)
