"""A failed run ends with what went wrong first, and goes on where it had failed."""

from typing import Any

from tests.support import jsonata


def test_a_failure_keeps_its_error_and_cause(definition: dict[str, Any]) -> None:
    """What the execution reports is what went wrong first, not what came of it."""
    failing = definition["States"]["Run failed"]
    assert failing["Resource"].endswith(":::aws-sdk:sfn:sendTaskFailure.waitForTaskToken")
    long = {"Error": "E" * 300, "Cause": "C" * 40_000}
    seen = {"states": {"context": {"Execution": {"RedriveCount": 1}}}, "failed_in": 1}
    for member, longest in (("Error", 256), ("Cause", 32_768)):
        said = jsonata(failing["Arguments"][member], {**seen, "failure": long})
        assert said == long[member][:longest]
    # Should Step Functions refuse the call, the run still ends with its error.
    for_good = definition["States"]["Run failed for good"]
    assert for_good["Type"] == "Fail"
    assert {name: jsonata(for_good[name], {"failure": long}) for name in long} == long
    assert failing["Next"] == failing["Catch"][1]["Next"] == "Run failed for good"
    clean_up = definition["States"]["Clean up after failure"]
    assert clean_up["Next"] == "Run failed"
    # Its own failure must not replace the one that led here.
    assert all("Assign" not in catch for catch in clean_up["Catch"])


def test_a_failure_without_a_name_is_reported_as_such(definition: dict[str, Any]) -> None:
    """Of a Parallel that failed without error and cause both are null."""
    states = definition["States"]
    seen = {
        "states": {"context": {"Execution": {"RedriveCount": 0}}},
        "failed_in": 0,
        "failure": {"Error": None, "Cause": None},
    }
    for place in (states["Run failed"]["Arguments"], states["Run failed for good"]):
        assert jsonata(place["Error"], seen) == "UnnamedError"
        assert jsonata(place["Cause"], seen) == ""


def test_a_failed_run_redriven_goes_on_where_it_had_failed(definition: dict[str, Any]) -> None:
    """Every Catch says where; what the clean-up deleted is made again, nothing else is."""
    states = definition["States"]
    failing, where = states["Run failed"], states["Where did it fail?"]
    assert failing["Catch"][0] == {"ErrorEquals": ["RunRedriven"], "Next": "Where did it fail?"}
    places = {
        catch["Assign"]["again_from"]: catch["Assign"]["failed_in"]
        for name, state in states.items()
        for catch in state.get("Catch", [])
        if name not in {"Clean up after failure", "Run failed"}
    }
    for place, failed_in in places.items():
        seen = {"states": {"context": {"Execution": {"RedriveCount": 2}}}, "again_from": place}
        assert jsonata(failed_in, seen) == 2
        failure = {"failure": {"Error": "First", "Cause": "Why"}}
        for before, said in ((1, "RunRedriven"), (2, "First")):
            given = {**seen, **failure, "failed_in": before}
            assert jsonata(failing["Arguments"]["Error"], given) == said
            ways = [
                choice["Next"] for choice in where["Choices"] if jsonata(choice["Condition"], given)
            ]
            # Which engine prepares is the plan's choice, and stays it.
            way = {"Prepare the data": "Which engine?", "Train the model": "On spot?"}.get(
                place, place
            )
            assert ways == ([way] if before == 1 else [])
    assert where["Default"] == "Run failed for good"
    assert places.keys() == {
        "Plan the run",
        "Prepare the data",
        "Train the model",
        "Create the model",
    }
    # Plan begins with the execution's own input, wherever the run came from.
    payload = states["Plan the run"]["Arguments"]["Payload"]
    assert payload["input"] == "{% $states.context.Execution.Input %}"
