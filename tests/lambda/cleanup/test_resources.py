"""Finding what runs left by name and tag, page by page, and telling what is gone."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spine.shipped import load
from tests.fake_sagemaker import BEGIN, FakeSageMaker
from tests.support import client_error

kinds = load("common.kinds")
names = load("common.names")
resources = load("cleanup.resources")

BASE = names.base_name("spine-dev", names.run_id("nightly-report", "arn"))


def found(sagemaker: FakeSageMaker, kind: Any, **status: str) -> set[str]:
    """The names that are found for the run."""
    return {each.name for each in resources.of_run(sagemaker, kind, BASE, **status)}


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.noun)
def test_what_is_called_like_the_run_is_found_on_every_page(
    sagemaker: FakeSageMaker, kind: Any
) -> None:
    """Of any kind, under its own name and those of its attempts, and nothing that is longer."""
    start = names.fitting(BASE, kind.longest_name)
    own = {start, f"{start}-0-0", f"{start}-0-1", f"{start}-12-30"}
    for name in (*own, f"{start}-again", f"x-{start}", f"{start}-0-0-0"):
        sagemaker.add(kind.resource_type, name, status="InProgress")
    assert found(sagemaker, kind) == own


def test_a_job_is_found_by_its_status(sagemaker: FakeSageMaker) -> None:
    """Ended ones cost nothing."""
    (kind, *_) = kinds.jobs()
    for number, status in enumerate(("InProgress", "Stopping", "Completed")):
        sagemaker.add(kind.resource_type, f"{BASE}-0-{number}", status=status)
    assert found(sagemaker, kind, status="InProgress") == {f"{BASE}-0-0"}


def test_a_listing_tells_what_a_listing_shows(sagemaker: FakeSageMaker) -> None:
    """All of a kind where no name is asked for, each with its ARN, time and status."""
    sagemaker.sleep(60)
    sagemaker.add("endpoint", BASE, status="InService")
    sagemaker.add("model", "another")
    (endpoint, model) = (
        each
        for kind in kinds.KINDS
        if kind.resource_type in ("endpoint", "model")
        for each in resources.listed(sagemaker, kind)
    )
    assert (endpoint.name, model.name) == (BASE, "another")
    assert endpoint.arn.endswith(f":endpoint/{BASE}")
    assert model.arn.endswith(":model/another")
    assert endpoint.created == model.created == BEGIN + timedelta(seconds=60)
    assert (endpoint.status, model.status) == ("InService", None)


def test_what_is_not_there_is_described_as_nothing(sagemaker: FakeSageMaker) -> None:
    """Any other refusal is somebody else's to judge."""
    (kind,) = (each for each in kinds.KINDS if each.resource_type == "endpoint")
    assert resources.described(sagemaker, kind, BASE) is None
    sagemaker.add("endpoint", BASE, status="InService")
    assert resources.described(sagemaker, kind, BASE)["EndpointStatus"] == "InService"

    def deny(operation: str, _name: str) -> None:
        raise client_error("AccessDeniedException", "not authorized", operation)

    sagemaker.fault = deny
    with pytest.raises(ClientError, match="not authorized"):
        resources.described(sagemaker, kind, BASE)


def test_all_tags_are_read_and_what_is_gone_has_none(sagemaker: FakeSageMaker) -> None:
    """Over pages; a resource may go between the listing and the look at its tags."""
    sagemaker.add("model", BASE, run="r", execution="e", stage="dev", keep_until="t", owner="o")
    thing = sagemaker.things["model"].pop(BASE)
    assert resources.tags(sagemaker, thing.arn) == {}
    sagemaker.things["model"][BASE] = thing
    assert resources.tags(sagemaker, thing.arn) == thing.tags


@pytest.mark.parametrize(
    ("code", "message", "missing", "refused"),
    [
        ("ResourceNotFound", "Requested resource not found.", True, False),
        ("ResourceNotFoundException", "Requested resource not found.", True, False),
        ("ValidationException", "Could not find model.", True, True),
        ("ValidationException", "Cannot update in-progress endpoint", False, True),
        ("ResourceInUse", "It is in use.", False, True),
        ("AccessDeniedException", "Could not find a policy.", False, False),
    ],
)
def test_an_error_is_told_by_its_code_and_its_words(
    code: str, message: str, missing: bool, refused: bool
) -> None:
    """SageMaker has one code for "not there" and for "not now"."""
    error = client_error(code, message, "DescribeEndpoint")
    assert resources.is_missing(error) is missing
    assert resources.is_refused(error) is refused
