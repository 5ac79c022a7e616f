"""Joining the batch transform's output with the labels of the rows it scored. Pure."""

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..algorithms.answers import Form
from ..algorithms.objectives import Output
from ..common.errors import SpineError

_SHOWN = 40


class BatchOutputError(SpineError):
    """The batch transform's output does not fit the test rows it was made from."""


class Joined(NamedTuple):
    """Test rows and what the model answered, in order.

    Attributes:
        labels: Of shape (n,), n at least 1.
        answers: Of shape (n, width).
        output: What the model answers with.
    """

    labels: NDArray[np.float64]
    answers: NDArray[np.float64]
    output: Output


def join(
    test_rows: Iterable[str],
    output: Iterable[str],
    form: Form,
    *,
    features: int | None = None,
) -> Joined:
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
    return Joined(labels, numbers, form.output)


def _labels(lines: Iterable[str], form: Form, features: int | None) -> NDArray[np.float64]:
    labels = array("d")
    for number, line in enumerate((line for line in lines if line), start=1):
        if features is not None and line.count(",") != features:
            raise BatchOutputError(
                f"Row {number} of the test split has {line.count(',')} features after the label;"
                f" the data profile says {features}. The files of the run were changed; start a"
                " new one."
            )
        text = line.partition(",")[0]
        label = form.label(text)
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


def _answers(lines: Iterable[str], form: Form) -> NDArray[np.float64]:
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
