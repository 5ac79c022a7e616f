"""Who uses a configuration or a model is found by few calls, whoever it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeSageMaker, FakeStepFunctions
from tests.leftovers import LONGEST_RUN, PREFIX, arn, backoff, leave

kinds = load("common.kinds")
sweep = load("cleanup.sweep")
usage = load("cleanup.usage")

PROCESSING, TRAINING, TRANSFORM, ENDPOINT, CONFIG, MODEL = kinds.KINDS
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


def test_each_of_several_users_is_known(busy: FakeSageMaker) -> None:
    """One of them may go; the others still use it."""
    busy.add("endpoint", "on-old-too", status="InService", uses=("old",))
    found = usage.Usage(busy)
    first = found.of(CONFIG, "old", BEGIN).rpartition(" ")[2]
    del busy.things["endpoint"][first]
    (other,) = {"on-old", "on-old-too"} - {first}
    assert found.of(CONFIG, "old", BEGIN) == f"it is used by the endpoint {other}"


def test_a_job_and_an_endpoint_are_used_by_nothing(sagemaker: FakeSageMaker) -> None:
    """No call is made to know that."""
    for kind in (PROCESSING, TRAINING, TRANSFORM, ENDPOINT):
        assert usage.Usage(sagemaker).of(kind, "one", BEGIN) is None
    assert sagemaker.counts == {}


def test_the_table_knows_who_uses_what() -> None:
    """A configuration is for endpoints; a model also for jobs and for inference components."""
    assert kinds.users_of(CONFIG) == (ENDPOINT,)
    assert kinds.users_of(MODEL) == (TRANSFORM, CONFIG, *kinds.held())
    assert kinds.users_of(ENDPOINT) == ()


@pytest.mark.parametrize("names", [("one",), ("other", "one")])
def test_a_model_of_somebodys_inference_component_is_used(
    sagemaker: FakeSageMaker, names: tuple[str, ...]
) -> None:
    """Whether it names one model or one for each type of instance, old and changed since."""
    sagemaker.add("inference-component", "own-container", status="InService", on="theirs")
    sagemaker.now = DAY
    sagemaker.add("inference-component", "mine", status="InService", on="theirs", uses=names)
    made = BEGIN + timedelta(seconds=DAY)
    found = usage.Usage(sagemaker)
    assert found.of(MODEL, "one", made) == "it is used by the inference-component mine"
    assert found.of(MODEL, "own-container", BEGIN) is None


def test_a_model_is_used_by_a_transform_job_until_it_ends(sagemaker: FakeSageMaker) -> None:
    """Whoever started it; one that is stopping needs the model no more."""
    for status in ("InProgress", "Stopping", "Completed"):
        sagemaker.add("transform-job", f"is-{status}", status=status, uses=(status,))
    found = usage.Usage(sagemaker)
    assert found.of(MODEL, "InProgress", BEGIN) == "it is used by the transform-job is-InProgress"
    assert sagemaker.counts["DescribeTransformJob"] == 2
    assert found.of(MODEL, "Stopping", BEGIN) is None
    sagemaker.things["transform-job"]["is-InProgress"].status = "Stopping"
    assert found.of(MODEL, "InProgress", BEGIN) is None
    assert found.of(MODEL, "Completed", BEGIN) is None


def test_what_uses_a_thing_of_another_kind_by_the_same_name_does_not_use_it(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row may use several kinds, each by a member of its own."""
    both = replace(TRANSFORM, uses=("ModelName", "EndpointConfigName"))
    monkeypatch.setattr(kinds, "KINDS", (both, CONFIG, MODEL))
    sagemaker.add("transform-job", "theirs", status="InProgress", uses=("a-model", "a-config"))
    answer = {"TransformJobStatus": "InProgress", "ModelName": "m", "EndpointConfigName": "c"}
    monkeypatch.setattr(sagemaker, "describe_transform_job", lambda **_: answer, raising=False)
    found = usage.Usage(sagemaker)
    assert [found.of(MODEL, "m", BEGIN), found.of(MODEL, "c", BEGIN)] == [
        "it is used by the transform-job theirs",
        None,
    ]
    assert [found.of(CONFIG, "m", BEGIN), found.of(CONFIG, "c", BEGIN)] == [
        None,
        "it is used by the transform-job theirs",
    ]


@pytest.mark.parametrize("kind", ["inference-component", "transform-job"])
def test_the_sweep_leaves_a_model_that_somebody_uses_and_says_who(
    sagemaker: FakeSageMaker, kind: str
) -> None:
    """Also where nothing else of the run is left; the sweep after it takes it."""
    run = leave(sagemaker, "one")
    for left in ("endpoint", "endpoint-config", "transform-job"):
        sagemaker.things[left].clear()
    sagemaker.add(kind, "theirs", status="InProgress", on="their-endpoint", uses=(run,))

    def swept() -> dict[str, Any]:
        done: dict[str, Any] = sweep.sweep(
            sagemaker,
            FakeStepFunctions({arn("one"): "ABORTED"}),
            PREFIX,
            scope=run,
            longest_run=LONGEST_RUN,
            now=lambda: BEGIN,
            backoff=backoff(sagemaker, 60),
        )
        return done

    done = swept()
    why = f"model {run}: it is used by the {kind} theirs"
    assert done["left"] == [{"run": run, "reason": why}]
    assert (done["removed"], done["failures"]) == ([], [])
    assert sagemaker.names("model") == {run}
    del sagemaker.things[kind]["theirs"]
    (removed,) = swept()["removed"]
    assert removed["deleted"]["models"] == [run]


def test_a_sweep_lists_who_uses_what_once_for_all_runs(sagemaker: FakeSageMaker) -> None:
    """Though SageMaker lists the newest of them first."""
    sagemaker.page = 100
    for number in range(20):
        sagemaker.now = 600.0 * number
        leave(sagemaker, f"run-{number}")
    sagemaker.things["endpoint"].clear()
    done = sweep.sweep(
        sagemaker,
        FakeStepFunctions({arn(f"run-{number}"): "ABORTED" for number in range(20)}),
        PREFIX,
        scope=None,
        longest_run=LONGEST_RUN,
        now=lambda: BEGIN + timedelta(hours=27),
        backoff=backoff(sagemaker, 60),
    )
    assert len(done["removed"]) == 20
    assert sagemaker.names("model") == set()
    assert sagemaker.counts["ListInferenceComponents"] == 1
