"""The hyperparameters of SageMaker's XGBoost image: names, types, ranges. Pure.

Names and ranges are those of the container's own check, which refuses a job only after its
instances are paid for (github.com/aws/sagemaker-xgboost-container,
`algorithm_mode/hyperparameter_validation.py`; for people,
https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html). Left out are those of
other tasks than telling classes apart and predicting numbers.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...common.problems import Problem, show
from ..hyperparameters import NUMBER, PATH, Choice, Hyperparameters, Number, Rule
from .objectives import BASE_SCORES, NOT_OFFERED, OBJECTIVES


class Signs:
    """`(1,0,-1)`: for each feature, whether the prediction must rise or fall with it.

    The container passes this text to Python's `eval`, so nothing but such a tuple may reach it.
    """

    _TUPLE = re.compile(r"\(\s*(?:-1|0|1)\s*(?:,\s*(?:-1|0|1)\s*)*,?\s*\)")

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        return value if isinstance(value, str) and self._TUPLE.fullmatch(value) else None

    def remedy(self) -> str:
        """Say what would do."""
        return 'Give -1, 0 or 1 for each feature, like "(1,0,-1)".'


class Groups:
    """`[[1,2],[3,4]]`: the groups of features allowed to interact, counted from 1."""

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        try:
            groups = json.loads(value) if isinstance(value, str) else None
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, str) and self._well_formed(groups) else None

    @staticmethod
    def _well_formed(groups: Any) -> bool:
        return (
            isinstance(groups, list)
            and bool(groups)
            and all(isinstance(group, list) and group for group in groups)
            and all(type(feature) is int and feature >= 1 for group in groups for feature in group)
        )

    def remedy(self) -> str:
        """Say what would do."""
        return 'Give lists of feature numbers from 1, like "[[1,2],[3,4]]".'


_FLAG = Number(low=0, high=1, whole=True)
_SHARE = Number(low=0, high=1)
_SAMPLE = Number(low=0, open_low=True, high=1)
_NOT_NEGATIVE = Number(low=0)
_COUNT = Number(low=1, whole=True)
_TRUTH = Choice(("true", "false"))

_RULES: Mapping[str, Rule] = {
    "num_round": Number(low=1, high=1_000_000, whole=True),
    "objective": Choice(tuple(OBJECTIVES)),
    "eval_metric": Choice(
        tuple(sorted({metric for known in OBJECTIVES.values() for metric in known.metrics})),
        several=True,
        pattern=re.compile(rf"(?:error|ndcg|map)@{NUMBER.pattern}"),
    ),
    # Counted where it is left out; a label of classes has at most 256.
    "num_class": Number(low=2, high=256, whole=True),
    "tweedie_variance_power": Number(low=1, open_low=True, high=2, open_high=True),
    "alpha": _NOT_NEGATIVE,
    "base_score": _NOT_NEGATIVE,
    "booster": Choice(("gbtree", "gblinear", "dart")),
    "colsample_bylevel": _SAMPLE,
    "colsample_bynode": _SAMPLE,
    "colsample_bytree": _SAMPLE,
    # 1 would read the first feature as the rows' weights, and the prepared files hold none.
    "csv_weights": Number(low=0, high=0, whole=True),
    "deterministic_histogram": _TRUTH,
    "dsplit": Choice(("row", "col")),
    "early_stopping_rounds": _COUNT,
    "eta": _SHARE,
    "gamma": _NOT_NEGATIVE,
    "grow_policy": Choice(("depthwise", "lossguide")),
    "interaction_constraints": Groups(),
    "lambda": _NOT_NEGATIVE,
    "lambda_bias": _SHARE,
    "max_bin": Number(low=2, whole=True),
    "max_delta_step": _NOT_NEGATIVE,
    "max_depth": Number(low=0, whole=True),
    "max_leaves": Number(low=0, whole=True),
    "min_child_weight": _NOT_NEGATIVE,
    "monotone_constraints": Signs(),
    "normalize_type": Choice(("tree", "forest")),
    "nthread": _COUNT,
    "num_parallel_tree": _COUNT,
    "one_drop": _FLAG,
    "predictor": Choice(("auto", "cpu_predictor", "gpu_predictor")),
    # "update" needs the model of an earlier job, which a run has not.
    "process_type": Choice(("default",)),
    "rate_drop": _SHARE,
    "refresh_leaf": _FLAG,
    "sample_type": Choice(("uniform", "weighted")),
    "sampling_method": Choice(("uniform", "gradient_based")),
    "save_model_on_termination": _TRUTH,
    "scale_pos_weight": Number(low=0, open_low=True),
    "seed": Number(low=-(2**31) + 1, high=2**31 - 2, whole=True),
    "sketch_eps": Number(low=0, open_low=True, high=1, open_high=True),
    "skip_drop": _SHARE,
    "subsample": _SAMPLE,
    "tree_method": Choice(("auto", "exact", "approx", "hist", "gpu_hist")),
    "updater": Choice(
        (
            "grow_colmaker", "distcol", "grow_histmaker", "grow_quantile_histmaker", "grow_skmaker",
            "sync", "refresh", "prune", "shotgun", "coord_descent",
        ),
        several=True,
    ),
    "use_dask_gpu_training": _TRUTH,
    "verbosity": Number(low=0, high=3, whole=True),
}  # fmt: skip

# The first image whose own check lets a hyperparameter pass, or a value of one; every image from
# 1.0-1 on knows the others. Source: the container's branches and tags, named as the images are.
# (reg:absoluteerror came to 1.7-1 after its first release.)
_SINCE: Mapping[str, str] = {
    "deterministic_histogram": "1.2-1",
    "sampling_method": "1.3-1",
    "use_dask_gpu_training": "1.7-1",
    "reg:pseudohubererror": "1.2-1",
    "reg:absoluteerror": "1.7-1",
    **dict.fromkeys(("mphe", "r2", "gpu_predictor", "gpu_hist"), "1.2-1"),
    **dict.fromkeys(("f1_binary", "f1_macro"), "1.2-2"),
    **dict.fromkeys(
        (
            "balanced_accuracy", "mape", "precision", "precision_macro", "precision_micro",
            "recall", "recall_macro", "recall_micro",
        ),
        "1.3-1",
    ),
}  # fmt: skip

# Newer images take these for the names above; older ones refuse them. One spelling suits all.
_ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}

# The container knows these too, so "unknown" would mislead.
_ELSEWHERE = {
    "_kfold": "Leave it out: a run trains one model on its own split.",
    "_num_cv_round": "Leave it out: a run trains one model on its own split.",
    "_tuning_objective_metric": "Leave it out: it belongs to tuning jobs.",
    "aft_loss_distribution": "Leave it out: it belongs to survival objectives.",
    "aft_loss_distribution_scale": "Leave it out: it belongs to survival objectives.",
}


def _combinations(values: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what the container refuses although each value alone would do."""
    yield from _objective(values)
    tree_method = values.get("tree_method")
    for name, methods in (
        ("monotone_constraints", ("exact", "hist")),
        ("interaction_constraints", ("exact", "hist", "approx")),
    ):
        if name in values and tree_method not in methods:
            yield Problem(
                f"{PATH}.{name}",
                f"{show(values[name])} is not available with "
                + (f"the tree_method {show(tree_method)}" if tree_method else "no tree_method set"),
                f"Set tree_method to {' or '.join(methods)}.",
            )
    if "updater" in values:
        yield from _updaters(values)


def _objective(values: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what does not suit the objective."""
    objective = values["objective"]
    known = OBJECTIVES[objective]
    suited = f'not available with the objective "{objective}"'
    metrics = {metric.partition("@")[0] for metric in values["eval_metric"].split(",")}
    if not metrics <= set(known.metrics):
        yield Problem(
            f"{PATH}.eval_metric",
            f"{show(values['eval_metric'])} is {suited}",
            f"Give one or more of these, separated by commas: {', '.join(known.metrics)}.",
        )
    for name, only in (
        ("num_class", ("multi:softprob", "multi:softmax")),
        ("tweedie_variance_power", ("reg:tweedie",)),
    ):
        if name in values and objective not in only:
            yield Problem(
                f"{PATH}.{name}",
                f"{show(values[name])} is {suited}",
                f"Leave it out, or set the objective to {' or '.join(only)}.",
            )
    if objective in BASE_SCORES and "base_score" in values:
        low, high = BASE_SCORES[objective]
        if not low < float(values["base_score"]) < high:
            rule = Number(low=low, open_low=True, high=high, open_high=True)
            if math.isinf(high):
                rule = Number(low=low, open_low=True)
            yield Problem(
                f"{PATH}.base_score", f"{show(values['base_score'])} is {suited}", rule.remedy()
            )


def _updaters(values: Mapping[str, str]) -> Iterator[Problem]:
    chosen = values["updater"].split(",")
    linear = {"shotgun", "coord_descent"}
    growing = [word for word in chosen if word.startswith("grow_") or word == "distcol"]
    path = f"{PATH}.updater"
    shown = show(values["updater"])
    if values.get("booster") == "gblinear":
        if len(chosen) != 1 or chosen[0] not in linear:
            yield Problem(
                path, f"{shown} is not for the linear booster", "Give shotgun or coord_descent."
            )
    elif linear & set(chosen):
        yield Problem(
            path, f"{shown} is for the linear booster", 'Give tree updaters, or booster "gblinear".'
        )
    elif len(growing) > 1:
        yield Problem(path, f"{shown} grows trees in more than one way", "Keep one grower.")


HYPERPARAMETERS = Hyperparameters(
    rules=_RULES,
    # `eval_metric` follows the objective.
    defaults={"num_round": "42", "objective": "binary:logistic"},
    aliases=_ALIASES,
    since=_SINCE,
    not_offered={"objective": NOT_OFFERED},
    elsewhere=_ELSEWHERE,
    remedies={
        "csv_weights": "Give 0 or leave it out: the prepared files hold no column of weights.",
        "process_type": "{rule} There is no earlier model to update.",
    },
    combinations=_combinations,
)
