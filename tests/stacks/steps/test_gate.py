"""An endpoint stays behind the gate only."""

from typing import Any

from gates.machine import successors


def test_an_endpoint_is_kept_only_past_the_gate(definition: dict[str, Any]) -> None:
    """A model that failed, or was not measured as asked, is never left serving."""
    states = definition["States"]
    leading = {name for name, state in states.items() if "Keep the endpoint?" in successors(state)}
    assert leading == {"Quality gate"}
    assert (
        states["Quality gate"]["Choices"][0]["Condition"] == "{% $evaluation.gate.passed = true %}"
    )
    assert states["Quality gate"]["Default"] == "Clean up"
    assert states["Keep the endpoint?"]["Default"] == "Clean up"
