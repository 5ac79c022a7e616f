"""The split of `split`, row for row, with numpy: for labels too many to shuffle one by one."""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import split
from .errors import TooFewRowsError
from .split import Fractions

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rows: TypeAlias = "NDArray[Any]"
Parts: TypeAlias = tuple[Rows, Rows, Rows]
# Shuffling words of 64 bits is quicker while they stay in the processor's caches.
_FEW_ROWS = 1 << 21


def three_way(
    labels: NDArray[np.uint8], fractions: Fractions, seed: int, classes: Sequence[str]
) -> Parts:
    """Return the row numbers of train, test and validate, as `split.three_way` does.

    Args:
        labels: The number of each row's class, shape (n,).
        fractions: The parts' shares.
        seed: 0 to 2**32 - 1.
        classes: What to call the classes, by number; each has a row.

    Raises:
        FractionsError: The seed is out of range.
        TooFewRowsError: A part would have no row of a class.
    """
    split.check_seed(seed)
    train, rest = stratified(labels, fractions.held_out, seed, classes)
    try:
        test, validate = stratified(labels[rest], fractions.validate_of_held_out, seed, classes)
    except TooFewRowsError as error:
        counts = np.bincount(labels, minlength=len(classes)).tolist()
        raise split.too_few(counts, classes, f"of those held out, {error.problem}") from error
    parts = (train, rest[test], rest[validate])
    for name, rows in zip(("train", "test", "validate"), parts, strict=True):
        found = int(np.count_nonzero(np.bincount(labels[rows])))
        if found < len(classes):
            counts = np.bincount(labels, minlength=len(classes)).tolist()
            split.check_part(name, len(rows), found, counts, classes)
    return parts


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
    labels: NDArray[np.uint8], test_size: float, seed: int, classes: Sequence[str] = split.BINARY
) -> tuple[Rows, Rows]:
    """Split rows in two, keeping the share of each class, as `split.stratified` does.

    Raises:
        TooFewRowsError: scikit-learn would refuse.
    """
    kind = _kind(len(labels))
    of_class = [np.flatnonzero(labels == which).astype(kind) for which in range(len(classes))]
    counts = [len(rows) for rows in of_class]
    draw = _Draw(seed)
    first_counts, second_counts = split.class_counts(counts, test_size, draw, classes)
    first, second = [], []
    for rows, in_first, in_second in zip(of_class, first_counts, second_counts, strict=True):
        draw.shuffle(rows)
        first.append(rows[:in_first])
        second.append(rows[in_first : in_first + in_second])
    both = np.concatenate(first), np.concatenate(second)
    for rows in both:
        draw.shuffle(rows)
    return both


def _kind(rows: int) -> type[np.unsignedinteger[Any]]:
    return np.uint64 if rows < _FEW_ROWS else np.uint32


class _Draw:
    """numpy's own generator, which scikit-learn draws on; its stream is frozen (NEP 19)."""

    def __init__(self, seed: int) -> None:
        self._state = np.random.RandomState(seed)

    def shuffle(self, items: MutableSequence[int] | NDArray[Any]) -> None:
        """Shuffle in place; the draws do not depend on the type of the items."""
        self._state.shuffle(items)
