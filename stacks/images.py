"""SageMaker's images: which versions exist and which account serves them in which region.

Training and serving use the XGBoost image; preparing data in a processing job uses the scikit-learn
image, of the same accounts, and Spark's own, of others. Both of these have Python 3.12
(`docker/1.4-2-py312` of aws/sagemaker-scikit-learn-container, `spark/processing/3.5` of
aws/sagemaker-spark-container).

The data is `images.json`, generated from the SageMaker SDK's own registry data by
`python -m stacks.images` and compared with it by a test. Reading a checked-in file takes
milliseconds where importing the SDK takes over a second, and a file knows every region at synth,
which an environment-agnostic stack needs for its CloudFormation mapping.
"""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypedDict

REPOSITORY = "sagemaker-xgboost"
_FILE = Path(__file__).with_name("images.json")


# The Python of both images for preparing data, which their packages must be built for.
PREPARATION_PYTHON = "3.12"
_SKLEARN = "1.4-2-py312"
_SPARK, _SPARK_PYTHON = "3.5", "py312"


class Images(TypedDict):
    """What a template needs to know of the images.

    `tags`: image tag by XGBoost version; `registries`: account by region. `sklearn` and `spark`:
    the image's name, from the repository on; `spark_registries`: account by those of the regions
    where SageMaker has it.
    """

    tags: dict[str, str]
    registries: dict[str, str]
    sklearn: str
    spark: str
    spark_registries: dict[str, str]


@cache
def load() -> Images:
    """Read the checked-in registry data."""
    images: Images = json.loads(_FILE.read_text())
    return images


def from_sdk() -> Images:
    """Derive the registry data from the SageMaker SDK.

    Only versions from 1.0-1 on are taken: earlier ones speak a different container contract.

    Raises:
        ValueError: The SDK gives two versions different registries, which one map cannot hold.
    """
    versions = {
        version: entry
        for version, entry in _versions("xgboost", "training").items()
        if entry["repository"] == REPOSITORY and not version.startswith("0.")
    }
    sklearn = _versions("sklearn", "training")[_SKLEARN]
    spark = _versions("spark", "processing")[_SPARK]
    first, *others = (entry["registries"] for entry in (*versions.values(), sklearn))
    if any(registries != first for registries in others):
        raise ValueError("The images have different registries; images.json holds one map")
    if _SPARK_PYTHON not in spark["py_versions"]:
        raise ValueError(f"The Spark {_SPARK} image has no {_SPARK_PYTHON}: {spark['py_versions']}")
    return {
        # Only the old images carry the processor and Python version in their tag.
        "tags": {
            version: f"{version}-{entry['processors'][0]}-{entry['py_versions'][0]}"
            if "py_versions" in entry
            else version
            for version, entry in versions.items()
        },
        "registries": dict(sorted(first.items())),
        "sklearn": f"{sklearn['repository']}:{_SKLEARN}-cpu-py3",
        # The container's release is not in the SDK's data: aws/sagemaker-spark-container, releases.
        "spark": f"{spark['repository']}:{_SPARK}-cpu-{_SPARK_PYTHON}-v1.0",
        "spark_registries": {
            region: account
            for region, account in sorted(spark["registries"].items())
            if region in first
        },
    }


def _versions(framework: str, scope: str) -> dict[str, Any]:
    # A development dependency, and a slow import.
    source = resources.files("sagemaker.core") / "image_uri_config" / f"{framework}.json"
    versions: dict[str, Any] = json.loads(source.read_text())[scope]["versions"]
    return versions


if __name__ == "__main__":
    _FILE.write_text(json.dumps(from_sdk(), indent=2) + "\n")
    print(f"Wrote {_FILE}: {', '.join(load()['tags'])}")
