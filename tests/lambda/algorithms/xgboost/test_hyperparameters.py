"""The hyperparameters of XGBoost's image: what it takes, and what an older one does not."""

from typing import Any

import pytest

from spine.shipped import load
from stacks import images

XGBOOST = load("algorithms").ALGORITHMS["xgboost"]

# (name, value, what the problem must say besides the name)
REFUSALS: list[tuple[str, object, str]] = [
    ("max_depht", 6, 'Did you mean "max_depth"?'),
    ("n_estimators", 6, "does not have"),
    ("sagemaker_program", "evil.py", "does not have"),
    ("num_class", 3, "multi:softprob or multi:softmax"),
    ("num_class", 1, "at least 2 and at most 256"),
    ("tweedie_variance_power", 1.5, "the objective to reg:tweedie"),
    ("tweedie_variance_power", 2, "above 1 and below 2"),
    ("_kfold", 5, "one model"),
    ("csv_weights", 1, "no column of weights"),
    ("process_type", "update", "no earlier model"),
    ("objective", "binary:hinge", "Give binary:logistic"),
    ("objective", "reg:linear", "Give reg:squarederror"),
    ("objective", "rank:ndcg", "no groups"),
    ("objective", "survival:aft", "censored"),
    ("objective", "reg:quantileerror", "Give one of: binary:logistic"),
    ("num_round", 0, "at least 1 and at most 1e+06"),
    ("num_round", "42.0", "whole number"),
    ("num_round", "4_2", "whole number"),
    ("num_round", "٤٢", "whole number"),
    ("num_round", None, "whole number"),
    ("num_round", True, "whole number"),
    ("eta", 1.5, "at least 0 and at most 1"),
    ("eta", "nan", "at least 0 and at most 1"),
    ("eta", "fast", "at least 0 and at most 1"),
    ("eta", [0.1], "at least 0 and at most 1"),
    ("eta", True, "at least 0 and at most 1"),
    ("subsample", 0, "above 0 and at most 1"),
    ("max_depth", -1, "at least 0"),
    ("gamma", "inf", "at least 0"),
    ("scale_pos_weight", 0, "above 0"),
    ("base_score", 1, "below 1"),
    ("booster", "gbforest", "gbtree, gblinear, dart"),
    ("eval_metric", "mlogloss", "Give one or more of these"),
    ("eval_metric", "tweedie-nloglik", "Give one or more of these"),
    ("eval_metric", "auc, logloss", "Give one or more of"),
    ("eval_metric", "error@", "Give one or more of"),
    ("monotone_constraints", "__import__('os')", "(1,0,-1)"),
    ("monotone_constraints", "(1,0)", "Set tree_method to exact"),
    ("interaction_constraints", "[[0]]", "from 1"),
    ("interaction_constraints", "[" * 2000, "from 1"),
    ("interaction_constraints", "[[1]]", "Set tree_method to exact"),
    ("updater", "shotgun", "linear booster"),
    ("updater", "distcol,grow_colmaker", "Keep one grower"),
]


def resolve(given: dict[str, Any], version: str = XGBOOST.image.default) -> tuple[Any, list[str]]:
    """Return the hyperparameters, and the problems as they are told."""
    values, problems = XGBOOST.resolve(given, version=version)
    return values, list(map(str, problems))


@pytest.mark.parametrize(("name", "value", "says"), REFUSALS)
def test_what_the_image_would_refuse_is_refused_by_name(
    name: str, value: object, says: str
) -> None:
    """Each problem is one line naming the hyperparameter and the value, and says what would do."""
    _, (problem,) = resolve({name: value})
    assert problem.startswith(f"training.hyperparameters.{name}: ")
    assert says in problem
    assert problem.endswith(".")
    assert len(problem.splitlines()) == 1


def test_given_hyperparameters_are_merged_over_the_defaults() -> None:
    """Whatever the JSON type, SageMaker gets the text the container parses."""
    given_values = {
        "num_round": 100.0,
        "eta": 0.05,
        "max_depth": "6",
        "one_drop": True,
        "deterministic_histogram": False,
        "reg_lambda": 1,
        "eval_metric": "auc,error@0.65",
        "tree_method": "hist",
        "monotone_constraints": "(1, 0, -1)",
        "interaction_constraints": "[[1,2],[3]]",
    }
    values, problems = resolve(given_values)
    assert not problems
    assert values == {
        "num_round": "100",
        "eta": "0.05",
        "max_depth": "6",
        "one_drop": "1",
        "deterministic_histogram": "false",
        "lambda": "1",
        "eval_metric": "auc,error@0.65",
        "tree_method": "hist",
        "monotone_constraints": "(1, 0, -1)",
        "interaction_constraints": "[[1,2],[3]]",
        "objective": "binary:logistic",
    }


@pytest.mark.parametrize(
    ("image", "given", "needed"),
    [
        ("1.5-1", {"objective": "reg:absoluteerror"}, "1.7-1"),
        ("1.0-1", {"objective": "reg:pseudohubererror"}, "1.2-1"),
        ("1.2-1", {"eval_metric": "auc,f1_macro"}, "1.2-2"),
        ("1.2-2", {"eval_metric": "f1_macro,recall"}, "1.3-1"),
        ("1.2-2", {"sampling_method": "uniform"}, "1.3-1"),
        ("1.5-1", {"use_dask_gpu_training": False}, "1.7-1"),
    ],
)
def test_what_the_deployments_image_does_not_know_is_refused(
    image: str, given: dict[str, Any], needed: str
) -> None:
    """An older image would refuse it when the job's instances run; the newer one named takes it."""
    ((name, value),) = given.items()
    _, (line,) = resolve(given, image)
    assert line.startswith(f"training.hyperparameters.{name}: ")
    assert f"image {needed} or a newer one, and this deployment trains with {image}" in line
    assert "xgboost_version in cdk.json" in line
    values, problems = resolve(given, needed)
    assert not problems
    assert values[name] == str(value).lower()


def test_the_oldest_image_trains_the_notebook() -> None:
    """None of the defaults is newer than any image that can be deployed."""
    for version in images.load()["tags"]["xgboost"]:
        values, problems = resolve({}, version)
        assert not problems
        assert XGBOOST.objectives[XGBOOST.objective_name(values)].task == "binary"
