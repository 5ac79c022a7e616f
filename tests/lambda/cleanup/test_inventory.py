"""Whose a resource is, by its tags and its name together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeSageMaker
from tests.leftovers import PREFIX, arn, base, leave
from tests.support import client_error

inventory = load("cleanup.inventory")
kinds = load("common.kinds")
names = load("common.names")

RUN = "a-run-whose-name-is-as-long-as-names-may-be"


def test_runs_are_told_apart(sagemaker: FakeSageMaker) -> None:
    """Each with all it left, and its execution."""
    every = ("one", "l'été(2)🚀")  # written out in its tag
    bases = {leave(sagemaker, name) for name in every}
    found = inventory.take(sagemaker, PREFIX, kinds.KINDS)
    assert found.runs.keys() == bases
    for name in every:
        run = found.runs[base(name)]
        assert run.execution == arn(name)
        assert {each.kind.key for each in run.resources} == {
            "transform_job",
            "endpoint",
            "endpoint_config",
            "model",
        }


@pytest.mark.parametrize("scope", [None, base(RUN)])
def test_a_kind_with_short_names_is_found_by_them_and_owned_by_its_tags(
    monkeypatch: pytest.MonkeyPatch, scope: str | None
) -> None:
    """In 32 characters the run's whole name has no room; two runs may even share what has."""
    short = replace(kinds.KINDS[0], longest_name=32)
    monkeypatch.setattr(kinds, "KINDS", (short, *kinds.KINDS[1:]))
    sagemaker = FakeSageMaker()
    start = names.fitting(base(RUN), 32)
    for name, run in ((f"{start}-0-0", RUN), (f"{start}-0-1", "another-run"), (start, RUN)):
        tags: Any = {"run": names.run_id_of(arn(run)), "execution": arn(run)}
        sagemaker.add(short.resource_type, name, status="InProgress", **tags)
    found = inventory.take(sagemaker, PREFIX, (short,), scope=scope)
    assert {each.name for each in found.runs[base(RUN)].resources} == {start, f"{start}-0-0"}
    assert found.foreign == [f"{start}-0-1"]


def test_what_cannot_be_listed_is_told_and_the_rest_is_found(sagemaker: FakeSageMaker) -> None:
    """By the kind's name."""
    leave(sagemaker, "one")

    def deny(operation: str, _name: str) -> None:
        if operation == "ListModels":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    found = inventory.take(sagemaker, PREFIX, kinds.KINDS)
    assert [each.partition(":")[0] for each in found.failures] == ["listing each model"]
    assert {each.kind.key for each in found.runs[base("one")].resources} >= {"endpoint"}


def test_what_tags_cannot_be_read_of_is_told_by_name(sagemaker: FakeSageMaker) -> None:
    """It is nobody's as far as is known, and nothing is done to it."""
    run = leave(sagemaker, "one")

    def deny(operation: str, _name: str) -> None:
        if operation == "ListTags":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    found = inventory.take(sagemaker, PREFIX, kinds.KINDS)
    said = [each.partition(": ") for each in found.failures]
    assert {start for start, _, _ in said} == {
        f"reading the tags of {run}",
        f"reading the tags of {run}-0-1",
    }
    assert all("not authorized" in reason for _, _, reason in said)
    assert (found.runs, found.foreign) == ({}, [])


def test_a_run_is_as_old_as_the_newest_it_left(sagemaker: FakeSageMaker) -> None:
    """It cannot have ended before that was made."""
    leave(sagemaker, "one")
    sagemaker.sleep(500)
    made = base("one")
    tags: Any = {"run": names.run_id_of(arn("one")), "execution": arn("one")}
    sagemaker.add("training-job", f"{made}-0-9", status="InProgress", **tags)
    found = inventory.take(sagemaker, PREFIX, kinds.KINDS).runs[made]
    assert found.newest == BEGIN + timedelta(seconds=500)
    assert not found.has_only_results
    results = inventory.Run(
        made, "", [each for each in found.resources if each.kind.key == "model"]
    )
    assert results.has_only_results


def test_only_results_are_bounded_by_the_time_they_were_made(sagemaker: FakeSageMaker) -> None:
    """Of models there are any number; what costs by the hour is looked for whatever its age."""
    leave(sagemaker, "one")
    sagemaker.sleep(500)
    run = leave(sagemaker, "two")
    after = BEGIN + timedelta(seconds=100)
    bounds = {"CreationTimeAfter": after}
    found = inventory.take(sagemaker, PREFIX, kinds.KINDS, results_made=bounds)
    kept = {base: {each.kind.key for each in left.resources} for base, left in found.runs.items()}
    assert "model" not in kept[base("one")]
    assert "endpoint" in kept[base("one")]
    assert "model" in kept[run]


def test_a_listing_asks_for_the_run_it_is_about(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SageMaker finds names by a part; all of an account's would be thousands of calls."""
    asked: list[str] = []
    list_models = sagemaker.list_models

    def watched(**wanted: Any) -> Any:
        asked.append(wanted["NameContains"])
        return list_models(**wanted)

    monkeypatch.setitem(sagemaker._methods, "list_models", watched)
    leave(sagemaker, "one")
    inventory.take(sagemaker, PREFIX, kinds.KINDS)
    inventory.take(sagemaker, PREFIX, kinds.KINDS, scope=base("one"))
    assert set(asked) == {f"{PREFIX}-", base("one")}
