"""Metrics of two classes at a threshold, and their curves. Pure."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..measure import Z, wilson
from ..ranking import Ranking, rank, roc
from .rows import Scored


def metrics(scored: Scored, threshold: float) -> dict[str, Any]:
    """Return the metrics of the execution's output.

    A row is of class 1 when its probability is above the threshold, as in the notebook. A metric
    that would divide by nothing is None; `undefined` says why.
    """
    predicted = scored.probabilities > threshold
    tn, fp, fn, tp = np.bincount(2 * scored.labels + predicted, minlength=4).tolist()
    curve = roc(ranking(scored))
    return {
        "rows": len(scored.labels),
        "threshold": threshold,
        "auc": None if curve is None else curve.area,
        "accuracy": (tp + tn) / len(scored.labels),
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "confusion_matrix": {"tn": tn, "fp": fp, "fn": fn, "tp": tp},
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def undefined(values: Mapping[str, Any]) -> dict[str, str]:
    """Say for each metric that is None what is missing."""
    reasons = {
        "auc": "the test rows are all of one class",
        "precision": "no row is predicted as class 1 at this threshold",
        "recall": "no test row is of class 1",
        "f1": "no row is of class 1, neither by label nor by prediction",
    }
    return {name: reason for name, reason in reasons.items() if values[name] is None}


def intervals(values: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return 95 % intervals of the metrics that are defined, to show how much the rows can tell.

    AUC by Hanley and McNeil (Radiology 143, 1982); shares by Wilson's score interval (JASA 22,
    1927). F1 is no share of anything and has no simple one.
    """
    counts = values["confusion_matrix"]
    tp, tn, fp, fn = (counts[name] for name in ("tp", "tn", "fp", "fn"))
    shares = {
        "accuracy": (tp + tn, values["rows"]),
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
    }
    found = {name: wilson(part, whole) for name, (part, whole) in shares.items() if whole}
    if values["auc"] is not None:
        found["auc"] = _hanley_mcneil(values["auc"], positives=tp + fn, negatives=tn + fp)
    return found


def _hanley_mcneil(auc: float, *, positives: int, negatives: int) -> tuple[float, float]:
    q1 = auc / (2 - auc)
    q2 = 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    ) / (positives * negatives)
    spread = Z * math.sqrt(max(0.0, variance))
    return max(0.0, auc - spread), min(1.0, auc + spread)


def ranking(scored: Scored) -> Ranking:
    """Rank the rows by their probability of class 1."""
    return rank(scored.labels == 1, scored.probabilities)


def histogram(scored: Scored, bins: int) -> tuple[list[int], list[int]]:
    """Count the rows of class 0 and of class 1 in equal bins of the probability from 0 to 1."""
    counts = [
        np.histogram(scored.probabilities[scored.labels == label], bins=bins, range=(0, 1))[0]
        for label in (0, 1)
    ]
    return counts[0].tolist(), counts[1].tolist()
