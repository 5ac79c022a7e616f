"""XGBoost, in the image of its algorithm mode."""

from ..algorithm import Algorithm, Image
from .answers import Answer
from .hyperparameters import HYPERPARAMETERS
from .objectives import OBJECTIVES

XGBOOST = Algorithm(
    name="xgboost",
    title="XGBoost",
    image=Image(
        repository="sagemaker-xgboost",
        framework="xgboost",
        # Earlier ones speak a different container contract.
        oldest="1.0-1",
        default="3.2-0",
        # "Supported versions", developer guide, XGBoost.
        support_ends={"3.0-5": "2026-11-17", "3.2-0": "2027-05-13"},
    ),
    hyperparameters=HYPERPARAMETERS,
    objectives=OBJECTIVES,
    objective_hyperparameter="objective",
    metric_hyperparameter="eval_metric",
    classes_hyperparameter="num_class",
    form=Answer,
)
