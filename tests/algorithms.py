"""An algorithm that Spine does not have, to see that a further one is a folder and a row."""

from typing import Any

from spine.shipped import load

algorithm = load("algorithms.algorithm")
hyperparameters = load("algorithms.hyperparameters")
objectives = load("algorithms.objectives")

# SageMaker has this image, in accounts of its own.
LINEAR: Any = algorithm.Algorithm(
    name="linear",
    title="Linear learner",
    image=algorithm.Image(
        repository="linear-learner", framework="linear-learner", oldest="1", default="1"
    ),
    hyperparameters=hyperparameters.Hyperparameters(
        rules={
            "predictor_type": hyperparameters.Choice(("binary_classifier", "regressor")),
            "epochs": hyperparameters.Number(low=1, whole=True),
        },
        defaults={"predictor_type": "binary_classifier", "epochs": "15"},
        since={"epochs": "1"},
    ),
    objectives={
        "binary_classifier": objectives.Objective("binary", "score"),
        "regressor": objectives.Objective("regression", "value", "positive"),
    },
    objective_hyperparameter="predictor_type",
)
