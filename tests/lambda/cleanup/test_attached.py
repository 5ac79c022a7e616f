"""What a person put onto a run's endpoint goes before it, or is named."""

from typing import Any

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker, FakeScaling
from tests.leftovers import backoff, leave
from tests.support import client_error, use_clients

attached = load("cleanup.attached")
kinds = load("common.kinds")
removal = load("cleanup.removal")


def of(noun: str) -> Any:
    """The kind."""
    return next(kind for kind in kinds.KINDS if kind.noun == noun)


def test_scalable_targets_of_an_endpoint_are_deregistered(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """Somebody let it scale; those of other endpoints are theirs."""
    run = leave(sagemaker, "one")
    instances = "sagemaker:variant:DesiredInstanceCount"
    other = (f"endpoint/{run}x/variant/a", instances)
    sagemaker.scaled = {
        (f"endpoint/{run}/variant/a", instances),
        (f"endpoint/{run}/variant/a", "sagemaker:variant:DesiredProvisionedConcurrency"),
        other,
    }
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 120))
    assert sagemaker.left() == set()
    assert sagemaker.scaled == {other}


def test_inference_components_go_before_their_endpoint(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """Whatever they are called, with their scaling; those on other endpoints stay."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "mine", status="InService", on=run)
    sagemaker.add("inference-component", "new", status="Creating", until=25, on=run)
    sagemaker.add("inference-component", "theirs", status="InService", on="another")
    sagemaker.scaled = {
        ("inference-component/mine", "sagemaker:inference-component:DesiredCopyCount")
    }
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 300))
    assert sagemaker.left() == {"theirs"}
    assert sagemaker.scaled == set()


def test_what_stands_on_an_endpoint_is_told_until_it_is_gone(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """Each component with its status; one that is being made or deleted is not deleted again."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "mine", status="InService", on=run)
    sagemaker.add("inference-component", "new", status="Creating", until=25, on=run)
    remains = attached.take_off(sagemaker, of("Endpoint"), run)
    assert remains == {
        "inference-component mine": "is InService",
        "inference-component new": "is Creating",
    }
    assert sagemaker.calls == [("DeleteInferenceComponent", "mine")]
    again = attached.take_off(sagemaker, of("Endpoint"), run)
    assert again == {
        "inference-component mine": "is Deleting",
        "inference-component new": "is Creating",
    }
    assert sagemaker.calls == [("DeleteInferenceComponent", "mine")]


def test_nothing_stands_on_what_cannot_carry_anything(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a configuration or a model, nobody is asked."""
    use_clients(monkeypatch)
    run = leave(sagemaker, "one")
    for noun in ("EndpointConfig", "Model"):
        assert attached.take_off(sagemaker, of(noun), run) == {}
    assert sagemaker.calls == []
    assert not sagemaker.counts


def test_a_component_that_goes_by_itself_is_no_failure(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """Between listing and deleting, somebody else may have deleted it."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "mine", status="InService", on=run)

    def go(operation: str, name: str) -> None:
        if operation == "DeleteInferenceComponent":
            del sagemaker.things["inference-component"][name]

    sagemaker.fault = go
    remains = attached.take_off(sagemaker, of("Endpoint"), run)
    assert remains == {"inference-component mine": "is InService"}
    assert attached.take_off(sagemaker, of("Endpoint"), run) == {}


def test_what_cannot_be_taken_off_is_told_and_not_raised(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """The refusal of the endpoint's deletion, which led here, is not forgotten over it."""
    run = leave(sagemaker, "one")
    sagemaker.add("inference-component", "mine", status="InService", on=run)

    def deny(operation: str, _name: str) -> None:
        if operation == "DeleteInferenceComponent":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    (told,) = attached.take_off(sagemaker, of("Endpoint"), run).items()
    assert told[0] == "inference-component mine"
    assert told[1].startswith("cannot be taken off: ")
    assert "not authorized" in told[1]


def test_what_cannot_be_listed_is_told_and_not_raised(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """It may be that something stands on it, or nothing."""
    run = leave(sagemaker, "one")

    def deny(operation: str, _name: str) -> None:
        if operation == "ListInferenceComponents":
            raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    (told,) = attached.take_off(sagemaker, of("Endpoint"), run).items()
    assert told[0] == f"what stands on {run}"
    assert "not authorized" in told[1]


def test_a_component_that_adapters_stand_on_goes_after_them(
    sagemaker: FakeSageMaker, scaling: FakeScaling
) -> None:
    """Refused before, whichever is listed first; the refusal keeps no other from being deleted."""
    run = leave(sagemaker, "one")
    for name in ("adapter-1", "base", "zz-adapter-2"):
        sagemaker.add("inference-component", name, status="InService", on=run)

    def refuse(operation: str, name: str) -> None:
        others = sagemaker.things["inference-component"].keys() - {"base"}
        if operation == "DeleteInferenceComponent" and name == "base" and others:
            raise client_error("ValidationException", "It has adapters.", operation)

    sagemaker.fault = refuse
    removal.remove(sagemaker, run, models=True, backoff=backoff(sagemaker, 300))
    assert sagemaker.left() == set()
    deleted = [name for operation, name in sagemaker.calls if "Component" in operation]
    assert deleted == ["adapter-1", "zz-adapter-2", "base"]


def test_a_refusal_of_the_scaling_service_is_told_too(
    sagemaker: FakeSageMaker, scaling: FakeScaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that nobody registered a target is expected of it."""
    run = leave(sagemaker, "one")

    def deny(**_: str) -> None:
        raise client_error("AccessDeniedException", "not authorized", "DeregisterScalableTarget")

    monkeypatch.setattr(scaling, "deregister_scalable_target", deny)
    (why,) = attached.take_off(sagemaker, of("Endpoint"), run).values()
    assert "not authorized" in why
