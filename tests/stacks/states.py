"""The states of a synthesized definition, for the tests of all that makes them."""

from collections.abc import Iterator
from typing import Any

from tests.support import jsonata

State = dict[str, Any]


def all_states(definition: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Every state, those inside Parallel's branches included."""
    for name, state in definition["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from all_states(branch)


def tasks(definition: dict[str, Any]) -> dict[str, State]:
    """Every Task, by name."""
    return {name: state for name, state in all_states(definition) if state["Type"] == "Task"}


def successors(state: State) -> set[str]:
    """The states that may follow, errors included."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    return {*choices, *caught, *(state[key] for key in ("Next", "Default") if key in state)}


CREATIONS = {
    "Prepare on an instance": ("Prepare on an instance again?", "failure", "prepare_tries"),
    "Prepare with Spark": ("Prepare with Spark again?", "failure", "prepare_tries"),
    "Train the model": ("Train again?", "failure", "train_tries"),
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
    definition: dict[str, Any],
    creation: str,
    error: str,
    cause: str,
    tries: int,
    redrives: int = 0,
) -> str:
    """Where an error of a creation leads, by the choice after it."""
    again, failure, counter = CREATIONS[creation]
    states = dict(all_states(definition))
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
