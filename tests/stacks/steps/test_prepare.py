"""Preparing the data: by the function or by a job, as the plan says, with one result."""

import json
from typing import Any

import pytest

from gates.machine import Machine
from stacks.steps.prepare import Prepare
from tests.support import jsonata


def test_the_plan_chooses_the_engine(machine: Machine) -> None:
    """The function only where the plan says so; both ways lead to the training."""
    which = machine.states()["Which engine?"]
    (choice,) = which["Choices"]
    for engine, chosen in (("lambda", True), ("processing", False), ("spark", False)):
        seen = {"plan": {"preparation": {"engine": engine}}}
        assert jsonata(choice["Condition"], seen) is chosen
    assert choice["Next"] == "Prepare the data"
    assert which["Default"] != "Prepare the data"
    assert machine.states()["Prepare the data"]["Next"] == "On spot?"


def test_a_source_that_is_away_is_asked_for_again(machine: Machine) -> None:
    """Twice, within half a minute; a refused input is not."""
    retries = machine.states()["Prepare the data"]["Retry"]
    (retry,) = (each for each in retries if "SourceUnreachableError" in each["ErrorEquals"])
    waits = [
        retry["IntervalSeconds"] * retry["BackoffRate"] ** number
        for number in range(retry["MaxAttempts"])
    ]
    assert waits == [10, 20]
    assert not any("DataError" in json.dumps(each["ErrorEquals"]) for each in retries)


@pytest.mark.parametrize(("job", "shown"), [("", None), ("spine-dev-x-0-0", "spine-dev-x-0-0")])
def test_the_output_names_engine_and_job(job: str, shown: str | None) -> None:
    """The function's is no job."""
    expression: Any = Prepare.output["preparation"]
    assert jsonata(expression["job"], {"prepared_by": job}) == shown


def test_the_output_tells_of_the_data_what_people_ask() -> None:
    """Not the list of features, the profile's address or what only training needs."""
    prepared = {
        "rows": 310,
        "counts": {"train": 248},
        "feature_count": 6,
        "features": ["a"],
        "profile": "s3://b/p",
        "hyperparameters": {},
        "engine": "lambda",
    }
    shown = jsonata(str(Prepare.output["data"]), {"prepared": prepared})
    assert shown == {"rows": 310, "counts": {"train": 248}, "feature_count": 6}
