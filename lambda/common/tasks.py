"""What a label is for, and the metrics that a run's test rows are measured by. Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, get_args

Task: TypeAlias = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)


class Metric(NamedTuple):
    """A metric of the test rows.

    Attributes:
        title: What a page calls it.
        short: What a narrow table calls it.
        tasks: Those it is measured for.
        bound: What the quality gate may ask of it: to reach a minimum, or not to exceed a maximum.
        in_units: Whether it is in the label's unit, so of any size; others are shares.
        needs_probabilities: Whether predicted classes alone do not tell it.
    """

    title: str
    short: str
    tasks: tuple[Task, ...]
    bound: Literal["minimum", "maximum"] | None = None
    in_units: bool = False
    needs_probabilities: bool = False


METRICS: Mapping[str, Metric] = {
    "auc": Metric("AUC", "AUC", ("binary",), "minimum", needs_probabilities=True),
    "auc_ovr_macro": Metric(
        "AUC, macro", "AUC, macro", ("multiclass",), "minimum", needs_probabilities=True
    ),
    "accuracy": Metric("Accuracy", "accuracy", ("binary", "multiclass"), "minimum"),
    "precision": Metric("Precision", "precision", ("binary",), "minimum"),
    "recall": Metric("Recall", "recall", ("binary",), "minimum"),
    "f1": Metric("F1", "F1", ("binary",), "minimum"),
    "precision_macro": Metric("Precision, macro", "precision, macro", ("multiclass",), "minimum"),
    "recall_macro": Metric("Recall, macro", "recall, macro", ("multiclass",), "minimum"),
    "f1_macro": Metric("F1, macro", "F1, macro", ("multiclass",), "minimum"),
    "log_loss": Metric(
        "Log loss", "log loss", ("multiclass",), "maximum", needs_probabilities=True
    ),
    "r2": Metric("R²", "R²", ("regression",), "minimum"),
    "rmse": Metric("RMSE", "RMSE", ("regression",), "maximum", in_units=True),
    "mae": Metric("MAE", "MAE", ("regression",), "maximum", in_units=True),
    "median_absolute_error": Metric(
        "Median absolute error", "median error", ("regression",), in_units=True
    ),
    "max_error": Metric("Greatest error", "greatest error", ("regression",), in_units=True),
}


def gated(task: Task, *, probabilities: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the metrics that `evaluation.minimum` and `evaluation.maximum` may name.

    Args:
        task: What the label is for.
        probabilities: Whether the model tells more than classes.
    """
    measured = {
        name: metric.bound
        for name, metric in METRICS.items()
        if task in metric.tasks and (probabilities or not metric.needs_probabilities)
    }
    return (
        tuple(name for name, bound in measured.items() if bound == "minimum"),
        tuple(name for name, bound in measured.items() if bound == "maximum"),
    )


def class_names(classes: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the names of a run's classes by the numbers written for them.

    Args:
        classes: As the preparation reports them: of two the `positive` and the `negative` one,
            several by number; none of a regression.
    """
    if not classes or "positive" in classes:
        found = classes or {}
        return str(found.get("negative", "0")), str(found.get("positive", "1"))
    return tuple(str(classes[str(number)]) for number in range(len(classes)))
