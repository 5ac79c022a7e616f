"""The objectives of XGBoost that a run can train, measure and serve, and what each needs. Pure.

Names and default metrics are XGBoost's (https://xgboost.readthedocs.io/en/stable/parameter.html,
"Learning Task Parameters"); which metrics suit which objective is what XGBoost and SageMaker's
container refuse only once the job runs.
"""

from collections.abc import Mapping

from ..objectives import Domain, Objective

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


def _regression(default_metric: str, *metrics: str, domain: Domain | None = None) -> Objective:
    """Return an objective of numbers, with the metrics of its own."""
    return Objective("regression", "value", domain, (*_REGRESSION, *metrics), default_metric)


# `tweedie-nloglik` is missing: the container refuses the exponent that XGBoost asks of it.
OBJECTIVES: Mapping[str, Objective] = {
    "binary:logistic": Objective("binary", "probability", metrics=_BINARY, default_metric="auc"),
    "binary:logitraw": Objective("binary", "score", metrics=_BINARY, default_metric="auc"),
    "multi:softprob": Objective(
        "multiclass", "probabilities", metrics=_MULTICLASS, default_metric="mlogloss"
    ),
    "multi:softmax": Objective("multiclass", "class", metrics=_MULTICLASS, default_metric="merror"),
    "reg:squarederror": _regression("rmse"),
    "reg:squaredlogerror": _regression("rmsle", domain="above_minus_one"),
    "reg:absoluteerror": _regression("mae"),
    "reg:pseudohubererror": _regression("mphe"),
    "reg:logistic": _regression("rmse", "logloss", domain="share"),
    "reg:gamma": _regression("gamma-nloglik", "gamma-nloglik", "gamma-deviance", domain="positive"),
    "reg:tweedie": _regression("rmse", domain="non_negative"),
    "count:poisson": _regression("poisson-nloglik", "poisson-nloglik", domain="non_negative"),
}

_SHARE = (0.0, 1.0)
_POSITIVE = (0.0, float("inf"))
# Bounds of `base_score`, both excluded; with other objectives any number of at least 0 does.
BASE_SCORES: Mapping[str, tuple[float, float]] = {
    "binary:logistic": _SHARE,
    "binary:logitraw": _SHARE,
    "reg:logistic": _SHARE,
    "reg:gamma": _POSITIVE,
    "reg:tweedie": _POSITIVE,
    "count:poisson": _POSITIVE,
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
