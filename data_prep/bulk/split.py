"""The split of `data_prep.split`, with numpy: for labels too many to shuffle one by one."""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.random import RandomState

from data_prep import split
from data_prep.split import Fractions, TooFewRowsError
from data_prep.table import DROPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows: TypeAlias = "NDArray[Any]"
Parts: TypeAlias = tuple[Rows, Rows, Rows]
# Shuffling words of 64 bits is quicker while they stay in the processor's caches.
_FEW_ROWS = 1 << 21
_PIECE = 1 << 20
# Up to so many, comparing all labels with each is the quickest way to count them.
_FEW_CLASSES = 16


def three_way(
    labels: NDArray[np.uint8],
    fractions: Fractions,
    seed: int,
    classes: Sequence[str],
    *,
    ordered: bool = True,
    drops: bool = False,
) -> Parts:
    """Return the row numbers of train, test and validate, as `split.three_way` does.

    Args:
        labels: The number of each row's class, shape (n,).
        fractions: The parts' shares.
        seed: 0 to 2**32 - 1.
        classes: What to call the classes, by number; each has a row.
        ordered: Whether the order of each part's rows matters, or only which rows it has.
        drops: Whether rows numbered `DROPPED` are in no part, as if they were not in the file.

    Raises:
        FractionsError: The seed is out of range.
        TooFewRowsError: A part would have no row of a class.
    """
    split.check_seed(seed)
    if drops:
        kept = np.flatnonzero(labels != DROPPED)
        first, second, third = three_way(labels[kept], fractions, seed, classes, ordered=ordered)
        return kept[first], kept[second], kept[third]
    train, rest = stratified(labels, fractions.held_out, seed, classes, ordered=(ordered, True))
    of_rest = labels[rest]
    try:
        test, validate = stratified(
            of_rest,
            fractions.validate_of_held_out,
            seed,
            classes,
            ordered=(ordered, ordered),
        )
    except TooFewRowsError as error:
        counts = _counts(labels, len(classes)).tolist()
        raise split.too_few(counts, classes, f"of those held out, {error.problem}") from error
    parts = (train, rest[test], rest[validate])
    found = class_counts(labels, parts, len(classes))
    for name, rows, of_part in zip(split.Parts._fields, parts, found, strict=True):
        if not all(of_part):
            counts = _counts(labels, len(classes)).tolist()
            present = sum(map(bool, of_part))
            split.check_part(name, len(rows), present, counts, classes)
    return parts


def class_counts(labels: NDArray[np.uint8], parts: Parts, classes: int) -> list[list[int]]:
    """Count the rows of each class in train, test and validate."""
    test, validate = (_counts(labels[rows], classes) for rows in parts[1:])
    # Most rows are in train: these are not gathered.
    train = _counts(labels, classes)[:classes] - test[:classes] - validate[:classes]
    return [train.tolist(), test[:classes].tolist(), validate[:classes].tolist()]


def _counts(labels: NDArray[np.uint8], classes: int) -> Rows:
    if classes > _FEW_CLASSES:
        return np.bincount(labels, minlength=classes)
    return np.array([np.count_nonzero(labels == which) for which in range(classes)])


def unstratified_three_way(rows: int, fractions: Fractions, seed: int) -> Parts:
    """Return the row numbers of each part, as `split.unstratified_three_way` does.

    Raises:
        FractionsError: The seed is out of range.
        TooFewRowsError: A part would have fewer than two rows.
    """
    split.check_seed(seed)
    split.check_sizes(rows, fractions)
    train, rest = unstratified(rows, fractions.held_out, seed)
    test, validate = unstratified(len(rest), fractions.validate_of_held_out, seed)
    return train, rest[test], rest[validate]


def unstratified(rows: int, test_size: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows in two, as `split.unstratified` does."""
    order = np.arange(rows, dtype=_kind(rows))
    _Draw(seed).shuffle(order)
    second = math.ceil(test_size * rows)
    return order[second:], order[:second]


def stratified(
    labels: NDArray[np.uint8],
    test_size: float,
    seed: int,
    classes: Sequence[str] = split.BINARY,
    *,
    ordered: tuple[bool, bool] = (True, True),
) -> tuple[Rows, Rows]:
    """Split rows in two, keeping the share of each class, as `split.stratified` does.

    Args:
        labels: The number of each row's class, shape (n,).
        test_size: The second part's share.
        seed: 0 to 2**32 - 1.
        classes: What to call the classes, by number.
        ordered: For each part, whether the order of its rows matters.

    Raises:
        TooFewRowsError: scikit-learn would refuse.
    """
    kind = _kind(len(labels))
    of_class = [_rows_of(labels, which, kind) for which in range(len(classes))]
    counts = [len(rows) for rows in of_class]
    draw = _Draw(seed)
    first_counts, second_counts = split.class_counts(counts, test_size, draw, classes)
    first, second = [], []
    for rows, in_first, in_second in zip(of_class, first_counts, second_counts, strict=True):
        draw.shuffle(rows)
        first.append(rows[:in_first])
        second.append(rows[in_first : in_first + in_second])
    both = np.concatenate(first), np.concatenate(second)
    if any(ordered):
        # What is drawn for the second part depends on how much was drawn for the first.
        draw.shuffle(both[0] if ordered[0] else np.empty(len(both[0]), np.uint8))
    if ordered[1]:
        draw.shuffle(both[1])
    return both


def _rows_of(labels: NDArray[np.uint8], which: int, kind: type[np.integer[Any]]) -> Rows:
    """Return the numbers of a class's rows, never as more than a piece of words of 64 bits."""
    if kind is np.intp:
        return np.flatnonzero(labels == which)
    rows = np.empty(np.count_nonzero(labels == which), kind)
    at = 0
    for start in range(0, len(labels), _PIECE):
        found = np.flatnonzero(labels[start : start + _PIECE] == which)
        rows[at : at + len(found)] = found + start
        at += len(found)
    return rows


def _kind(rows: int) -> type[np.integer[Any]]:
    return np.intp if rows < _FEW_ROWS else np.uint32


class _Draw:
    """numpy's own generator, which scikit-learn draws on; its stream is frozen (NEP 19)."""

    def __init__(self, seed: int) -> None:
        self._state = RandomState(seed)

    def shuffle(self, items: MutableSequence[int] | NDArray[Any]) -> None:
        """Shuffle in place; the draws do not depend on the type of the items."""
        self._state.shuffle(items)
