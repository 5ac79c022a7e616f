"""What steps become when they are composed: how they fail, and what is made again."""

from typing import Any

from gates.machine import successors
from tests.stacks.states import CREATIONS
from tests.support import jsonata


def test_any_failure_after_planning_passes_the_clean_up(definition: dict[str, Any]) -> None:
    """The one way around it is a plan that failed, when there is nothing to clean."""
    states = definition["States"]
    to_failed = {name for name, state in states.items() if "Run failed" in successors(state)}
    assert to_failed == {"Plan the run", "Clean up after failure"}
    to_failed.add("Run failed")
    choices = {again for again, failure, _ in CREATIONS.values() if failure == "failure"}
    choices.add("Redriven and swept?")
    for name, state in states.items():
        if state["Type"] in {"Task", "Parallel"} and name not in to_failed:
            (caught,) = [catch["Next"] for catch in state["Catch"]]
            assert caught in {"Clean up after failure", *choices}, name
    for name in choices:
        assert states[name]["Default"] == "Clean up after failure"


def test_a_redriven_run_makes_again_what_was_swept_once(definition: dict[str, Any]) -> None:
    """An aborted run's model and endpoint are gone when it is redriven; it begins at the model."""
    states = definition["States"]
    for name in ("Serve and score", "Keep the endpoint"):
        assert [catch["Next"] for catch in states[name]["Catch"]] == ["Redriven and swept?"]
    made_in = states["Create the model"]["Assign"]["model_made_in"]
    passed = {"evaluation": {"gate": {"passed": True}}}
    for name in ("Redriven and swept?", "Model swept meanwhile?"):
        (choice,) = states[name]["Choices"]
        assert choice["Next"] == "Create the model"
        for redrives, made, expected in ((0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True)):
            seen = {"states": {"context": {"Execution": {"RedriveCount": redrives}}}, **passed}
            assert jsonata(made_in, seen) == redrives
            assert jsonata(choice["Condition"], {**seen, "model_made_in": made}) is expected
    assert states["Model swept meanwhile?"]["Default"] == "Done"
    # Past its end, a run makes its model again and nothing else.
    (choice,) = states["Finished already?"]["Choices"]
    assert (choice["Condition"], choice["Next"]) == ("{% $finished %}", "Done")
    assert states["Finish"]["Assign"] == {"finished": True}
