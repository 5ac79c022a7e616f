"""The output of a run: put together from all steps, and written as its manifest, last."""

from typing import Any

from gates.machine import Machine
from stacks.steps.finish import Finish, UnlessFinished
from tests.support import jsonata


def test_the_manifest_is_what_the_run_returns(machine: Machine) -> None:
    """The same variable, under the key of the plan."""
    states = machine.states()
    finish = states["Finish"]
    assert states["Sum up"]["Next"] == "Finish"
    assert finish["Arguments"]["Body"] == states["Done"]["Output"] == "{% $output %}"
    seen = {"plan": {"places": {"manifest_key": "runs/x/manifest.json"}}}
    assert jsonata(finish["Arguments"]["Key"], seen) == "runs/x/manifest.json"


def test_a_run_that_had_come_to_its_end_goes_there_at_once(machine: Machine) -> None:
    """It has made its model again, which is all that was missing; a first run goes on."""
    choice = machine.states()["Finished already?"]
    (ways,) = choice["Choices"]
    assert jsonata(ways["Condition"], {"finished": True}) is True
    assert jsonata(ways["Condition"], {"finished": False}) is False
    assert ways["Next"] == "Done"
    assert choice["Default"] != "Done"


def test_a_run_has_not_finished_before_it_has(machine: Machine) -> None:
    """The variable is there from the plan on: a redrive reads it on every path."""
    assert Finish.variables == {"finished": False}
    assert machine.states()["Plan the run"]["Assign"]["finished"] is False
    assert machine.states()["Finish"]["Assign"] == {"finished": True}


def test_a_model_that_was_swept_is_no_result_where_nothing_was_asked_of_it(
    machine: Machine,
) -> None:
    """A run behind whose gate nothing passed goes to its end without the model."""
    (choice,) = machine.states()["Model swept meanwhile?"]["Choices"]

    def again(*, passed: Any) -> Any:
        redriven = {"context": {"Execution": {"RedriveCount": 1}}}
        seen = {"states": redriven, "model_made_in": 0, "evaluation": {"gate": {"passed": passed}}}
        return jsonata(choice["Condition"], seen)

    assert again(passed=True) is True
    assert again(passed=False) is False


def test_a_pipeline_may_add_to_the_output() -> None:
    """What no single step adds; by default nothing."""
    assert Finish(output={"kind": "scoring"}).output == {"kind": "scoring"}
    assert Finish().output == {}
    assert UnlessFinished().survives
