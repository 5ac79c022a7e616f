"""SageMaker's images: which versions exist and which account serves them in which region.

Training and serving use the image of an algorithm (`lambda/algorithms`); preparing data in a
processing job uses the scikit-learn image, and Spark's own, of other accounts. Both of these have
Python 3.12 (`docker/1.4-2-py312` of aws/sagemaker-scikit-learn-container, `spark/processing/3.5` of
aws/sagemaker-spark-container).

The data is `images.json`, generated from the SageMaker SDK's own registry data by
`python -m stacks.images` and compared with it by a test. Reading a checked-in file takes
milliseconds where importing the SDK takes over a second, and a file knows every region at synth,
which an environment-agnostic stack needs for its CloudFormation mapping.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypedDict

from spine.shipped import load as load_shipped

_FILE = Path(__file__).with_name("images.json")


# The Python of both images for preparing data, which their packages must be built for.
PREPARATION_PYTHON = "3.12"
_SKLEARN = "1.4-2-py312"
# The newest release: up to 1.2 `python3` is 3.9 there, and in 1.0 Java is 8.
_SPARK, _SPARK_PYTHON, _SPARK_RELEASE = "3.5", "py312", "1.3"


class Images(TypedDict):
    """What a template needs to know of the images.

    `tags`: image tag by algorithm and version; `registry`: which of the registries has an
    algorithm's image. `sklearn` and `spark`: the image's name, from the repository on.
    `registries`: account by region, for each registry; that of Spark is called `spark`, and
    `account` is that of scikit-learn.
    """

    tags: dict[str, dict[str, str]]
    registry: dict[str, str]
    sklearn: str
    spark: str
    registries: dict[str, dict[str, str]]


@cache
def load() -> Images:
    """Read the checked-in registry data."""
    images: Images = json.loads(_FILE.read_text())
    return images


def repository(algorithm: Any) -> str:
    """The name of an algorithm's ECR repository."""
    name: str = algorithm.image.repository
    return name


def trained_by(algorithm: Any, version: str) -> str:
    """The name of an algorithm's image, from the repository on."""
    return f"{repository(algorithm)}:{load()['tags'][algorithm.name][version]}"


def from_sdk() -> Images:
    """Derive the registry data from the SageMaker SDK.

    Raises:
        ValueError: The SDK gives two versions of one image different registries, or knows none.
    """
    algorithms = load_shipped("algorithms")
    sklearn = _versions("sklearn", "training")[_SKLEARN]
    spark = _versions("spark", "processing")[_SPARK]
    if _SPARK_PYTHON not in spark["py_versions"]:
        raise ValueError(f"The Spark {_SPARK} image has no {_SPARK_PYTHON}: {spark['py_versions']}")
    known = {
        algorithm.name: _known(algorithm.image) for algorithm in algorithms.ALGORITHMS.values()
    }
    account = _accounts([sklearn])
    registry, registries = {}, {"account": account, "spark": _accounts([spark], account)}
    for name, versions in known.items():
        accounts = _accounts(versions.values())
        registry[name] = next((key for key, value in registries.items() if value == accounts), name)
        registries[registry[name]] = accounts
    return {
        "tags": {
            name: {version: _tag(version, entry) for version, entry in versions.items()}
            for name, versions in known.items()
        },
        "registry": registry,
        "sklearn": f"{sklearn['repository']}:{_SKLEARN}-cpu-py3",
        # The container's release is not in the SDK's data: aws/sagemaker-spark-container, releases.
        "spark": f"{spark['repository']}:{_SPARK}-cpu-{_SPARK_PYTHON}-v{_SPARK_RELEASE}",
        "registries": registries,
    }


def _known(image: Any) -> dict[str, Any]:
    """Return the versions of an algorithm's image that keep its contract."""
    return {
        version: entry
        for version, entry in _versions(image.framework, "training").items()
        if entry["repository"] == image.repository and _number(version) >= _number(image.oldest)
    }


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall("[0-9]+", version)))


def _tag(version: str, entry: Mapping[str, Any]) -> str:
    # Only the old images carry the processor and Python version in their tag.
    if "py_versions" not in entry:
        return version
    return f"{version}-{entry['processors'][0]}-{entry['py_versions'][0]}"


def _accounts(
    entries: Iterable[Mapping[str, Any]], among: Collection[str] | None = None
) -> dict[str, str]:
    """Return the account by region, of those regions if any are given."""
    first, *others = (entry["registries"] for entry in entries)
    if any(registries != first for registries in others):
        raise ValueError("An image has different registries by version; images.json holds one map")
    return {
        region: account
        for region, account in sorted(first.items())
        if among is None or region in among
    }


def _versions(framework: str, scope: str) -> dict[str, Any]:
    # A development dependency, and a slow import.
    source = resources.files("sagemaker.core") / "image_uri_config" / f"{framework}.json"
    found: dict[str, Any] = json.loads(source.read_text())
    # Images that do one thing have no scopes.
    versions: dict[str, Any] = found.get(scope, found)["versions"]
    return versions


if __name__ == "__main__":
    _FILE.write_text(json.dumps(from_sdk(), indent=2) + "\n")
    for name, tags in load()["tags"].items():
        print(f"Wrote {_FILE}, {name}: {', '.join(tags)}")
