"""Looking into definitions: what a request has at a path, and where a state goes on."""

from typing import Any

import pytest

from gates.machine import Machine, reached, successors, values

REQUEST: dict[str, Any] = {
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "Limits": "{% $plan.limits %}",
    "Variants": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "{% $plan.type %}"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("StoppingCondition.MaxRuntimeInSeconds", [60]),
        ("StoppingCondition", [{"MaxRuntimeInSeconds": 60}]),
        ("StoppingCondition.MaxWaitTimeInSeconds", []),
        ("Variants.InstanceType", ["ml.m5.large", "{% $plan.type %}"]),
        # An expression is asked for its own member, and stands as it is at the path's end.
        ("Limits.MaxRuntimeInSeconds", ["{% $plan.limits.MaxRuntimeInSeconds %}"]),
        ("Limits", ["{% $plan.limits %}"]),
        ("Missing.Member", []),
    ],
)
def test_a_path_leads_through_lists_and_expressions(path: str, found: list[Any]) -> None:
    """To every value there, and to none where the request has no such part."""
    assert values(REQUEST, path) == found


STATES: dict[str, Any] = {
    "Make": {"Next": "Made?", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mark"}]},
    "Mark": {"Assign": {"failed": True}, "Next": "Made?"},
    "Made?": {"Choices": [{"Condition": "{% $failed %}", "Next": "Fail"}], "Default": "Done"},
    "Fail": {},
    "Done": {},
}


def test_a_state_goes_on_to_what_it_names_and_what_catches() -> None:
    """Errors included unless told otherwise."""
    assert successors(STATES["Make"]) == ["Made?", "Mark"]
    assert successors(STATES["Make"], caught=False) == ["Made?"]


def test_a_choice_by_a_flag_is_taken_only_where_the_flag_was_set() -> None:
    """What is not reached without setting it is not reached at all."""
    assert reached(STATES, ["Made?"], past=set()) == {"Made?", "Done"}
    assert reached(STATES, ["Mark"], past=set()) == {"Mark", "Made?", "Fail", "Done"}
    assert reached(STATES, ["Make"], past={"Made?", "Mark"}) == {"Make", "Made?", "Mark"}


def test_states_of_branches_are_states_of_the_machine() -> None:
    """In whatever depth, and each scope by itself."""
    inner = {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "x"}}}
    definition = {
        "StartAt": "A",
        "States": {"A": {"Type": "Parallel", "Branches": [inner]}},
    }
    machine = Machine(name="M", definition=definition, properties={}, literal="")
    assert machine.states().keys() == {"A", "B"}
    assert machine.tasks().keys() == {"B"}
    assert [scope["StartAt"] for scope in machine.scopes()] == ["A", "B"]
