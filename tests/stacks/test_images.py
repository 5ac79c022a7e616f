"""The image map is the SageMaker SDK's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spine.shipped import load
from stacks import images
from tests.support import ROOT

ALGORITHMS = load("algorithms").ALGORITHMS


@pytest.mark.slow
def test_the_checked_in_map_is_what_the_sdk_says() -> None:
    """Whoever updates the SDK is told to run `python -m stacks.images`."""
    assert images.load() == images.from_sdk()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "version"),
    [(name, version) for name, tags in images.load()["tags"].items() for version in tags],
)
def test_every_version_names_the_image_the_sdk_would_use(name: str, version: str) -> None:
    """Account, repository and tag make the URI that the SDK retrieves."""
    # A second of a processor, and every collection would pay it.
    from sagemaker.core import image_uris

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


@pytest.mark.process
def test_a_further_algorithm_is_deployed(tmp_path: Path) -> None:
    """A row in the registry gives it a setting, and the function and role what they need of it."""
    code = (
        "import json, runpy\n"
        "from spine.shipped import load\n"
        "linear = runpy.run_path('tests/algorithms.py')['LINEAR']\n"
        "load('algorithms').ALGORITHMS[linear.name] = linear\n"
        "from stacks import images\n"
        "found = images.from_sdk()\n"
        "images.load = lambda: found\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    context |= {"linear_version": "1", "functions": "local"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            **os.environ,
            "CDK_OUTDIR": str(tmp_path),
            "CDK_CONTEXT_JSON": json.dumps(context),
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pipeline = (tmp_path / "spine-dev-pipeline.template.json").read_text()
    storage = (tmp_path / "spine-dev-storage.template.json").read_text()
    assert '"LINEAR_VERSION": "1"' in pipeline
    assert ":repository/linear-learner" in storage
    mapping = json.loads(storage)["Mappings"]["ImageRegistry"]["us-east-1"]
    assert mapping["linear"] == "382416733822"
    assert mapping["linear"] != mapping["account"]
