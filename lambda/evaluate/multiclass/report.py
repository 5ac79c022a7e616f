"""What the report shows of several classes. Pure."""

from typing import Any

from .. import charts, page
from ..gate import Gate
from ..measure import wilson
from . import measure
from .rows import Classified

_BINS = 20
_TILES = ("accuracy", "f1_macro", "precision_macro", "recall_macro", "auc_ovr_macro", "log_loss")
# A wider matrix would not be read; the page then lists what is confused most.
_MOST_COLUMNS = 15
_CONFUSIONS = 20
# As many as the page has colours for.
_MOST_CURVES = 8


def render(
    event: dict[str, Any],
    rows: Classified,
    metrics: dict[str, Any],
    reasons: dict[str, str],
    gate: Gate,
) -> str:
    """Return the page for the handler's event and what was measured; names may be hostile."""
    per_class = metrics["per_class"]
    right = sum(line[at] for at, line in enumerate(metrics["confusion_matrix"]))
    intervals = {"accuracy": wilson(right, metrics["rows"])}
    by_recall = sorted(per_class, key=lambda each: float(each["recall"]))
    parts = ("train", "validate", "test")
    shown = _hardest(per_class)
    return page.page(
        "multiclass/report.html.jinja",
        event,
        metrics,
        gate,
        tiles=page.tiles(_TILES, metrics, intervals, reasons),
        per_class=per_class,
        right=right,
        best=by_recall[-1],
        worst=by_recall[0],
        parts=parts,
        part_rows=[
            {
                "name": each["name"],
                "counts": [
                    event["prepared"]["class_counts"][part][each["class"]] for part in parts
                ],
            }
            for each in per_class
        ],
        matrix=_matrix(metrics) if len(per_class) <= _MOST_COLUMNS else None,
        confusions=_confusions(metrics),
        shown=shown,
        charts={"roc": _roc(rows, shown), "confidence": _confidence(rows)},
    )


def _matrix(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay out the confusion matrix by rows of actual classes, with shares of each row."""
    return [
        {
            "name": each["name"],
            "cells": [
                {"count": count, "right": at == each["class"], "share": count / max(1, sum(line))}
                for at, count in enumerate(line)
            ],
        }
        for each, line in zip(metrics["per_class"], metrics["confusion_matrix"], strict=True)
    ]


def _confusions(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    names = [each["name"] for each in metrics["per_class"]]
    found = [
        {"actual": names[actual], "predicted": names[predicted], "count": count}
        for actual, line in enumerate(metrics["confusion_matrix"])
        for predicted, count in enumerate(line)
        if count and actual != predicted
    ]
    return sorted(found, key=lambda each: -int(each["count"]))[:_CONFUSIONS]


def _hardest(per_class: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the classes whose curves are drawn: those least told from the rest, in order."""
    drawn = sorted(
        (each for each in per_class if each["auc"] is not None),
        key=lambda each: float(each["auc"]),
    )[:_MOST_CURVES]
    return sorted(drawn, key=lambda each: int(each["class"]))


def _roc(rows: Classified, shown: list[dict[str, Any]]) -> Any:
    curves = [measure.roc(rows, each["class"]) for each in shown]
    lines = [page.points(curve) for curve in curves if curve is not None]
    if not lines:
        return None
    areas = ", ".join(f"{each['name']} {each['auc']:.4f}" for each in shown)
    return page.safe(
        charts.curves(
            lines,
            name="roc",
            title="ROC curves of each class against the rest",
            description=f"Areas under the curves: {areas}.",
            x_label="False positive rate",
            y_label="True positive rate",
            baseline_label="dashed: chance",
        )
    )


def _confidence(rows: Classified) -> Any:
    counted = measure.confidence(rows, _BINS)
    if counted is None:
        return None
    wrong, right = counted
    return page.safe(
        charts.histogram(
            wrong,
            right,
            name="confidence",
            title="Distribution of the probability of the class predicted",
            description=f"{sum(right)} rows are right and drawn upwards, {sum(wrong)} are wrong.",
            x_label="Probability of the class predicted",
            y_label="Rows",
            threshold=None,
            threshold_label="",
            colours=("good", "bad"),
        )
    )
