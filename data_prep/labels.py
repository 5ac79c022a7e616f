"""The label: numbered classes, or the numbers of a regression.

What a regression's label may be is the objective's. Algorithms check it themselves, as XGBoost does
(`src/objective/regression_obj.cu`, `CheckLabel`), but only in the training job. XGBoost keeps
labels as 32-bit floats, so they are held to the domain as such: 1e-50 is 0 there.
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from data_prep import values
from data_prep.errors import DataError, NoRowsError, listed, shown
from data_prep.formats.base import Rows
from data_prep.options import Domain, Objective, Wanted
from data_prep.table import DROPPED, Column
from data_prep.values import (
    MissingValueError,
    NotANumberError,
    NotFiniteError,
    UndeclaredValueError,
)

if TYPE_CHECKING:
    from fractions import Fraction


class PositiveNotFoundError(DataError):
    """The positive value is not among the label's values."""


class OneClassError(DataError):
    """The label has the same value in every row."""


class TooManyClassesError(DataError):
    """A binary label has more than two values, or any label of classes more than 256."""


class ClassCountError(DataError):
    """The label has another number of classes than `num_class` says."""


class NotAboveMinusOneLabelError(DataError):
    """A label is -1 or less, and `reg:squaredlogerror` takes the logarithm of label + 1."""


class NegativeLabelError(DataError):
    """A label is negative, and `count:poisson` or `reg:tweedie` is asked for."""


class NotPositiveLabelError(DataError):
    """A label is 0 or negative, and `reg:gamma` takes its logarithm."""


class NotAShareLabelError(DataError):
    """A label is not from 0 to 1, and `reg:logistic` predicts shares."""


# How Parquet's truth values are written, as a person may name them.
TRUTH_VALUES = {"true": "1", "false": "0"}
# Labels of classes are kept in one byte a row.
MOST_CLASSES = 256


class _Labels(NamedTuple):
    """What labels a domain has: `holds` tells of one, `bounds` says it in words."""

    holds: Callable[[float], bool]
    bounds: str
    error: type[DataError]


_DOMAINS: Mapping[Domain, _Labels] = {
    "above_minus_one": _Labels(
        lambda label: label > -1, "more than -1", NotAboveMinusOneLabelError
    ),
    "non_negative": _Labels(lambda label: label >= 0, "0 or more", NegativeLabelError),
    "positive": _Labels(lambda label: label > 0, "more than 0", NotPositiveLabelError),
    "share": _Labels(lambda label: 0 <= label <= 1, "from 0 to 1", NotAShareLabelError),
}


def _labels_of(objective: Objective | None) -> _Labels | None:
    return _DOMAINS[objective.domain] if objective and objective.domain else None


def in_domain(low: float, high: float, objective: Objective | None) -> bool:
    """Tell whether labels from `low` to `high` are all the objective's, as 32-bit floats.

    Every domain is an interval, so its ends tell.
    """
    ends = array("f", (low, high))
    domain = _labels_of(objective)
    return all(math.isfinite(end) and (domain is None or domain.holds(end)) for end in ends)


def add_target(
    target: Column,
    texts: Sequence[str],
    lines: Sequence[int],
    missing: frozenset[str],
    objective: Objective | None,
) -> None:
    """Append a batch of a regression's labels.

    Raises:
        DataError: One of its classes for values, or for the objective's domain.
    """
    start = len(target.values)
    try:
        values.add(target, texts, lines, missing)
    except MissingValueError as error:
        raise MissingValueError(
            error.problem.replace("the value", "the label", 1),
            remedy="Fill it in, or remove the row.",
            line=error.line,
            column=error.column,
        ) from error
    except NotANumberError as error:
        raise NotANumberError(
            f"the label {error.problem.removesuffix(' is not a number')} is not a number",
            remedy="Correct it; or, if the label is a class, set the hyperparameter objective to "
            "binary:logistic or multi:softprob.",
            line=error.line,
            column=error.column,
        ) from error
    added = target.values[start:]
    if added and not in_domain(min(added), max(added), objective):
        at = next(at for at, value in enumerate(added) if not in_domain(value, value, objective))
        raise _out_of_domain(texts[at].strip(), added[at], lines[at], target.name, objective)


def _out_of_domain(
    text: str, value: float, line: int, column: str, objective: Objective | None
) -> DataError:
    domain = _labels_of(objective)
    if objective is None or domain is None or not math.isfinite(array("f", [value])[0]):
        return NotFiniteError(
            f"the label {shown(text)} is too large for XGBoost, which keeps labels as 32-bit "
            "floats",
            remedy="Give the label in a larger unit; 32-bit floats end at 3.4e38.",
            line=line,
            column=column,
        )
    return domain.error(
        f"the label {shown(text)} is not {domain.bounds}, as the objective {objective.name} needs",
        remedy="Correct it or remove the row; or set the hyperparameter objective to "
        "reg:squarederror, which takes any number.",
        line=line,
        column=column,
    )


def check_spread(low: float, high: float, column: str) -> None:
    """Refuse a regression's label that is the same in every row.

    Raises:
        OneClassError: It is.
    """
    if low == high:
        raise OneClassError(
            f"every row has the label {low!r}",
            remedy="Add rows with other values; there is nothing to learn from one.",
            column=column,
        )


def no_rows() -> NoRowsError:
    """Return the refusal of a file that ends after its columns."""
    return NoRowsError("the file has columns and no row", remedy="Add rows of data.")


def label_number(text: str) -> "float | Fraction | None":
    """Return the number a label's value stands for, if it is written as one.

    Whole numbers and what is beyond 2**53 are exact: a float would make one of two neighbours.
    """
    if not (text.isascii() and "_" not in text and text[-1:].isdigit()):
        return None
    try:
        return int(text)
    except ValueError:
        pass
    value = values.number(text)
    if value is None or not values.EXACT < abs(value) < math.inf:
        return value
    from fractions import Fraction

    return Fraction(text)


class Labels:
    """The values of a label of classes, one byte a row, until every row is read.

    Args:
        rows: The reader of the file's lines.
        in_file: The label's name in the file.
        column: Its name after renaming.
        drops_missing: Whether rows without a label are left out; otherwise they are refused.

    Attributes:
        class_of: The number of the class by the code of the value, `DROPPED` where its rows are
            left out; known once `numbered` was called.
        dropped: How many rows are left out, by their label; known then, too.
    """

    def __init__(
        self, rows: Rows, in_file: str, column: str, *, drops_missing: bool = False
    ) -> None:
        self._drops_missing = drops_missing
        self.dropped: dict[str, int] = {}
        self._column = column
        self._declared = rows.nominal.get(in_file)
        self._numeric = in_file in rows.numeric
        self._missing = rows.missing
        self._codes: dict[str, int] = {}
        self._next = count()
        self._rows = bytearray()
        self.class_of = b""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, texts: Sequence[str], lines: Sequence[int]) -> None:
        """Append a batch of label values."""
        texts = [text.strip() for text in texts]
        for text in dict.fromkeys(texts):
            self.code(text, lines[texts.index(text)])
        self._rows.extend(map(self._codes.__getitem__, texts))

    def strings(self) -> list[str]:
        """Return the values seen, by their codes."""
        return list(self._codes)

    def add_codes(self, codes: bytes) -> None:
        """Append a batch of label values by their codes."""
        self._rows += codes

    def code(self, text: str, line: int) -> int:
        """Return the code of a label value, checking it where it is new.

        Raises:
            DataError: The value is missing, undeclared, not a number, or one too many.
        """
        if text not in self._codes:
            self._check(text, line)
            self._codes[text] = next(self._next)
        return self._codes[text]

    def is_missing(self, text: str) -> bool:
        """Tell whether a label's value stands for none."""
        return not text or text in self._missing

    def missing_in(self, texts: Sequence[str], lines: Sequence[int]) -> MissingValueError | None:
        """Return the refusal of the first missing label of a batch, if there is one."""
        for text, line in zip(texts, lines, strict=True):
            if self.is_missing(text.strip()):
                return self._refused_as_missing(text.strip(), line)
        return None

    def _refused_as_missing(self, text: str, line: int) -> MissingValueError:
        return MissingValueError(
            f"the label is missing ({shown(text)})",
            remedy="Fill it in, remove the row, or rename the class if that is its name.",
            line=line,
            column=self._column,
            fix={"source": {"missing_label": "drop"}},
        )

    def _check(self, text: str, line: int) -> None:
        if self.is_missing(text):
            if self._drops_missing:
                return
            raise self._refused_as_missing(text, line)
        if self._declared is not None and text not in self._declared:
            raise UndeclaredValueError(
                f"{shown(text)} is not one of the declared values {listed(self._declared)}",
                remedy="Correct the value, or add it to the declaration.",
                line=line,
                column=self._column,
            )
        if self._numeric and (refusal := values.refusal(self._column, text, line, self._missing)):
            raise refusal
        if len(self._codes) == MOST_CLASSES:
            raise TooManyClassesError(
                f"the label has more than {MOST_CLASSES} values, such as {shown(text)}",
                remedy="Set source.label to a column of classes; or, to predict a number, set the "
                "hyperparameter objective to one for regression, such as reg:squarederror.",
                line=line,
                column=self._column,
            )

    def counts(self) -> dict[str, int]:
        """Return how many rows have each value."""
        return {text: self._rows.count(code) for text, code in self._codes.items()}

    def numbered(self, wanted: Wanted, *, fewest: int = 0) -> tuple[bytes, tuple[str, ...]]:
        """Return the number of each row's class, and the classes by number.

        Values that are all numbers compare by value: `1` is `1.0`, and is named as it is first
        written. Binary classes are 0 and, for the positive value, 1. Several are numbered in the
        order of their values, or else of their texts, as scikit-learn's `LabelEncoder` does.

        Raises:
            DataError: There is no row, no positive value, one class, or more than are wanted.
        """
        binary = wanted.task == "binary"
        known = self._known()
        positive = _own_text(wanted.positive, known) if binary else ""
        numbers = {text: label_number(text) for text in (*known, *((positive,) if binary else ()))}
        numeric = None not in numbers.values()
        merged: dict[object, list[str]] = {}
        for text in known:
            merged.setdefault(numbers[text] if numeric else text, []).append(text)
        rare = [] if binary else self._rare(merged, wanted, fewest)
        names = [texts[0] for texts in merged.values()]
        if binary:
            target = numbers[positive] if numeric else positive
            self._check_binary(wanted, names, found=target in merged, numeric=numeric)
        self._check_several(names, len(merged) + bool(rare))
        if binary:
            of_positive = merged.pop(target)
            negative = list(merged.values())
            names = [_joined([texts[0] for texts in negative]), of_positive[0]]
            groups = [[text for texts in negative for text in texts], of_positive]
        else:
            # Of one type: numbers, or else texts.
            groups = [merged[value] for value in sorted(merged)]  # type: ignore[type-var]
            names = [texts[0] for texts in groups]
            if rare:
                groups.append(rare)
                names.append(_other(names))
            self._check_count(wanted.num_class, names)
        table = bytearray([DROPPED]) * MOST_CLASSES
        for number, texts in enumerate(groups):
            for text in texts:
                table[self._codes[text]] = number
        self.class_of = bytes(table[: len(self._codes)])
        used = {text for texts in groups for text in texts}
        if len(groups) > DROPPED and len(used) < len(self._codes):
            raise TooManyClassesError(
                f"the label has {len(groups)} values, beside rows that are left out",
                remedy="Merge some of them.",
                column=self._column,
            )
        counts = self.counts() if len(used) < len(self._codes) else {}
        self.dropped = {text: count for text, count in counts.items() if text not in used}
        return bytes(self._rows).translate(table), tuple(names)

    def _rare(self, merged: dict[object, list[str]], wanted: Wanted, fewest: int) -> list[str]:
        """Take the rare classes out; return the values of those that become one class."""
        if wanted.rare_classes == "refuse":
            return []
        counts = self.counts()
        rare = [
            value for value, texts in merged.items() if sum(counts[text] for text in texts) < fewest
        ]
        texts = [text for value in rare for text in merged.pop(value)]
        return texts if wanted.rare_classes == "merge" else []

    def _check_binary(
        self, wanted: Wanted, names: list[str], *, found: bool, numeric: bool
    ) -> None:
        if len(names) > 2 and not wanted.rest:
            number = ", or to reg:squarederror to predict a number"
            raise TooManyClassesError(
                f"the label has {len(names)} values: {listed(names)}",
                remedy="Keep the rows of two of them, merge them into two, set source.rest to "
                "true to tell the positive one from all others, or set the hyperparameter "
                "objective to multi:softprob to tell each from each"
                f"{number if numeric else ''}.",
                column=self._column,
                fix={
                    "training": {"hyperparameters": {"objective": "multi:softprob"}},
                    # Which class is meant is asked of two only.
                    "source": {"positive": None},
                },
            )
        if not found:
            raise PositiveNotFoundError(
                f"the positive value {shown(wanted.positive)} is not one of the label's: "
                f"{listed(names)}",
                remedy="Set source.positive to one of them, in the same case.",
                column=self._column,
                fix={"source": {"positive": guessed_positive(self.counts(), names)}},
            )

    def _known(self) -> list[str]:
        known = [text for text in self._codes if not self.is_missing(text)]
        if not self._rows:
            raise no_rows()
        if not known:
            raise NoRowsError("no row has a label", remedy="Add rows with one.")
        return known

    def _check_several(self, names: list[str], classes: int) -> None:
        if classes < 2:
            raise OneClassError(
                f"every row has the label {shown(names[0])}"
                if names
                else "every class is rarer than the smallest part takes",
                remedy="Add rows of the other class; there is nothing to learn from one.",
                column=self._column,
            )

    def _check_count(self, asked: int | None, names: list[str]) -> None:
        if asked is not None and asked != len(names):
            raise ClassCountError(
                f"the hyperparameter num_class is {asked} and the label has {len(names)} values: "
                f"{listed(names)}",
                remedy=f"Leave num_class out, or give {len(names)}.",
                column=self._column,
                fix={"training": {"hyperparameters": {"num_class": len(names)}}},
            )


# What people call the class that they look for.
_POSITIVE = frozenset(["1", "true", "yes", "y", "t", "positive", "pos", "oui", "vrai"])


def guessed_positive(counts: Mapping[str, int], names: Sequence[str]) -> str:
    """Return the value that is probably meant by 1: by its name, else the rarest."""
    named = [name for name in names if name.lower() in _POSITIVE]
    return named[0] if len(named) == 1 else min(names, key=lambda name: counts.get(name, 0))


def _own_text(positive: str, known: list[str]) -> str:
    """Return the positive value as it is written: truth values of Parquet are 1 and 0."""
    if positive not in known and set(known) <= {"0", "1"}:
        return TRUTH_VALUES.get(positive.lower(), positive)
    return positive


def _other(names: list[str]) -> str:
    """Return a name for the merged rare classes that no other has."""
    name = "other"
    while name in names:
        name += "_"
    return name


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"rest ({listed(names, limit=5)})"
