"""The image map is the SageMaker SDK's own."""

import pytest
from sagemaker.core import image_uris

from spine.shipped import load
from stacks import images

ALGORITHMS = load("algorithms").ALGORITHMS


def test_the_checked_in_map_is_what_the_sdk_says() -> None:
    """Whoever updates the SDK is told to run `python -m stacks.images`."""
    assert images.load() == images.from_sdk()


@pytest.mark.parametrize(
    ("name", "version"),
    [(name, version) for name, tags in images.load()["tags"].items() for version in tags],
)
def test_every_version_names_the_image_the_sdk_would_use(name: str, version: str) -> None:
    """Account, repository and tag make the URI that the SDK retrieves."""
    found = images.load()
    algorithm = ALGORITHMS[name]
    uri = image_uris.retrieve(algorithm.image.framework, "eu-west-3", version)
    account = found["registries"][found["registry"][name]]["eu-west-3"]
    registry = f"{account}.dkr.ecr.eu-west-3.amazonaws.com"
    assert uri == f"{registry}/{images.trained_by(algorithm, version)}"


def test_every_algorithm_has_images() -> None:
    """Each row of the registry has its versions here, from its oldest to its default."""
    assert images.load()["tags"].keys() == ALGORITHMS.keys()
    for name, algorithm in ALGORITHMS.items():
        assert algorithm.image.default in images.load()["tags"][name]
        assert next(iter(images.load()["tags"][name])) == algorithm.image.oldest
