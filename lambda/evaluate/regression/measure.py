"""Metrics of a regression. Pure; names and formulas are scikit-learn's."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import (
    max_error,
    mean_absolute_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from .rows import Estimated


def metrics(rows: Estimated) -> dict[str, Any]:
    """Return the metrics of the execution's output, errors in the label's unit.

    `r2` is None where the labels are all the same; `undefined` says so. `label` describes the test
    rows' own labels, which the errors are to be seen beside: its standard deviation is the RMSE of
    predicting their mean throughout.
    """
    labels, predictions = rows
    spread = float(np.std(labels))
    r2 = float(r2_score(labels, predictions)) if len(labels) > 1 and spread else math.nan
    return {
        "rows": len(labels),
        "r2": r2 if math.isfinite(r2) else None,
        "rmse": float(root_mean_squared_error(labels, predictions)),
        "mae": float(mean_absolute_error(labels, predictions)),
        "median_absolute_error": float(median_absolute_error(labels, predictions)),
        "max_error": float(max_error(labels, predictions)),
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
