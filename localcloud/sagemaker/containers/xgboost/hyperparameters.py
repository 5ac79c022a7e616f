"""The hyperparameters of Amazon's XGBoost algorithm: names, types, ranges and dependencies.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html and the
ranges checked by aws/sagemaker-xgboost-container.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.containers.xgboost.errors import UserError

MAXIMIZED = frozenset(
    [
        "accuracy",
        "auc",
        "aucpr",
        "balanced_accuracy",
        "f1",
        "f1_binary",
        "f1_macro",
        "map",
        "ndcg",
        "precision",
        "r2",
        "recall",
        "precision_macro",
        "precision_micro",
        "recall_macro",
        "recall_micro",
    ]
)
MINIMIZED = frozenset(
    [
        "aft-nloglik",
        "cox-nloglik",
        "error",
        "gamma-deviance",
        "gamma-nloglik",
        "interval-regression-accuracy",
        "logloss",
        "mae",
        "mape",
        "merror",
        "mlogloss",
        "mphe",
        "mse",
        "poisson-nloglik",
        "rmse",
        "rmsle",
        "tweedie-nloglik",
    ]
)
_OBJECTIVES = [
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
]
_TREE_UPDATERS = frozenset(
    [
        "grow_colmaker",
        "distcol",
        "grow_histmaker",
        "grow_skmaker",
        "sync",
        "refresh",
        "prune",
        "grow_quantile_histmaker",
    ]
)
_TREE_BUILDERS = frozenset(
    ["grow_colmaker", "distcol", "grow_histmaker", "grow_quantile_histmaker"]
)
_LINEAR_UPDATERS = frozenset({"shotgun", "coord_descent"})
_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


@dataclass(frozen=True)
class _Rule:
    parse: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    range: str


def _number(
    parse: Callable[[str], float],
    least: float | None = None,
    most: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> _Rule:
    """A number in a range; `above` and `below` are open ends."""

    def accepts(value: float) -> bool:
        return (
            (least is None or value >= least)
            and (most is None or value <= most)
            and (above is None or value > above)
            and (below is None or value < below)
        )

    start = f"({above}" if above is not None else "(-inf" if least is None else f"[{least}"
    end = f"{below})" if below is not None else "+inf)" if most is None else f"{most}]"
    return _Rule(parse, accepts, f"{start}, {end}")


def _choice(*options: str) -> _Rule:
    return _Rule(str, lambda value: value in options, str(list(options)))


def _choices(accepts: Callable[[str], bool], allowed: str) -> _Rule:
    return _Rule(lambda text: text.split(","), lambda values: all(map(accepts, values)), allowed)


def _is_metric(name: str) -> bool:
    if "<function" in name:
        raise UserError(f"User defined evaluation metric {name} is not supported yet.")
    metric, at, threshold = name.partition("@")
    if not at:
        return name in MAXIMIZED | MINIMIZED
    if metric.strip() not in ("error", "ndcg", "map"):
        raise UserError(
            f"Metric '{name}' is not supported. Parameter 'eval_metric' with customized threshold "
            "should be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(
            f"Threshold value 't' in '{metric.strip()}@t' expects float input."
        ) from None
    return True


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{text} is no list") from error


_FLAG = _number(int, 0, 1)
_UNIT = _number(float, 0, 1)
_FRACTION = _number(float, most=1, above=0)
_FROM_ZERO = _number(float, 0)
_COUNT = _number(int, 1)
_SIZE = _number(int, 0)

_RULES: dict[str, _Rule] = {
    "num_round": _COUNT,
    "csv_weights": _FLAG,
    "early_stopping_rounds": _COUNT,
    "booster": _choice("gbtree", "gblinear", "dart"),
    "verbosity": _number(int, 0, 3),
    "nthread": _COUNT,
    "eta": _UNIT,
    "gamma": _FROM_ZERO,
    "max_depth": _SIZE,
    "min_child_weight": _FROM_ZERO,
    "max_delta_step": _FROM_ZERO,
    "subsample": _FRACTION,
    "colsample_bytree": _FRACTION,
    "colsample_bylevel": _FRACTION,
    "colsample_bynode": _FRACTION,
    "lambda": _FROM_ZERO,
    "alpha": _FROM_ZERO,
    "tree_method": _choice("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _number(float, above=0, below=1),
    "scale_pos_weight": _number(float, above=0),
    "updater": _choices(
        lambda name: name in _TREE_UPDATERS | _LINEAR_UPDATERS,
        str(sorted(_TREE_UPDATERS | _LINEAR_UPDATERS)),
    ),
    "dsplit": _choice("row", "col"),
    "refresh_leaf": _FLAG,
    "process_type": _choice("default", "update"),
    "grow_policy": _choice("depthwise", "lossguide"),
    "max_leaves": _SIZE,
    "max_bin": _SIZE,
    "predictor": _choice("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": _Rule(
        _literal, lambda values: all(value in (-1, 0, 1) for value in values), "[-1, 0, 1]"
    ),
    "interaction_constraints": _Rule(
        _literal,
        lambda groups: all(member >= 1 for group in groups for member in group),
        "[1, +inf)",
    ),
    "sample_type": _choice("uniform", "weighted"),
    "normalize_type": _choice("tree", "forest"),
    "rate_drop": _UNIT,
    "one_drop": _FLAG,
    "skip_drop": _UNIT,
    "lambda_bias": _UNIT,
    "tweedie_variance_power": _number(float, above=1, below=2),
    "objective": _choice(*_OBJECTIVES),
    "num_class": _number(int, 2),
    "base_score": _FROM_ZERO,
    "_kfold": _number(int, 2),
    "_num_cv_round": _COUNT,
    "_tuning_objective_metric": _choice(
        *(f"validation:{name}" for name in sorted(MAXIMIZED | MINIMIZED))
    ),
    "eval_metric": _choices(_is_metric, str(sorted(MAXIMIZED | MINIMIZED))),
    "seed": _number(int, above=-(2**31), below=2**31 - 1),
    "num_parallel_tree": _COUNT,
    "save_model_on_termination": _choice("true", "false"),
    "aft_loss_distribution": _choice("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _FROM_ZERO,
    "deterministic_histogram": _choice("true", "false"),
    "sampling_method": _choice("uniform", "gradient_based"),
    "prob_buffer_row": _number(int, above=1.0),
    "use_dask_gpu_training": _choice("true", "false"),
}


def validate(given: Mapping[str, str]) -> dict[str, Any]:
    """Checks and converts hyperparameters.

    Args:
        given: Every value a string, as the service delivers them.

    Returns:
        Converted values under their canonical names.

    Raises:
        UserError: In the container's words, for the first problem found.
    """
    named = {_ALIASES.get(name, name): value for name, value in given.items()}
    if "num_round" not in named:
        raise UserError("Missing required hyperparameter: num_round")
    values = {}
    for name, text in named.items():
        if name not in _RULES:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = _RULES[name].parse(text)
        except ValueError:
            raise UserError(
                f"Hyperparameter {name}: could not parse value (caused by ValueError)"
            ) from None
    for name, value in values.items():
        try:
            accepted = _RULES[name].accepts(value)
        except TypeError:
            accepted = False
        if not accepted:
            raise UserError(f"Hyperparameter {name}: {value} is not in {_RULES[name].range}")
    for check in (_check_objective, _check_metric, _check_updater, _check_constraints):
        check(values)
    return values


def _check_objective(values: Mapping[str, Any]) -> None:
    if values.get("objective") in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _check_metric(values: Mapping[str, Any]) -> None:
    metrics = values.get("eval_metric", [])
    objective = values.get("objective", "")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _check_updater(values: Mapping[str, Any]) -> None:
    updaters = values.get("updater")
    if updaters is None:
        return
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            options = ", ".join(f"'{name}'" for name in sorted(_LINEAR_UPDATERS))
            raise UserError(f"Linear updater should be one of these options: {options}.")
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            raise UserError(
                "process_type 'update' can only be used with updater 'refresh' and 'prune'"
            )
    elif not set(updaters) <= _TREE_UPDATERS:
        options = ", ".join(f"'{name}'" for name in sorted(_TREE_UPDATERS))
        raise UserError(f"Tree updater should be selected from these options: {options}.")
    elif sum(name in _TREE_BUILDERS for name in updaters) > 1:
        raise UserError("Only one tree grow plugin can be selected.")


def _check_constraints(values: Mapping[str, Any]) -> None:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either "
            "'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )
