"""Whose a resource is, by its tags and its name together."""

from dataclasses import replace
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker
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
