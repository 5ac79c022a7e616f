"""The objectives of XGBoost that a run offers."""

from localcloud.sagemaker.containers.xgboost import hyperparameters as container
from spine.shipped import load

objectives = load("algorithms.xgboost.objectives")


def test_every_objective_is_offered_or_not_for_a_reason_and_its_metrics_are_the_containers() -> (
    None
):
    """The names are those that the container's own check takes, so no job fails for them."""
    assert {*objectives.OBJECTIVES, *objectives.NOT_OFFERED} | {"aft_loss_distribution"} == set(
        container._OBJECTIVES
    )
    for name, known in objectives.OBJECTIVES.items():
        classes = {"num_class": "3"} if known.task == "multiclass" else {}
        container.validate(
            {"num_round": "1", "objective": name, "eval_metric": ",".join(known.metrics), **classes}
        )
