"""The model: what the training job wrote, isolated, and made again only where it was swept."""

from gates.machine import Machine
from tests.support import jsonata


def test_the_model_is_what_this_runs_training_job_wrote(machine: Machine) -> None:
    """Under the run's own name, and without a way out of its container."""
    model = machine.tasks()["Create the model"]["Arguments"]
    plan = {"run": {"name": "spine-dev-x-01234567", "id": "x-01234567"}}
    data = "s3://bucket/runs/x/model/job/output/model.tar.gz"
    seen = {"plan": plan, "training": {"model_data": data}}
    assert jsonata(model["ModelName"], seen) == plan["run"]["name"]
    assert jsonata(model["PrimaryContainer"]["ModelDataUrl"], seen) == data
    assert model["EnableNetworkIsolation"] is True


def test_the_attempt_that_made_it_is_remembered_wherever_it_was_made(machine: Machine) -> None:
    """By its own creation, or by finding what a lost answer had made."""
    seen = {"states": {"context": {"Execution": {"RedriveCount": 2}}}}
    made = machine.tasks()["Create the model"]["Assign"]["model_made_in"]
    (adopted,) = (
        choice["Assign"]["model_made_in"]
        for choice in machine.states()["This run's model?"]["Choices"]
        if "model_made_in" in choice.get("Assign", {})
    )
    assert jsonata(made, seen) == jsonata(adopted, seen) == 2
