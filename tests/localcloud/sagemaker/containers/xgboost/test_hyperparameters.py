"""The hyperparameters of the XGBoost container: read, and refused by name."""

import pytest

from localcloud.sagemaker.containers.xgboost import hyperparameters
from localcloud.sagemaker.containers.xgboost.errors import UserError

GOOD = {"num_round": "10"}


def test_values_are_converted() -> None:
    """Strings become numbers and lists, and aliases their canonical names."""
    assert hyperparameters.validate(
        {
            "num_round": "42",
            "learning_rate": "0.3",
            "reg_lambda": "1",
            "eval_metric": "auc,error@0.7",
            "objective": "binary:logistic",
            "tree_method": "hist",
            "monotone_constraints": "(1, 0, -1)",
            "interaction_constraints": "[[1, 2], [3, 4]]",
        }
    ) == {
        "num_round": 42,
        "eta": 0.3,
        "lambda": 1.0,
        "eval_metric": ["auc", "error@0.7"],
        "objective": "binary:logistic",
        "tree_method": "hist",
        "monotone_constraints": (1, 0, -1),
        "interaction_constraints": [[1, 2], [3, 4]],
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, r"num_round: 0 is not in \[1, \+inf\)"),
        ({"num_round": "1.5"}, "num_round: could not parse value"),
        (GOOD | {"subsample": "0"}, r"subsample: 0.0 is not in \(0, 1\]"),
        (GOOD | {"booster": "forest"}, "booster: forest is not in"),
        (GOOD | {"nthreads": "1"}, "Extraneous hyperparameter found: nthreads"),
        (GOOD | {"eval_metric": "best"}, "eval_metric"),
        (GOOD | {"eval_metric": "auc@0.5"}, "Metric 'auc@0.5' is not supported"),
        (GOOD | {"eval_metric": "error@x"}, "expects float input"),
        (GOOD | {"objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        (GOOD | {"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin"),
        (GOOD | {"booster": "gblinear", "updater": "prune"}, "Linear updater should be one of"),
        (GOOD | {"process_type": "update", "updater": "sync"}, "process_type 'update' can only"),
        (GOOD | {"monotone_constraints": "(1, 0)"}, "monotone_constraints can be used only"),
        (GOOD | {"tree_method": "hist", "monotone_constraints": "1"}, "monotone_constraints: 1 is"),
        (GOOD | {"interaction_constraints": "[[0]]"}, "interaction_constraints: "),
        (GOOD | {"tweedie_variance_power": "2"}, r"\(1, 2\)"),
    ],
)
def test_wrong_values_are_refused(given: dict[str, str], reason: str) -> None:
    """Each refusal names the hyperparameter, its value and what is allowed."""
    with pytest.raises(UserError, match=reason):
        hyperparameters.validate(given)
