"""What a lost answer made is gone on with, and what is another's is left alone."""

import pytest

from gates.machine import Machine
from tests.stacks.states import REFUSED, api, routed
from tests.support import jsonata


@pytest.mark.parametrize(
    ("creation", "noun", "then"),
    [
        ("Create the model", "model", "Finished already?"),
        ("Create the endpoint config", "endpoint config", "Create the endpoint"),
        ("Create the endpoint", "endpoint", "Wait for the endpoint"),
    ],
)
def test_what_a_lost_answer_made_is_adopted_by_its_tags_only(
    machine: Machine, creation: str, noun: str, then: str
) -> None:
    """The same name with another's tags fails the run instead, and names the remedy."""
    cause = api("ValidationException", f'Cannot create already existing {noun} "arn:...".')
    way = routed(machine, creation, REFUSED, cause, 0)
    states = machine.states()
    assert (way, states[way]["Next"]) == (f"Whose is the {noun}?", f"This run's {noun}?")
    ours = states[f"This run's {noun}?"]
    ((condition, following),) = [(each["Condition"], each["Next"]) for each in ours["Choices"]]
    plan = {"run": {"name": "spine-dev-x", "execution_tag": "arn:of:this"}}
    for tags, same in (
        ([{"Key": "spine:execution", "Value": "arn:of:this"}], True),
        ([{"Key": "spine:execution", "Value": "arn:of:another"}], False),
        ([{"Key": "Name", "Value": "arn:of:this"}], False),
        ([], False),
    ):
        seen = jsonata(states[way]["Output"], {"states": {"result": {"Tags": tags}}})
        assert jsonata(condition, {"states": {"input": seen}, "plan": plan}) is same, tags
    assert following == then
    taken = states[ours["Default"]]["Assign"]
    assert "NameTakenError" in str(taken)
