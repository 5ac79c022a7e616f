"""Metrics that the container computes itself because XGBoost does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localcloud.sagemaker.containers.xgboost.errors import UserError

Array = NDArray[Any]
Metric = Callable[[Array, Array], float]


def _accuracy(labels: Array, classes: Array) -> float:
    return float(np.mean(labels == classes))


def _balanced_accuracy(labels: Array, classes: Array) -> float:
    present = np.unique(labels)
    return float(np.mean([np.mean(classes[labels == label] == label) for label in present]))


def _counts(labels: Array, classes: Array) -> Array:
    """True positives, predicted and actual of each class, one row a class."""
    every = np.union1d(labels, classes)
    return np.array(
        [
            [np.sum((labels == c) & (classes == c)), np.sum(classes == c), np.sum(labels == c)]
            for c in every
        ],
        dtype=float,
    )


def _ratio(top: Array, bottom: Array) -> Array:
    ratio: Array = np.divide(top, bottom, out=np.zeros_like(top, dtype=float), where=bottom > 0)
    return ratio


def _precisions(counts: Array) -> Array:
    return _ratio(counts[:, 0], counts[:, 1])


def _recalls(counts: Array) -> Array:
    return _ratio(counts[:, 0], counts[:, 2])


def _f1s(counts: Array) -> Array:
    return _ratio(2 * counts[:, 0], counts[:, 1] + counts[:, 2])


def _macro(of: Callable[[Array], Array]) -> Metric:
    return lambda labels, classes: float(np.mean(of(_counts(labels, classes))))


def _micro(of: Callable[[Array], Array]) -> Metric:
    return lambda labels, classes: float(of(_counts(labels, classes).sum(axis=0)[None, :])[0])


def _binary(of: Callable[[Array], Array]) -> Metric:
    def metric(labels: Array, classes: Array) -> float:
        if np.setdiff1d(labels, [0, 1]).size:
            raise UserError("Target is multiclass but average='binary'")
        positive = (labels == 1).astype(float), (classes == 1).astype(float)
        hit = float(np.sum(positive[0] * positive[1]))
        return float(of(np.array([[hit, positive[1].sum(), positive[0].sum()]]))[0])

    return metric


def _mse(labels: Array, predictions: Array) -> float:
    return float(np.mean((labels - predictions) ** 2))


def _r2(labels: Array, predictions: Array) -> float:
    spread = float(np.sum((labels - labels.mean()) ** 2))
    return 1 - float(np.sum((labels - predictions) ** 2)) / spread if spread else 0.0


_REGRESSION: dict[str, Metric] = {"mse": _mse, "r2": _r2}
_CLASSIFICATION: dict[str, Metric] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _macro(_f1s),
    "f1_binary": _binary(_f1s),
    "f1_macro": _macro(_f1s),
    "precision": _binary(_precisions),
    "precision_macro": _macro(_precisions),
    "precision_micro": _micro(_precisions),
    "recall": _binary(_recalls),
    "recall_macro": _macro(_recalls),
    "recall_micro": _micro(_recalls),
}
CUSTOM = frozenset(_REGRESSION) | frozenset(_CLASSIFICATION)


def evaluator(
    names: list[str], *, scores: bool = False
) -> Callable[[Array, Any], list[tuple[str, float]]] | None:
    """What `xgboost.train` takes as `custom_metric`; None when there is none to compute.

    Args:
        names: The metrics.
        scores: Whether predictions are log-odds, which part the classes at 0.
    """
    if not names:
        return None

    def evaluate(predictions: Array, matrix: Any) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        if predictions.ndim > 1:
            classes = predictions.argmax(axis=1)
        else:
            classes = (predictions > 0).astype(float) if scores else np.round(predictions)
        return [
            (
                name,
                _REGRESSION[name](labels, predictions)
                if name in _REGRESSION
                else _CLASSIFICATION[name](labels, classes),
            )
            for name in names
        ]

    return evaluate
