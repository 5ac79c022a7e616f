"""What the report shows of a regression. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import charts, page
from ..gate import Gate
from . import measure
from .rows import Estimated

_BINS = 21
_TILES = ("r2", "rmse", "mae", "median_absolute_error", "max_error")


def render(
    event: dict[str, Any],
    rows: Estimated,
    metrics: dict[str, Any],
    reasons: dict[str, str],
    gate: Gate,
) -> str:
    """Return the page for the handler's event and what was measured; names may be hostile."""
    label = event["prepared"]["label"]
    return page.page(
        "regression/report.html.jinja",
        event,
        metrics,
        gate,
        tiles=page.tiles(_TILES, metrics, {}, reasons),
        charts={
            "predicted": _predicted(rows, metrics, label),
            "errors": _errors(rows, metrics, label),
            "distribution": _distribution(rows, metrics),
        },
    )


def _predicted(rows: Estimated, metrics: dict[str, Any], label: str) -> Any:
    return page.safe(
        charts.scatter(
            _points(rows.labels, rows.predictions),
            name="predicted",
            title="Predictions by label",
            description=f"R² is {page.number(metrics['r2'])}; on the diagonal they agree.",
            x_label=f"{label}, true",
            y_label=f"{label}, predicted",
            line="diagonal",
        )
    )


def _errors(rows: Estimated, metrics: dict[str, Any], label: str) -> Any:
    return page.safe(
        charts.scatter(
            _points(rows.predictions, rows.predictions - rows.labels),
            name="errors",
            title="Errors by prediction",
            description=f"The greatest is {page.number(metrics['max_error'])}.",
            x_label=f"{label}, predicted",
            y_label="prediction minus label",
            line="zero",
        )
    )


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return what is drawn of the rows: evenly along x, and where y is least and greatest."""
    order = np.lexsort((y, x))
    drawn = order[charts.picked(len(order), charts.MOST_POINTS - 2)]
    if len(drawn) < len(order):
        drawn = np.concatenate((drawn, [y.argmin(), y.argmax()]))
    return sorted(zip(x[drawn].tolist(), y[drawn].tolist(), strict=True))


def _distribution(rows: Estimated, metrics: dict[str, Any]) -> Any:
    counts, low, high = measure.residuals(rows, _BINS)
    return page.safe(
        charts.bars(
            counts,
            low,
            high,
            name="distribution",
            title="Distribution of the errors",
            description=(
                f"Half of the rows are off by at most"
                f" {page.number(metrics['median_absolute_error'])}."
            ),
            x_label="prediction minus label",
            y_label="Rows",
        )
    )
