"""Metrics of several classes. Pure; names and formulas are scikit-learn's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

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
    numbers = list(range(len(classes)))
    precision, recall, f1, count = precision_recall_fscore_support(
        rows.labels, rows.classes, labels=numbers, zero_division=0
    )
    aucs = [_auc(rows, number) for number in numbers]
    known = [auc for auc in aucs if auc is not None]
    probabilities = rows.probabilities
    return {
        "rows": len(rows.labels),
        "auc_ovr_macro": sum(known) / len(known) if len(known) == len(aucs) else None,
        "accuracy": float(np.mean(rows.labels == rows.classes)),
        "precision_macro": float(precision.mean()),
        "recall_macro": float(recall.mean()),
        "f1_macro": float(f1.mean()),
        "log_loss": None
        if probabilities is None
        else float(log_loss(rows.labels, probabilities, labels=numbers)),
        "confusion_matrix": confusion_matrix(rows.labels, rows.classes, labels=numbers).tolist(),
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


def _auc(rows: Classified, number: int) -> float | None:
    mine = rows.labels == number
    if rows.probabilities is None or mine.all() or not mine.any():
        return None
    return float(roc_auc_score(mine, rows.probabilities[:, number]))


def roc(rows: Classified, number: int) -> Curve | None:
    """Return a class' curve against the rest, None where undefined."""
    area = _auc(rows, number)
    if area is None or rows.probabilities is None:
        return None
    x, y, _ = roc_curve(rows.labels == number, rows.probabilities[:, number])
    return Curve(x, y, area)


def confidence(rows: Classified, bins: int) -> tuple[list[int], list[int]] | None:
    """Count the wrong and the right rows by the probability of the class predicted."""
    if rows.probabilities is None:
        return None
    highest: NDArray[np.float64] = rows.probabilities.max(axis=1)
    right = rows.labels == rows.classes
    counts = [np.histogram(highest[of], bins=bins, range=(0, 1))[0] for of in (~right, right)]
    return counts[0].tolist(), counts[1].tolist()
