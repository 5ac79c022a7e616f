"""The objectives of XGBoost that a run can train, measure and serve, and what each needs. Pure.

Names and default metrics are XGBoost's (https://xgboost.readthedocs.io/en/stable/parameter.html,
"Learning Task Parameters"); which metrics suit which objective is what XGBoost and SageMaker's
container refuse only once the job runs.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Task = Literal["binary", "multiclass", "regression"]

# What the model answers for a row: the probability of class 1; the log-odds of it; a probability
# for each class; the number of a class; a number.
Output = Literal["probability", "score", "probabilities", "class", "value"]


class Objective(NamedTuple):
    """What follows from an objective.

    Attributes:
        task: What the label is for.
        output: What the model answers.
        default_metric: `eval_metric` where none is given.
        metrics: The `eval_metric`s that suit it.
        base_score: Bounds of `base_score`, both excluded; None where any number of at least 0 does.
    """

    task: Task
    output: Output
    default_metric: str
    metrics: tuple[str, ...]
    base_score: tuple[float, float] | None = None


_BINARY = (
    "auc", "aucpr", "logloss", "error", "accuracy", "balanced_accuracy", "f1", "f1_binary",
    "f1_macro", "precision", "precision_macro", "precision_micro", "recall", "recall_macro",
    "recall_micro", "map", "ndcg", "mae", "mape", "mphe", "mse", "r2", "rmse", "rmsle",
)  # fmt: skip
_MULTICLASS = (
    "merror", "mlogloss", "accuracy", "balanced_accuracy", "f1", "f1_macro", "precision_macro",
    "precision_micro", "recall_macro", "recall_micro",
)  # fmt: skip
_REGRESSION = ("rmse", "mae", "mape", "mse", "r2", "rmsle", "mphe")
_SHARE = (0.0, 1.0)
_POSITIVE = (0.0, float("inf"))

# `tweedie-nloglik` is missing: the container refuses the exponent that XGBoost asks of it.
OBJECTIVES: Mapping[str, Objective] = {
    "binary:logistic": Objective("binary", "probability", "auc", _BINARY, _SHARE),
    "binary:logitraw": Objective("binary", "score", "auc", _BINARY, _SHARE),
    "multi:softprob": Objective("multiclass", "probabilities", "mlogloss", _MULTICLASS),
    "multi:softmax": Objective("multiclass", "class", "merror", _MULTICLASS),
    "reg:squarederror": Objective("regression", "value", "rmse", _REGRESSION),
    "reg:squaredlogerror": Objective("regression", "value", "rmsle", _REGRESSION),
    "reg:absoluteerror": Objective("regression", "value", "mae", _REGRESSION),
    "reg:pseudohubererror": Objective("regression", "value", "mphe", _REGRESSION),
    "reg:logistic": Objective("regression", "value", "rmse", (*_REGRESSION, "logloss"), _SHARE),
    "reg:gamma": Objective(
        "regression",
        "value",
        "gamma-nloglik",
        (*_REGRESSION, "gamma-nloglik", "gamma-deviance"),
        _POSITIVE,
    ),
    "reg:tweedie": Objective("regression", "value", "rmse", _REGRESSION, _POSITIVE),
    "count:poisson": Objective(
        "regression", "value", "poisson-nloglik", (*_REGRESSION, "poisson-nloglik"), _POSITIVE
    ),
}

# What the container trains as well, and a run does not: why, and what to give instead.
NOT_OFFERED: Mapping[str, tuple[str, str]] = {
    "binary:hinge": (
        "predicts classes without the probabilities that the threshold and the metrics need",
        "Give binary:logistic.",
    ),
    "reg:linear": ("is the old name of reg:squarederror", "Give reg:squarederror."),
    **dict.fromkeys(
        ("rank:pairwise", "rank:ndcg", "rank:map"),
        (
            "ranks the rows of a group, and the prepared files have no groups",
            "Give an objective for classes or for numbers.",
        ),
    ),
    **dict.fromkeys(
        ("survival:aft", "survival:cox"),
        (
            "predicts times that may be censored, and the prepared files have one label a row",
            "Give an objective for classes or for numbers.",
        ),
    ),
}

# The metrics that a run's test rows are measured by, which the quality gate may ask for: those
# that must not fall short, and those that must not be exceeded.
GATED: Mapping[Task, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "binary": (("auc", "accuracy", "precision", "recall", "f1"), ()),
    "multiclass": (
        ("auc_ovr_macro", "accuracy", "precision_macro", "recall_macro", "f1_macro"),
        ("log_loss",),
    ),
    "regression": (("r2",), ("rmse", "mae")),
}
# Which classes alone do not tell.
NEEDS_PROBABILITIES = frozenset({"auc_ovr_macro", "log_loss"})


def gated(objective: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the metrics that `evaluation.minimum` and `evaluation.maximum` may name."""
    known = OBJECTIVES[objective]
    least, most = GATED[known.task]
    if known.output != "class":
        return least, most
    return (
        tuple(name for name in least if name not in NEEDS_PROBABILITIES),
        tuple(name for name in most if name not in NEEDS_PROBABILITIES),
    )
