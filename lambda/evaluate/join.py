"""Joining the batch transform's output with the labels of the rows it scored. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..common import answers
from ..common.errors import SpineError

_SHOWN = 40


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
    test_csv: str, output: str, form: answers.Form, *, features: int | None = None
) -> Scored | Classified | Estimated:
    """Join by position, which is all that a batch transform keeps.

    Args:
        test_csv: Rows of the test split, label first.
        output: The model's answers, one row a line or, from images up to 1.2-1, those of a request
            on one line. A batch transform adds line ends, so blank lines count as nothing.
        form: What the model answers for a row.
        features: How many features the data profile gives each row; the container scores rows that
            are too short without a word, and wrongly.

    Raises:
        BatchOutputError: A label or a row's width is not what the preparation wrote, an answer is
            not what the objective predicts, or the counts differ.
    """
    labels = _labels(test_csv, form, features)
    rows = _answers(output, form)
    if len(labels) != len(rows):
        raise BatchOutputError(
            f"The batch output has {len(rows)} predictions for {len(labels)} test rows, so they"
            " cannot be told apart. Run again; if it happens again, look at the transform job's"
            " log."
        )
    if not labels:
        raise BatchOutputError("The test split has no rows. Give split.test a larger share.")
    numbers = np.array(rows, dtype=np.float64)
    if form.output == "value":
        return Estimated(np.array(labels), numbers[:, 0])
    if form.output == "class":
        return Classified(np.array(labels, np.int64), numbers[:, 0].astype(np.int64), None)
    if form.output == "probabilities":
        # What 32-bit floats leave out of 1 is taken for rounding.
        shares = numbers / numbers.sum(axis=1, keepdims=True)
        return Classified(np.array(labels, np.int64), shares.argmax(axis=1), shares)
    return Scored(np.array(labels, np.int8), numbers[:, 0])


def _labels(test_csv: str, form: answers.Form, features: int | None) -> list[float]:
    lines = [line for line in test_csv.splitlines() if line]
    for number, line in enumerate(lines, start=1):
        if features is not None and line.count(",") != features:
            raise BatchOutputError(
                f"Row {number} of the test split has {line.count(',')} features after the label;"
                f" the data profile says {features}. The files of the run were changed; start a"
                " new one."
            )
    labels = []
    for number, line in enumerate(lines, start=1):
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
    return labels


def _answers(output: str, form: answers.Form) -> list[tuple[float, ...]]:
    values = [text for line in output.splitlines() if line.strip() for text in form.split(line)]
    rows: list[tuple[float, ...]] = []
    for start in range(0, len(values), form.width):
        texts = values[start : start + form.width]
        row = form.read(texts)
        if row is None:
            raise BatchOutputError(
                f"Prediction {len(rows) + 1} of the batch output is {_shown(','.join(texts))}, not"
                f" {form.expected}. Check that the model was trained with the run's objective."
            )
        rows.append(row)
    return rows


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def predictions_csv(rows: Scored | Classified | Estimated, threshold: float | None) -> str:
    """Return the rows with a header, counted from 1.

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


def _csv(header: str, columns: tuple[NDArray[np.generic], ...]) -> str:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    lines = [",".join(map(repr, (number, *row))) for number, row in enumerate(rows, start=1)]
    return "\n".join([header, *lines]) + "\n"
