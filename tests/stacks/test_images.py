"""The image map is the SageMaker SDK's own."""

import pytest
from sagemaker.core import image_uris

from stacks import images


def test_the_checked_in_map_is_what_the_sdk_says() -> None:
    """Whoever updates the SDK is told to run `python -m stacks.images`."""
    assert images.load() == images.from_sdk()


@pytest.mark.parametrize("version", images.load()["tags"])
def test_every_version_names_the_image_the_sdk_would_use(version: str) -> None:
    """Account, repository and tag make the URI that the SDK retrieves."""
    found = images.load()
    uri = image_uris.retrieve("xgboost", "eu-west-3", version)
    registry = f"{found['registries']['eu-west-3']}.dkr.ecr.eu-west-3.amazonaws.com"
    assert uri == f"{registry}/{images.REPOSITORY}:{found['tags'][version]}"
