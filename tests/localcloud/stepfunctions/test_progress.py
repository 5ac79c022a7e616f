"""A program goes its own way: branches and iterations do not take each other's progress."""

from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench

_CHILD = {
    "StartAt": "Add one",
    "States": {
        "Add one": {
            "Type": "Pass",
            "Parameters": {"sum.$": "States.MathAdd($, 1)"},
            "Next": "Add ten",
        },
        "Add ten": {
            "Type": "Pass",
            "Parameters": {"sum.$": "States.MathAdd($.sum, 10)"},
            "OutputPath": "$.sum",
            "End": True,
        },
    },
}


@pytest.mark.parametrize("field", ["ItemProcessor", "Iterator"])
@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_a_map_gives_what_each_item_gave(bench: Bench, field: str, mode: str) -> None:
    """In each of the four kinds of worker that moto has for the items of a Map."""
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    definition: dict[str, Any] = {
        "StartAt": "Map",
        "States": {
            "Map": {"Type": "Map", field: {"ProcessorConfig": config, **_CHILD}, "End": True}
        },
    }
    outcome = bench.run(definition, [1, 2, 3])
    assert (outcome.status, outcome.output) == ("SUCCEEDED", [12, 13, 14])
