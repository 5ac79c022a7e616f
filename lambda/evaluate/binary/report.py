"""What the report shows of two classes. Pure."""

from typing import Any

from markupsafe import Markup

from .. import charts, page
from ..gate import Gate
from ..measure import Curve
from ..ranking import precision_recall, roc
from . import measure
from .rows import Scored

_BINS = 20
_TILES = ("auc", "accuracy", "precision", "recall", "f1")


def render(
    event: dict[str, Any],
    scored: Scored,
    metrics: dict[str, Any],
    reasons: dict[str, str],
    gate: Gate,
) -> str:
    """Return the page for the handler's event and what was measured; names may be hostile."""
    ranking = measure.ranking(scored)
    recalls = precision_recall(ranking)
    threshold = f"threshold {metrics['threshold']:g}"
    classes = event["prepared"]["classes"]
    return page.page(
        "binary/report.html.jinja",
        event,
        metrics,
        gate,
        tiles=page.tiles(_TILES, metrics, measure.intervals(metrics), reasons),
        classes=classes,
        counts=metrics["confusion_matrix"],
        matrix=_matrix(metrics, classes),
        average_precision=recalls and recalls.area,
        charts={
            "roc": _roc(roc(ranking), metrics, threshold),
            "precision_recall": _precision_recall(recalls, metrics, threshold),
            "scores": _scores(scored, metrics, classes, threshold),
        },
    )


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


def _roc(curve: Curve | None, metrics: dict[str, Any], threshold: str) -> Markup | None:
    if curve is None:
        return None
    counts = metrics["confusion_matrix"]
    mark = (
        counts["fp"] / (counts["fp"] + counts["tn"]),
        counts["tp"] / (counts["tp"] + counts["fn"]),
    )
    return page.safe(
        charts.curve(
            page.points(curve),
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
    curve: Curve | None, metrics: dict[str, Any], threshold: str
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
    return page.safe(
        charts.curve(
            page.points(curve),
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
    return page.safe(
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
