"""The states of a synthesized definition, for the tests of all that makes them."""

from typing import Any

from gates.machine import Machine
from tests.support import jsonata

CREATIONS = {
    "Prepare on an instance": ("Prepare on an instance again?", "failure", "prepare_tries"),
    "Prepare with Spark": ("Prepare with Spark again?", "failure", "prepare_tries"),
    "Train the model": ("Train again?", "failure", "train_tries"),
    "Train on spot": ("Train on spot again?", "failure", "train_tries"),
    "Create the model": ("Create the model again?", "failure", "model_tries"),
    "Create the endpoint config": (
        "Create the endpoint config again?",
        "endpoint_failure",
        "config_tries",
    ),
    "Create the endpoint": ("Create the endpoint again?", "endpoint_failure", "endpoint_tries"),
    "Transform the batch": ("Transform again?", "batch_failure", "transform_tries"),
}
REFUSED = "SageMaker.AmazonSageMakerException"


def routed(
    machine: Machine,
    creation: str,
    error: str,
    cause: str,
    tries: int,
    redrives: int = 0,
) -> str:
    """Where an error of a creation leads, by the choice after it."""
    again, failure, counter = CREATIONS[creation]
    states = machine.states()
    (catch,) = states[creation]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], again)
    variables: dict[str, Any] = {failure: {"Error": error, "Cause": cause}, counter: tries}
    variables |= {"states": {"context": {"Execution": {"RedriveCount": redrives}}}}
    variables["model_made_in"] = 0
    for choice in states[again]["Choices"]:
        if jsonata(choice["Condition"], variables):
            if counter in choice.get("Assign", {}):
                assert jsonata(choice["Assign"][counter], variables) == tries + 1
            return str(choice["Next"])
    return str(states[again]["Default"])


def api(code: str, message: str = "No.", status: int = 400) -> str:
    """A cause as Step Functions words what SageMaker's API refused."""
    return (
        f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code};"
        " Request ID: 00000000-0000-0000-0000-000000000000; Proxy: null)"
    )
