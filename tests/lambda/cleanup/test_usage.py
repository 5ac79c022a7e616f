"""Who serves with a configuration or a model is found by few calls, whoever it is."""

from datetime import timedelta

import pytest

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeSageMaker

kinds = load("common.kinds")
usage = load("cleanup.usage")

ENDPOINT, CONFIG, MODEL = kinds.KINDS[-3:]
DAY = 24 * 3600.0


@pytest.fixture
def busy(sagemaker: FakeSageMaker) -> FakeSageMaker:
    """An account with a hundred old endpoints, one of a person's on `old`, and a new one."""
    for number in range(100):
        sagemaker.add("endpoint", f"other-{number}", status="InService", uses=("something",))
    sagemaker.add("endpoint", "on-old", status="InService", uses=("old",))
    sagemaker.now = DAY
    sagemaker.add("endpoint", "on-new", status="InService", uses=("new",))
    return sagemaker


def test_only_what_came_after_is_looked_at_and_once(busy: FakeSageMaker) -> None:
    """A hundred older endpoints cost nothing, nor does another question about as new a thing."""
    found = usage.Usage(busy)
    made = BEGIN + timedelta(seconds=DAY)
    assert found.of(CONFIG, "new", made) == "it is used by the endpoint on-new"
    assert busy.counts["DescribeEndpoint"] == 2, "once to know, once to be sure"
    assert found.of(CONFIG, "unused", made) is None
    assert (busy.counts["DescribeEndpoint"], busy.counts["ListEndpoints"]) == (2, 1)


def test_an_older_thing_is_asked_for_as_well(busy: FakeSageMaker) -> None:
    """After a newer one: what was known is not described again."""
    found = usage.Usage(busy)
    assert found.of(CONFIG, "unused", BEGIN + timedelta(seconds=DAY)) is None
    assert found.of(CONFIG, "old", BEGIN) == "it is used by the endpoint on-old"
    assert busy.counts["DescribeEndpoint"] == 1 + 101 + 1


def test_who_is_gone_or_has_changed_uses_nothing_any_more(busy: FakeSageMaker) -> None:
    """Asked at the time of the question, not at that of the listing."""
    found = usage.Usage(busy)
    found.of(CONFIG, "unused", BEGIN)
    del busy.things["endpoint"]["on-old"]
    busy.things["endpoint"]["on-new"].uses = ("another",)
    assert found.of(CONFIG, "old", BEGIN) is None
    assert found.of(CONFIG, "new", BEGIN) is None


def test_a_job_and_an_endpoint_are_used_by_nothing(sagemaker: FakeSageMaker) -> None:
    """No call is made to know that."""
    for kind in (*kinds.jobs(), ENDPOINT):
        assert usage.Usage(sagemaker).of(kind, "one", BEGIN) is None
    assert sagemaker.counts == {}
    assert (kinds.user_of(CONFIG), kinds.user_of(MODEL)) == (ENDPOINT, CONFIG)
