"""The report a person reads: one HTML file that needs nothing else, not even a script. Pure.

Here is the page itself and what it shows of two classes; `report_classes` and `report_numbers` show
the rest.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from . import charts, measure
from .join import Scored

_BINS = 20
# Not shares, so of any size.
_IN_UNITS = frozenset({"rmse", "mae", "median_absolute_error", "max_error"})
_NAMES = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "auc_ovr_macro": "AUC, macro",
    "precision_macro": "Precision, macro",
    "recall_macro": "Recall, macro",
    "f1_macro": "F1, macro",
    "log_loss": "Log loss",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "median_absolute_error": "Median absolute error",
    "max_error": "Greatest error",
}


def render(
    event: dict[str, Any], scored: Scored, metrics: dict[str, Any], gate: dict[str, Any]
) -> str:
    """Return the page for the handler's event and what was measured; names may be hostile."""
    precision_recall = measure.precision_recall(scored)
    threshold = f"threshold {metrics['threshold']:g}"
    classes = event["prepared"]["classes"]
    return page(
        "report_binary.html.jinja",
        event,
        metrics,
        gate,
        tiles=tiles(
            measure.METRICS, metrics, measure.intervals(metrics), measure.undefined(metrics)
        ),
        classes=classes,
        counts=metrics["confusion_matrix"],
        matrix=_matrix(metrics, classes),
        average_precision=precision_recall and precision_recall.area,
        charts={
            "roc": _roc(measure.roc(scored), metrics, threshold),
            "precision_recall": _precision_recall(precision_recall, metrics, threshold),
            "scores": _scores(scored, metrics, classes, threshold),
        },
    )


def page(
    template: str,
    event: dict[str, Any],
    metrics: dict[str, Any],
    gate: dict[str, Any],
    **shown: Any,
) -> str:
    """Return the page of a template for the handler's event.

    Args:
        template: One that extends the page.
        event: The handler's.
        metrics: What was measured.
        gate: What was asked of it.
        **shown: What else the template shows, its `tiles` among it.
    """
    return _template(template).render(
        plan=event["plan"],
        prepared=event["prepared"],
        training=event["training"],
        model_data=event["model_data"],
        transform_job=event["transform_job"],
        metrics=metrics,
        gate=gate,
        names=_NAMES,
        **shown,
    )


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["metric"] = _metric
    environment.filters["reached"] = _reached
    environment.filters["number"] = number
    environment.filters["size"] = _size
    environment.filters["duration"] = _duration
    return environment.get_template(name)


def _metric(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _reached(check: dict[str, Any]) -> str:
    """Write a check's value, in full when rounding would hide that it falls short."""
    write = number if check["metric"] in _IN_UNITS else _metric
    text = write(check["value"])
    if check["value"] is None or check["passed"]:
        return text
    rounded = float(text.replace(",", ""))
    hidden = rounded >= check["minimum"] if "minimum" in check else rounded <= check["maximum"]
    return repr(check["value"]) if hidden else text


def number(value: float | None) -> str:
    """Write a number of any size to five digits."""
    if value is None:
        return "undefined"
    return f"{value:,.5g}" if abs(value) < 100_000 else f"{value:,.0f}"


def _size(count: int) -> str:
    """Write a number of bytes in the unit people use for it."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def tiles(
    shown: Iterable[str],
    metrics: dict[str, Any],
    intervals: dict[str, tuple[float, float]],
    reasons: dict[str, str],
) -> list[dict[str, Any]]:
    """Lay out the metrics in the order given, with what is known of how sure they are."""
    return [
        {
            "name": _NAMES[name],
            "text": (number if name in _IN_UNITS else _metric)(metrics[name]),
            "value": metrics[name],
            "interval": intervals.get(name),
            "reason": reasons.get(name),
        }
        for name in shown
    ]


def points(curve: measure.Curve) -> list[tuple[float, float]]:
    """Return what is drawn of a curve, which may have a point for each of millions of rows."""
    drawn = charts.picked(len(curve.x))
    return list(zip(curve.x[drawn].tolist(), curve.y[drawn].tolist(), strict=True))


def _matrix(metrics: dict[str, Any], classes: dict[str, str]) -> list[dict[str, Any]]:
    """Lay out the confusion matrix by rows of actual classes, with shares of each row."""
    counts = metrics["confusion_matrix"]
    rows = []
    for actual, cells in (
        ("positive", (("tp", "found", True), ("fn", "missed", False))),
        ("negative", (("fp", "false alarm", False), ("tn", "rightly cleared", True))),
    ):
        total = sum(counts[name] for name, _, _ in cells)
        rows.append(
            {
                "actual": classes[actual],
                "total": total,
                "cells": [
                    {
                        "count": counts[name],
                        "meaning": meaning,
                        "right": right,
                        "share": counts[name] / total if total else 0.0,
                    }
                    for name, meaning, right in cells
                ],
            }
        )
    return rows


def _roc(curve: measure.Curve | None, metrics: dict[str, Any], threshold: str) -> Markup | None:
    if curve is None:
        return None
    counts = metrics["confusion_matrix"]
    mark = (
        counts["fp"] / (counts["fp"] + counts["tn"]),
        counts["tp"] / (counts["tp"] + counts["fn"]),
    )
    return safe(
        charts.curve(
            points(curve),
            name="roc",
            title="ROC curve",
            description=(
                f"Area under the curve {curve.area:.4f}. At the {threshold} the true positive rate"
                f" is {mark[1]:.4f} and the false positive rate {mark[0]:.4f}."
            ),
            x_label="False positive rate",
            y_label="True positive rate",
            baseline=((0, 0), (1, 1)),
            baseline_label="dashed: chance",
            mark=mark,
            mark_label=threshold,
        )
    )


def _precision_recall(
    curve: measure.Curve | None, metrics: dict[str, Any], threshold: str
) -> Markup | None:
    if curve is None:
        return None
    counts = metrics["confusion_matrix"]
    share = (counts["tp"] + counts["fn"]) / metrics["rows"]
    mark = None
    described = f"At the {threshold} nothing is predicted positive."
    if metrics["precision"] is not None:
        mark = (metrics["recall"], metrics["precision"])
        described = f"At the {threshold} recall is {mark[0]:.4f} and precision {mark[1]:.4f}."
    return safe(
        charts.curve(
            points(curve),
            name="precision-recall",
            title="Precision-recall curve",
            description=f"Average precision {curve.area:.4f}. {described}",
            x_label="Recall",
            y_label="Precision",
            baseline=((0, share), (1, share)),
            baseline_label=f"dashed: share of positives, {share:.2f}",
            mark=mark,
            mark_label=threshold,
            # Between points that were picked a step would be a stair that is not in the data.
            steps=len(curve.x) <= charts.MOST_POINTS,
        )
    )


def _scores(
    scored: Scored, metrics: dict[str, Any], classes: dict[str, str], threshold: str
) -> Markup:
    negative, positive = measure.histogram(scored, _BINS)
    counts = metrics["confusion_matrix"]
    return safe(
        charts.histogram(
            negative,
            positive,
            name="scores",
            title="Distribution of the predicted probabilities by class",
            description=(
                f"Above the {threshold} are {counts['tp']} rows of {classes['positive']} and"
                f" {counts['fp']} of {classes['negative']}; at or below it {counts['fn']} and"
                f" {counts['tn']}."
            ),
            x_label="Predicted probability",
            y_label="Rows",
            threshold=metrics["threshold"],
            threshold_label=threshold,
        )
    )


def safe(svg: str) -> Markup:
    """Mark a chart as safe to put in a page."""
    return Markup(svg)  # noqa: S704 (charts escapes every text it is given)
