"""Joining the batch transform's output with the labels of the rows it scored. Pure."""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..common import answers
from ..common.errors import SpineError

_SHOWN = 40
# As Python's own numbers and text rows take twenty times the memory.
_ROWS_AT_ONCE = 50_000


class BatchOutputError(SpineError):
    """The batch transform's output does not fit the test rows it was made from."""


class Scored(NamedTuple):
    """Rows of two classes, in order: labels (0 or 1) and probabilities of 1, of shape (n,)."""

    labels: NDArray[np.int8]
    probabilities: NDArray[np.float64]


class Classified(NamedTuple):
    """Rows of several classes, in order.

    Attributes:
        labels: The number of each row's class, shape (n,).
        classes: The class predicted, shape (n,).
        probabilities: Of each class, shape (n, k), rows summing to 1; None when not predicted.
    """

    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None


class Estimated(NamedTuple):
    """Rows of a regression, in order: labels and predictions, both of shape (n,)."""

    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]


def join(
    test_rows: Iterable[str],
    output: Iterable[str],
    form: answers.Form,
    *,
    features: int | None = None,
) -> Scored | Classified | Estimated:
    """Join by position, which is all that a batch transform keeps.

    Args:
        test_rows: Lines of the test split, label first.
        output: Lines of the model's answers, one row a line or, from images up to 1.2-1, those of a
            request on one line. A batch transform adds line ends, so blank lines count as nothing.
        form: What the model answers for a row.
        features: How many features the data profile gives each row; the container scores rows that
            are too short without a word, and wrongly.

    Raises:
        BatchOutputError: A label or a row's width is not what the preparation wrote, an answer is
            not what the objective predicts, or the counts differ.
    """
    labels = _labels(test_rows, form, features)
    numbers = _answers(output, form)
    if len(labels) != len(numbers):
        raise BatchOutputError(
            f"The batch output has {len(numbers)} predictions for {len(labels)} test rows, so they"
            " cannot be told apart. Run again; if it happens again, look at the transform job's"
            " log."
        )
    if not len(labels):
        raise BatchOutputError("The test split has no rows. Give split.test a larger share.")
    if form.output == "value":
        return Estimated(labels, numbers[:, 0])
    if form.output == "class":
        return Classified(labels.astype(np.int64), numbers[:, 0].astype(np.int64), None)
    if form.output == "probabilities":
        # What 32-bit floats leave out of 1 is taken for rounding.
        shares = numbers / numbers.sum(axis=1, keepdims=True)
        return Classified(labels.astype(np.int64), shares.argmax(axis=1), shares)
    return Scored(labels.astype(np.int8), numbers[:, 0])


def _labels(lines: Iterable[str], form: answers.Form, features: int | None) -> NDArray[np.float64]:
    labels = array("d")
    for number, line in enumerate((line for line in lines if line), start=1):
        if features is not None and line.count(",") != features:
            raise BatchOutputError(
                f"Row {number} of the test split has {line.count(',')} features after the label;"
                f" the data profile says {features}. The files of the run were changed; start a"
                " new one."
            )
        text = line.partition(",")[0]
        label = answers.label(text, form)
        if label is None:
            known = (
                "a number"
                if form.output == "value"
                else "0 or 1"
                if form.classes == 2
                else f"0 to {form.classes - 1}"
            )
            raise BatchOutputError(
                f"Row {number} of the test split starts with {_shown(text)} instead of its label,"
                f" {known}. The files of the run were changed; start a new one."
            )
        labels.append(label)
    return np.frombuffer(labels) if labels else np.empty(0)


def _answers(lines: Iterable[str], form: answers.Form) -> NDArray[np.float64]:
    """Return the answers' numbers, of shape (n, width)."""
    numbers = array("d")
    texts: list[str] = []

    def take(row: list[str]) -> None:
        read = form.read(row)
        if read is None:
            raise BatchOutputError(
                f"Prediction {len(numbers) // form.width + 1} of the batch output is"
                f" {_shown(','.join(row))}, not {form.expected}. Check that the model was trained"
                " with the run's objective."
            )
        numbers.extend(read)

    for line in lines:
        if not line.strip():
            continue
        texts += form.split(line)
        whole = len(texts) - len(texts) % form.width
        for start in range(0, whole, form.width):
            take(texts[start : start + form.width])
        del texts[:whole]
    if texts:
        take(texts)
    return (np.frombuffer(numbers) if numbers else np.empty(0)).reshape(-1, form.width)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def predictions_csv(
    rows: Scored | Classified | Estimated, threshold: float | None
) -> Iterator[str]:
    """Yield the rows with a header, counted from 1, some of them at a time.

    Of two classes `row,label,probability,class`; of several `row,label,class` and the probability
    of each class where there is one; of a regression `row,label,prediction`.
    """
    if isinstance(rows, Estimated):
        return _csv("row,label,prediction", (rows.labels, rows.predictions))
    if isinstance(rows, Scored):
        if threshold is None:
            raise ValueError("two classes are told apart at a threshold, and the plan has none")
        classes = (rows.probabilities > threshold).astype(np.int8)
        return _csv("row,label,probability,class", (rows.labels, rows.probabilities, classes))
    if rows.probabilities is None:
        return _csv("row,label,class", (rows.labels, rows.classes))
    columns = list(rows.probabilities.T)
    names = [f"probability_{number}" for number in range(len(columns))]
    return _csv(",".join(["row,label,class", *names]), (rows.labels, rows.classes, *columns))


def _csv(header: str, columns: tuple[NDArray[np.generic], ...]) -> Iterator[str]:
    yield f"{header}\n"
    for start in range(0, len(columns[0]), _ROWS_AT_ONCE):
        some = (column[start : start + _ROWS_AT_ONCE].tolist() for column in columns)
        lines = (
            ",".join(map(repr, (number, *row)))
            for number, row in enumerate(zip(*some, strict=True), start=start + 1)
        )
        yield "\n".join([*lines, ""])
