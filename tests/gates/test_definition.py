"""What ships breaks no rule, and a finding says what is wrong, where, and why it matters."""

from gates.assembly import Assembly
from gates.definition import findings, problems
from gates.machine import Machine


def test_no_real_definition_breaks_a_rule(assembly: Assembly) -> None:
    """What ships is clean, machine by machine."""
    assert problems(assembly) == []


def test_a_finding_names_rule_place_problem_and_reason() -> None:
    """One sentence says all that a person needs, for each rule that is broken."""
    failing = {"Type": "Fail", "Error": "Late"}
    definition = {"StartAt": "Give up", "States": {"Give up": failing}}
    found = [str(each) for each in findings(Machine("Mine", definition, {}, ""))]
    assert (
        "fail-states: Mine: Give up: lacks its Error or its Cause. "
        "Whoever is told of the failure must be told which"
    ) in found
    assert any(each.startswith("machine-timeout: Mine: ") for each in found)
