"""What the report shows of a regression. Pure."""

from typing import Any

from . import charts, measure_numbers, report
from .join import Estimated

_BINS = 21
_TILES = ("r2", "rmse", "mae", "median_absolute_error", "max_error")


def render(
    event: dict[str, Any], rows: Estimated, metrics: dict[str, Any], gate: dict[str, Any]
) -> str:
    """Return the page for the handler's event and what was measured; names may be hostile."""
    label = event["prepared"]["label"]
    return report.page(
        "report_numbers.html.jinja",
        event,
        metrics,
        gate,
        tiles=report.tiles(_TILES, metrics, {}, measure_numbers.undefined(metrics)),
        charts={
            "predicted": _predicted(rows, metrics, label),
            "errors": _errors(rows, metrics, label),
            "distribution": _distribution(rows, metrics),
        },
    )


def _predicted(rows: Estimated, metrics: dict[str, Any], label: str) -> Any:
    points = sorted(zip(rows.labels.tolist(), rows.predictions.tolist(), strict=True))
    return report.safe(
        charts.scatter(
            points,
            name="predicted",
            title="Predictions by label",
            description=f"R² is {report.number(metrics['r2'])}; on the diagonal they agree.",
            x_label=f"{label}, true",
            y_label=f"{label}, predicted",
            line="diagonal",
        )
    )


def _errors(rows: Estimated, metrics: dict[str, Any], label: str) -> Any:
    errors = rows.predictions - rows.labels
    points = sorted(zip(rows.predictions.tolist(), errors.tolist(), strict=True))
    return report.safe(
        charts.scatter(
            points,
            name="errors",
            title="Errors by prediction",
            description=f"The greatest is {report.number(metrics['max_error'])}.",
            x_label=f"{label}, predicted",
            y_label="prediction minus label",
            line="zero",
        )
    )


def _distribution(rows: Estimated, metrics: dict[str, Any]) -> Any:
    counts, low, high = measure_numbers.residuals(rows, _BINS)
    return report.safe(
        charts.bars(
            counts,
            low,
            high,
            name="distribution",
            title="Distribution of the errors",
            description=(
                f"Half of the rows are off by at most"
                f" {report.number(metrics['median_absolute_error'])}."
            ),
            x_label="prediction minus label",
            y_label="Rows",
        )
    )
