"""Metrics of several classes. Pure; names and formulas are scikit-learn's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ranking
from ..measure import Curve
from .rows import Classified


def metrics(rows: Classified, classes: Sequence[str]) -> dict[str, Any]:
    """Return the metrics of the execution's output.

    Macro means are over the classes, each as weighty as the next; a precision or F1 without a row
    to divide by is 0. Each class' AUC is of that class against the rest. A metric that needs
    probabilities is None without them; `undefined` says why.

    Args:
        rows: The test rows.
        classes: The label's values by the numbers written for them.
    """
    matrix = np.bincount(
        rows.labels * len(classes) + rows.classes, minlength=len(classes) ** 2
    ).reshape(len(classes), len(classes))
    right, count, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = _ratios(right, predicted), _ratios(right, count)
    f1 = _ratios(2 * right, count + predicted)
    aucs = [_auc(rows, number) for number in range(len(classes))]
    known = [auc for auc in aucs if auc is not None]
    probabilities = rows.probabilities
    return {
        "rows": len(rows.labels),
        "auc_ovr_macro": sum(known) / len(known) if len(known) == len(aucs) else None,
        "accuracy": float(np.mean(rows.labels == rows.classes)),
        "precision_macro": float(precision.mean()),
        "recall_macro": float(recall.mean()),
        "f1_macro": float(f1.mean()),
        "log_loss": None if probabilities is None else _log_loss(rows.labels, probabilities),
        "confusion_matrix": matrix.tolist(),
        "per_class": [
            {
                "class": number,
                "name": name,
                "rows": int(count[number]),
                "precision": float(precision[number]),
                "recall": float(recall[number]),
                "f1": float(f1[number]),
                "auc": aucs[number],
            }
            for number, name in enumerate(classes)
        ],
    }


def undefined(rows: Classified, values: Mapping[str, Any], objective: str) -> dict[str, str]:
    """Say for each metric that is None what is missing."""
    reason = (
        f"the objective {objective} predicts classes without probabilities"
        if rows.probabilities is None
        else "the test rows lack a class"
    )
    return {name: reason for name in ("auc_ovr_macro", "log_loss") if values[name] is None}


def _ratios(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide, 0 where there is nothing to divide by."""
    return np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)


def _log_loss(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Return the mean of -log of the probability given to each row's class.

    As in scikit-learn, a probability of 0 counts as 2.2e-16, the least difference from 1 there is,
    since a single row would make the mean infinite.
    """
    given = np.take_along_axis(probabilities, labels[:, np.newaxis], axis=1)
    least = np.finfo(np.float64).eps
    return float(-np.mean(np.log(np.clip(given, least, 1 - least))))


def _auc(rows: Classified, number: int) -> float | None:
    curve = roc(rows, number)
    return None if curve is None else curve.area


def roc(rows: Classified, number: int) -> Curve | None:
    """Return a class' curve against the rest, None where undefined."""
    if rows.probabilities is None:
        return None
    return ranking.roc(ranking.rank(rows.labels == number, rows.probabilities[:, number]))


def confidence(rows: Classified, bins: int) -> tuple[list[int], list[int]] | None:
    """Count the wrong and the right rows by the probability of the class predicted."""
    if rows.probabilities is None:
        return None
    highest: NDArray[np.float64] = rows.probabilities.max(axis=1)
    right = rows.labels == rows.classes
    counts = [np.histogram(highest[of], bins=bins, range=(0, 1))[0] for of in (~right, right)]
    return counts[0].tolist(), counts[1].tolist()
