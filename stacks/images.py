"""SageMaker's XGBoost images: which versions exist and which account serves them in which region.

The data is `images.json`, generated from the SageMaker SDK's own registry data by
`python -m stacks.images` and compared with it by a test. Reading a checked-in file takes
milliseconds where importing the SDK takes over a second, and a file knows every region at synth,
which an environment-agnostic stack needs for its CloudFormation mapping.
"""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypedDict

REPOSITORY = "sagemaker-xgboost"
_FILE = Path(__file__).with_name("images.json")


class Images(TypedDict):
    """`tags`: image tag by XGBoost version; `registries`: account by region."""

    tags: dict[str, str]
    registries: dict[str, str]


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
    # A development dependency, and a slow import.
    source = resources.files("sagemaker.core") / "image_uri_config" / "xgboost.json"
    versions = {
        version: entry
        for version, entry in json.loads(source.read_text())["training"]["versions"].items()
        if entry["repository"] == REPOSITORY and not version.startswith("0.")
    }
    first, *others = (entry["registries"] for entry in versions.values())
    if any(registries != first for registries in others):
        raise ValueError("XGBoost versions have different registries; images.json holds one map")
    return {
        # Only the old images carry the processor and Python version in their tag.
        "tags": {
            version: f"{version}-{entry['processors'][0]}-{entry['py_versions'][0]}"
            if "py_versions" in entry
            else version
            for version, entry in versions.items()
        },
        "registries": dict(sorted(first.items())),
    }


if __name__ == "__main__":
    _FILE.write_text(json.dumps(from_sdk(), indent=2) + "\n")
    print(f"Wrote {_FILE}: {', '.join(load()['tags'])}")
