"""Joining the batch transform's output with the labels of the rows it scored. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..common import probability
from ..common.errors import SpineError

_SHOWN = 40


class BatchOutputError(SpineError):
    """The batch transform's output does not fit the test rows it was made from."""


class Scored(NamedTuple):
    """The test rows in order: labels (0 or 1) and predicted probabilities, both of shape (n,)."""

    labels: NDArray[np.int8]
    probabilities: NDArray[np.float64]


def join(test_csv: str, output: str, *, features: int | None = None) -> Scored:
    """Join by position, which is all that a batch transform keeps.

    Args:
        test_csv: Rows of the test split, label first.
        output: Probabilities, one a line; images up to 1.2-1 write a request's answers on one
            line, separated by commas. A batch transform adds line ends, so blank lines count as
            nothing.
        features: How many features the data profile gives each row; the container scores rows that
            are too short without a word, and wrongly.

    Raises:
        BatchOutputError: A label is not 0 or 1, a row is not as wide as the profile says, something
            is not a probability, or the counts differ.
    """
    lines = [line for line in test_csv.splitlines() if line]
    for number, line in enumerate(lines, start=1):
        if features is not None and line.count(",") != features:
            raise BatchOutputError(
                f"Row {number} of the test split has {line.count(',')} features after the label;"
                f" the data profile says {features}. The files of the run were changed; start a"
                " new one."
            )
    labels = [line.partition(",")[0] for line in lines]
    for number, label in enumerate(labels, start=1):
        if label not in ("0", "1"):
            raise BatchOutputError(
                f"Row {number} of the test split starts with {_shown(label)} instead of its label,"
                " 0 or 1. The files of the run were changed; start a new one."
            )
    values = [
        text.strip() for line in output.splitlines() if line.strip() for text in line.split(",")
    ]
    probabilities = [probability.parse(text) for text in values]
    for number, (text, value) in enumerate(zip(values, probabilities, strict=True), start=1):
        if value is None:
            raise BatchOutputError(
                f"Prediction {number} of the batch output is {_shown(text)}, not a probability"
                " between 0 and 1. Train with the objective binary:logistic."
            )
    if len(labels) != len(values):
        raise BatchOutputError(
            f"The batch output has {len(values)} predictions for {len(labels)} test rows, so they"
            " cannot be told apart. Run again; if it happens again, look at the transform job's"
            " log."
        )
    if not labels:
        raise BatchOutputError("The test split has no rows. Give split.test a larger share.")
    return Scored(np.array(labels, dtype=np.int8), np.array(probabilities, dtype=np.float64))


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def predictions_csv(scored: Scored, threshold: float) -> str:
    """Return `row,label,probability,class` with a header; rows count from 1."""
    lines = ["row,label,probability,class"]
    lines += [
        f"{number},{label},{value!r},{int(value > threshold)}"
        for number, (label, value) in enumerate(
            zip(scored.labels.tolist(), scored.probabilities.tolist(), strict=True), start=1
        )
    ]
    return "\n".join(lines) + "\n"
