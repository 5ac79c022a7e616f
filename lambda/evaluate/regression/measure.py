"""Metrics of a regression. Pure; names and formulas are scikit-learn's."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .rows import Estimated


def metrics(rows: Estimated) -> dict[str, Any]:
    """Return the metrics of the execution's output, errors in the label's unit.

    `r2` is None where the labels are all the same; `undefined` says so. `label` describes the test
    rows' own labels, which the errors are to be seen beside: its standard deviation is the RMSE of
    predicting their mean throughout.
    """
    labels, predictions = rows
    spread = float(np.std(labels))
    squared = (labels - predictions) ** 2
    whole = float(np.sum((labels - labels.mean()) ** 2))
    r2 = 1 - float(np.sum(squared)) / whole if len(labels) > 1 and spread and whole else math.nan
    errors = np.abs(labels - predictions)
    return {
        "rows": len(labels),
        "r2": r2 if math.isfinite(r2) else None,
        "rmse": math.sqrt(squared.mean()),
        "mae": float(errors.mean()),
        "median_absolute_error": float(np.median(errors)),
        "max_error": float(errors.max()),
        "label": {
            "min": float(labels.min()),
            "max": float(labels.max()),
            "mean": float(labels.mean()),
            "standard_deviation": spread,
        },
    }


def undefined(values: Mapping[str, Any]) -> dict[str, str]:
    """Say for each metric that is None what is missing."""
    return {"r2": "the test rows' labels are all the same"} if values["r2"] is None else {}


def residuals(rows: Estimated, bins: int) -> tuple[list[int], float, float]:
    """Count the rows by what the prediction is too low or too high by, in equal bins around 0.

    Returns:
        The counts, and the least and the greatest of what they cover.
    """
    errors = rows.predictions - rows.labels
    reach = float(np.abs(errors).max()) or 1.0
    counts, _ = np.histogram(errors, bins=bins, range=(-reach, reach))
    return counts.tolist(), -reach, reach
