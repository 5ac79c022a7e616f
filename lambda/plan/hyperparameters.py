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
from dataclasses import dataclass
from typing import Any

from ..common.objectives import NOT_OFFERED, OBJECTIVES
from .refusal import Problem, closest, show

# `eval_metric` follows the objective.
DEFAULTS = {"num_round": "42", "objective": "binary:logistic"}

_PATH = "training.hyperparameters"
# CreateTrainingJob, HyperParameterValue: at most 2,500 characters.
_LONGEST = 2500
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number between two bounds; an open bound is not itself allowed."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        if isinstance(value, bool):
            # The container's flags are the integers 0 and 1: int("true") fails there.
            text = str(int(value)) if self.whole and (self.low, self.high) == (0, 1) else ""
        elif isinstance(value, float) and self.whole and value.is_integer():
            text = str(int(value))
        else:
            text = value if isinstance(value, str) else repr(value)
        if not (_INTEGER if self.whole else _NUMBER).fullmatch(text):
            return None
        return text if self._holds(float(text)) else None

    def _holds(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below and math.isfinite(number)

    def remedy(self) -> str:
        """Say what would do."""
        noun = "a whole number" if self.whole else "a number"
        bounds = []
        if self.low != -math.inf:
            bounds.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high != math.inf:
            bounds.append(f"{'below' if self.open_high else 'at most'} {self.high:g}")
        return f"Give {' '.join((noun, ' and '.join(bounds))).strip()}."


@dataclass(frozen=True)
class Choice:
    """One of a few words, or with `several` a comma-separated list of them."""

    words: tuple[str, ...]
    several: bool = False
    pattern: re.Pattern[str] | None = None

    def text(self, value: object) -> str | None:
        """Return the value as the container parses it, or None when it would not do."""
        text = str(value).lower() if isinstance(value, bool) else value
        if not isinstance(text, str):
            return None
        parts = text.split(",") if self.several else [text]
        return text if all(self._knows(part) for part in parts) else None

    def _knows(self, word: str) -> bool:
        return word in self.words or bool(self.pattern and self.pattern.fullmatch(word))

    def remedy(self) -> str:
        """Say what would do."""
        if len(self.words) == 1:
            return f'Give "{self.words[0]}" or leave it out.'
        how = "Give one or more of these, separated by commas" if self.several else "Give one of"
        return f"{how}: {', '.join(self.words)}."


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


_Rule = Number | Choice | Signs | Groups

_FLAG = Number(low=0, high=1, whole=True)
_SHARE = Number(low=0, high=1)
_SAMPLE = Number(low=0, open_low=True, high=1)
_NOT_NEGATIVE = Number(low=0)
_COUNT = Number(low=1, whole=True)
_TRUTH = Choice(("true", "false"))

_RULES: dict[str, _Rule] = {
    "num_round": Number(low=1, high=1_000_000, whole=True),
    "objective": Choice(tuple(OBJECTIVES)),
    "eval_metric": Choice(
        tuple(sorted({metric for known in OBJECTIVES.values() for metric in known.metrics})),
        several=True,
        pattern=re.compile(rf"(?:error|ndcg|map)@{_NUMBER.pattern}"),
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


def resolve(given: Mapping[str, object], *, image: str) -> tuple[dict[str, str], list[Problem]]:
    """Merge the given hyperparameters over the defaults, as the strings SageMaker takes.

    Numbers become their shortest text. A boolean becomes "1"/"0" where the container wants a whole
    number and "true"/"false" where it wants a word.

    Args:
        given: Names and values.
        image: The version of the XGBoost image that trains, such as "1.7-1".

    Returns:
        The hyperparameters by their canonical names, and what is wrong with the given ones; the
        first is of use only when there is nothing in the second.
    """
    values = dict(DEFAULTS)
    problems: list[Problem] = []
    for name, value in given.items():
        canonical = _ALIASES.get(name, name)
        outcome = _one(name, canonical, value, given)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        else:
            values[canonical] = outcome
    values.setdefault("eval_metric", OBJECTIVES[values["objective"]].default_metric)
    if not problems:
        asked = {_ALIASES.get(name, name) for name in given}
        problems.extend(_too_new({name: values[name] for name in sorted(asked)}, image))
        problems.extend(_combinations(values))
    return values, problems


def _too_new(values: Mapping[str, str], image: str) -> Iterator[Problem]:
    """Yield what the deployment's image does not know yet."""
    for name, value in values.items():
        needed = max(
            (_SINCE[each] for each in (name, *value.split(",")) if each in _SINCE),
            key=_version,
            default=image,
        )
        if _version(image) < _version(needed):
            yield Problem(
                f"{_PATH}.{name}",
                f"{show(value)} needs SageMaker's XGBoost image {needed} or a newer one, and this "
                f"deployment trains with {image}",
                "Give another value or leave it out; or raise xgboost_version in cdk.json and "
                "deploy again.",
            )


def _version(image: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", image)))


def _one(name: str, canonical: str, value: object, given: Mapping[str, object]) -> str | Problem:
    path = f"{_PATH}.{show(name)[1:-1]}"
    rule = _RULES.get(canonical)
    if rule is None:
        if name in _ELSEWHERE:
            return Problem(path, f"{show(value)} is for another kind of training", _ELSEWHERE[name])
        near = closest(name, [*_RULES, *_ALIASES])
        return Problem(
            path,
            f"{show(value)} is given to a hyperparameter the XGBoost image does not have",
            f"{near}The names are in the SageMaker XGBoost documentation.",
        )
    if canonical != name and canonical in given:
        return Problem(
            path, f'{show(value)} is given beside "{canonical}"', "They are one; keep one of them."
        )
    if name == "objective" and isinstance(value, str) and value in NOT_OFFERED:
        fault, remedy = NOT_OFFERED[value]
        return Problem(path, f"{show(value)} {fault}", remedy)
    text = rule.text(value)
    if text is None or len(text) > _LONGEST:
        return Problem(path, f"{show(value)} is not allowed", _remedy(canonical, rule))
    return text


def _remedy(name: str, rule: _Rule) -> str:
    if name == "csv_weights":
        return "Give 0 or leave it out: the prepared files hold no column of weights."
    if name == "process_type":
        return f"{rule.remedy()} There is no earlier model to update."
    return rule.remedy()


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
                f"{_PATH}.{name}",
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
            f"{_PATH}.eval_metric",
            f"{show(values['eval_metric'])} is {suited}",
            f"Give one or more of these, separated by commas: {', '.join(known.metrics)}.",
        )
    for name, only in (
        ("num_class", ("multi:softprob", "multi:softmax")),
        ("tweedie_variance_power", ("reg:tweedie",)),
    ):
        if name in values and objective not in only:
            yield Problem(
                f"{_PATH}.{name}",
                f"{show(values[name])} is {suited}",
                f"Leave it out, or set the objective to {' or '.join(only)}.",
            )
    if known.base_score is not None and "base_score" in values:
        low, high = known.base_score
        if not low < float(values["base_score"]) < high:
            rule = Number(low=low, open_low=True, high=high, open_high=True)
            if math.isinf(high):
                rule = Number(low=low, open_low=True)
            yield Problem(
                f"{_PATH}.base_score", f"{show(values['base_score'])} is {suited}", rule.remedy()
            )


def _updaters(values: Mapping[str, str]) -> Iterator[Problem]:
    chosen = values["updater"].split(",")
    linear = {"shotgun", "coord_descent"}
    growing = [word for word in chosen if word.startswith("grow_") or word == "distcol"]
    path = f"{_PATH}.updater"
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
