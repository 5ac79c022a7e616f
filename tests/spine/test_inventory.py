"""What the command line finds out about endpoints and the models behind them."""

import pytest

from spine import inventory
from spine.shipped import load
from tests.spine import fakes

algorithms = load("algorithms")


def endpoint(execution: str | None) -> inventory.Endpoint:
    """An endpoint in service."""
    return inventory.Endpoint(
        name=fakes.ENDPOINT, arn="arn", status="InService", until=None, execution=execution
    )


@pytest.mark.parametrize("objective", algorithms.DEFAULT.objectives)
def test_what_a_model_answers_follows_the_objective_of_its_run(
    cloud: fakes.Cloud, objective: str
) -> None:
    """The algorithm tells, by the plan in the run's history."""
    known = algorithms.DEFAULT.objectives[objective]
    classes = {"0": "a", "1": "b", "2": "c"} if known.task == "multiclass" else None
    cloud.states.events = fakes.story(objective=objective, classes=classes).events
    model = inventory.model_behind(cloud, endpoint(fakes.execution_arn("first")))  # type: ignore[arg-type]
    assert model.form.output == known.output
    assert model.form.classes == (3 if classes else 2)
    assert model.features == 6


def test_an_endpoint_made_by_hand_is_taken_for_the_usual_one(cloud: fakes.Cloud) -> None:
    """It answers with a probability, and its classes have no names."""
    model = inventory.model_behind(cloud, endpoint(None))  # type: ignore[arg-type]
    usual = algorithms.DEFAULT.usual_objective("binary")
    assert model.form == algorithms.DEFAULT.answer(usual, 2)
    assert model.classes == ("0", "1")
    assert model.threshold is None
