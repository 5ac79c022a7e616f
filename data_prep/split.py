"""The notebook's two splits, drawn exactly as scikit-learn draws them.

`train_test_split(frame, test_size=t, random_state=seed, stratify=label)` is scikit-learn's
`StratifiedShuffleSplit` (`model_selection/_split.py`), and without `stratify`, as numbers to be
predicted need it, its `ShuffleSplit`. Both draw from `numpy.random.RandomState(seed)`. That stream
is frozen (NumPy Enhancement Proposal 19), and Python's `random` is the same generator, the Mersenne
Twister MT19937: only the seeding and the way an index is drawn differ.
"""

import math
import random
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, Self

from data_prep.errors import DataError, shown
from data_prep.table import DROPPED


class TooFewRowsError(DataError):
    """A class has too few rows for each of the three parts to get one."""


class FractionsError(DataError):
    """The fractions or the seed of the split are out of range."""


_WORDS_AT_ONCE = 1024
_MAX_SEED = 2**32 - 1


class _Shares(NamedTuple):
    train: float
    test: float
    validate: float


class Fractions(_Shares):
    """How much of the rows each part gets.

    Attributes:
        train: Share of the training part, in (0, 1).
        test: Share of the test part, in (0, 1).
        validate: Share of the validation part, in (0, 1).

    Raises:
        FractionsError: A share is not in (0, 1), or they do not sum to 1 within 1e-9.
    """

    __slots__ = ()

    def __new__(cls, train: float = 0.8, test: float = 0.1, validate: float = 0.1) -> Self:
        """Check the shares."""
        shares = {"train": train, "test": test, "validate": validate}
        for name, share in shares.items():
            if not 0 < share < 1:
                raise FractionsError(
                    f"split.{name} is {share}",
                    remedy="Give each part a share between 0 and 1, such as 0.8, 0.1 and 0.1.",
                )
        if abs(sum(shares.values()) - 1) > 1e-9:
            raise FractionsError(
                f"the shares of the split sum to {sum(shares.values())}",
                remedy="Make train, test and validate sum to 1.",
            )
        return super().__new__(cls, train, test, validate)

    @property
    def fewest(self) -> int:
        """Rows that a class needs for the smallest part to be sure of one."""
        return math.ceil(1 / min(self))

    @property
    def held_out(self) -> float:
        """`test_size` of the first split: `1 - train`, as a person would write it.

        Computed in decimals, because `1 - 0.8` is 0.19999999999999996 in floats and the notebook
        says 0.2.
        """
        train, unit = _decimal(self.train)
        return (unit - train) / unit

    @property
    def validate_of_held_out(self) -> float:
        """`test_size` of the second split, in decimals: `validate / (test + validate)`."""
        test, test_unit = _decimal(self.test)
        validate, validate_unit = _decimal(self.validate)
        return validate * test_unit / (test * validate_unit + validate * test_unit)


def _decimal(share: float) -> tuple[int, int]:
    """Return the share as a fraction, exactly as its shortest decimal says.

    Whole numbers do what `decimal` would, without the milliseconds its import takes; Python divides
    two whole numbers correctly rounded.
    """
    digits, _, exponent = repr(share).partition("e")
    whole, _, part = digits.partition(".")
    places = len(part) - int(exponent or 0)
    return int(whole + part), 10**places


class Parts(NamedTuple):
    """Row numbers of each part, in the order they are written."""

    train: list[int]
    test: list[int]
    validate: list[int]


BINARY = ("negative", "positive")


def three_way(
    labels: bytes,
    fractions: Fractions,
    seed: int,
    classes: Sequence[str] = BINARY,
    *,
    drops: bool = False,
) -> Parts:
    """Split rows as the notebook does: train from the rest, then the rest into test and validate.

    Args:
        labels: The number of each row's class.
        fractions: The parts' shares.
        seed: `random_state` of both splits, 0 to 2**32 - 1.
        classes: What to call the classes, by number; each has a row.
        drops: Whether rows numbered `DROPPED` are in no part, as if they were not in the file.

    Returns:
        Row numbers, equal to scikit-learn's in membership and order. Every part has rows of every
        class.

    Raises:
        FractionsError: The seed is out of range.
        TooFewRowsError: A part would have no row of a class.
    """
    check_seed(seed)
    if drops:
        kept = [row for row, label in enumerate(labels) if label != DROPPED]
        of_kept = bytes(map(labels.__getitem__, kept))
        found = three_way(of_kept, fractions, seed, classes)
        return Parts(*(list(map(kept.__getitem__, rows)) for rows in found))
    counts = [labels.count(which) for which in range(len(classes))]
    train, rest = stratified(labels, fractions.held_out, seed, classes)
    rest_labels = bytes(map(labels.__getitem__, rest))
    try:
        test, validate = stratified(rest_labels, fractions.validate_of_held_out, seed, classes)
    except TooFewRowsError as error:
        raise too_few(counts, classes, f"of those held out, {error.problem}") from error
    parts = Parts(train, [rest[row] for row in test], [rest[row] for row in validate])
    for name, rows in parts._asdict().items():
        check_part(name, len(rows), len(set(map(labels.__getitem__, rows))), counts, classes)
    return parts


def check_part(
    name: str, rows: int, found: int, counts: Sequence[int], classes: Sequence[str]
) -> None:
    """Refuse a part that lacks a class, as scikit-learn does not: no metric would be defined.

    Args:
        name: The part's.
        rows: How many it has.
        found: How many classes they are of.
        counts: Rows of each class in the whole file.
        classes: What to call them.

    Raises:
        TooFewRowsError: It does.
    """
    if found < len(classes):
        only = "only one" if found == 1 else f"only {found}"
        raise too_few(counts, classes, f"the {name} part ({rows} rows) has {only} of them")


def unstratified_three_way(rows: int, fractions: Fractions, seed: int) -> Parts:
    """Split rows likewise, without regard to their labels: for a regression.

    Args:
        rows: How many there are.
        fractions: The parts' shares.
        seed: `random_state` of both splits, 0 to 2**32 - 1.

    Returns:
        Row numbers, equal to scikit-learn's in membership and order. Every part has at least two.

    Raises:
        FractionsError: The seed is out of range.
        TooFewRowsError: A part would have fewer.
    """
    check_seed(seed)
    check_sizes(rows, fractions)
    train, rest = unstratified(rows, fractions.held_out, seed)
    test, validate = unstratified(len(rest), fractions.validate_of_held_out, seed)
    return Parts(train, [rest[row] for row in test], [rest[row] for row in validate])


def check_sizes(rows: int, fractions: Fractions) -> None:
    """Refuse rows too few for each part to have two, without which a spread is not defined.

    Raises:
        TooFewRowsError: They are.
    """
    rest = math.ceil(fractions.held_out * rows)
    validate = math.ceil(fractions.validate_of_held_out * rest)
    sizes = {"train": rows - rest, "test": rest - validate, "validate": validate}
    for name, size in sizes.items():
        if size < 2:
            raise TooFewRowsError(
                f"{rows} rows are too few: the {name} part would have {size}",
                remedy="Add rows, or give the smaller parts a larger share.",
            )


def unstratified(rows: int, test_size: float, seed: int) -> tuple[list[int], list[int]]:
    """Split rows in two exactly as `train_test_split` does without `stratify`."""
    order = list(range(rows))
    _RandomState(seed).shuffle(order)
    second = math.ceil(test_size * rows)
    return order[second:], order[:second]


def check_seed(seed: int) -> None:
    """Refuse what numpy does not take as a seed.

    Raises:
        FractionsError: It is not from 0 to 2**32 - 1.
    """
    if not 0 <= seed <= _MAX_SEED:
        raise FractionsError(
            f"split.seed is {seed}", remedy=f"Give a whole number from 0 to {_MAX_SEED}."
        )


def stratified(
    labels: bytes, test_size: float, seed: int, classes: Sequence[str] = BINARY
) -> tuple[list[int], list[int]]:
    """Split rows in two, keeping the share of each class, exactly as `train_test_split` does.

    Args:
        labels: The number of each row's class.
        test_size: Share of the second part, in (0, 1).
        seed: `random_state`.
        classes: What to call the classes, by number.

    Returns:
        Row numbers of the first and of the second part, shuffled.

    Raises:
        TooFewRowsError: scikit-learn would refuse: a class of one row, or a part of fewer rows than
            there are classes.
    """
    of_class: list[list[int]] = [[] for _ in classes]
    for row, label in enumerate(labels):
        of_class[label].append(row)
    draw = _RandomState(seed)
    first_counts, second_counts = class_counts(
        [len(rows) for rows in of_class], test_size, draw, classes
    )
    first: list[int] = []
    second: list[int] = []
    for rows, in_first, in_second in zip(of_class, first_counts, second_counts, strict=True):
        draw.shuffle(rows)
        first += rows[:in_first]
        second += rows[in_first : in_first + in_second]
    draw.shuffle(first)
    draw.shuffle(second)
    return first, second


class Draw(Protocol):
    """A source of chance."""

    def shuffle(self, items: list[int]) -> None:
        """Shuffle in place."""


def class_counts(
    counts: Sequence[int], test_size: float, draw: Draw, classes: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Return how many rows of each class go to the first and to the second part.

    Raises:
        TooFewRowsError: scikit-learn would refuse: a class of one row, or a part of fewer rows than
            there are classes.
    """
    total = sum(counts)
    second_size = math.ceil(test_size * total)
    first_size = total - second_size
    if min(counts) < 2 or min(first_size, second_size) < len(counts):
        both = "both" if len(counts) == 2 else f"all {len(counts)} classes"
        raise too_few(
            counts, classes, f"a split into {first_size} and {second_size} cannot keep {both}"
        )
    first = _allot(counts, first_size, draw)
    left = [count - taken for count, taken in zip(counts, first, strict=True)]
    return first, _allot(left, second_size, draw)


def _allot(counts: Sequence[int], size: int, draw: Draw) -> list[int]:
    """Share `size` rows among classes by their counts (scikit-learn's `_approximate_mode`).

    Shares are rounded down, then the rows still missing go to the largest remainders, ties broken
    by chance. The float expression is scikit-learn's, for its rounding.
    """
    total = sum(counts)
    shares = [count / total * size for count in counts]
    allotted = [math.floor(share) for share in shares]
    missing = size - sum(allotted)
    remainders = [share - floor for share, floor in zip(shares, allotted, strict=True)]
    for value in sorted(set(remainders), reverse=True):
        if missing == 0:
            break
        tied = [which for which, remainder in enumerate(remainders) if remainder == value]
        # NumPy's choice(replace=False) shuffles all of them, even when it takes all of them.
        draw.shuffle(tied)
        for which in tied[:missing]:
            allotted[which] += 1
        missing -= min(len(tied), missing)
    return allotted


@lru_cache(maxsize=1)
def _seeded(seed: int) -> tuple[int, ...]:
    """Return the generator's state, by which both splits of a run begin.

    It is MT19937's init_genrand (Matsumoto and Nishimura, 2002), which NumPy seeds with; Python's
    own seeding hashes the seed first.
    """
    state = [seed]
    for position in range(1, 624):
        previous = state[-1]
        state.append((1812433253 * (previous ^ previous >> 30) + position) & 0xFFFFFFFF)
    return (*state, 624)


class _RandomState:
    """The part of `numpy.random.RandomState` that the split draws on."""

    def __init__(self, seed: int) -> None:
        # Reproducing a published split is the purpose; nothing here is a secret.
        self._twister = random.Random()  # noqa: S311
        self._twister.setstate((3, _seeded(seed), None))
        self._words = self._draw_words()

    def _draw_words(self) -> Iterator[int]:
        while True:
            many = self._twister.getrandbits(32 * _WORDS_AT_ONCE)
            yield from struct.unpack(
                f"<{_WORDS_AT_ONCE}I", many.to_bytes(4 * _WORDS_AT_ONCE, "little")
            )

    def shuffle(self, items: list[int]) -> None:
        """Shuffle in place: Fisher-Yates from the end, each index by masked rejection."""
        words = self._words
        for last in range(len(items) - 1, 0, -1):
            mask = (1 << last.bit_length()) - 1
            chosen = next(words) & mask
            while chosen > last:
                chosen = next(words) & mask
            items[last], items[chosen] = items[chosen], items[last]


def too_few(counts: Sequence[int], classes: Sequence[str], why: str) -> TooFewRowsError:
    """Return the refusal of so many rows of each class."""
    if len(counts) == 2:
        what = f"{counts[1]} positive and {counts[0]} negative rows"
    else:
        rarest = min(range(len(counts)), key=counts.__getitem__)
        what = f"{counts[rarest]} of {sum(counts)} rows with the label {shown(classes[rarest])}"
    return TooFewRowsError(
        f"{what} are too few: {why}",
        remedy="Add rows of the rarer class, or give the smaller parts a larger share.",
    )
