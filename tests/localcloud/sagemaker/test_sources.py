"""What a data source stands for."""

from pathlib import PurePosixPath
from typing import Any

import pytest

from localcloud.sagemaker import sources
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.storage import Location


class _Storage:
    """S3 as far as a source asks it."""

    def __init__(self, found: list[str], text: str = "") -> None:
        self._found = found
        self._text = text

    def keys(self, location: Location) -> list[str]:
        return [key for key in self._found if key.startswith(location.key)]

    def read(self, location: Location) -> str:
        del location
        return self._text


def resolved(storage: Any, uri: str, kind: str = "S3Prefix") -> dict[str, str]:
    """The keys behind a source, by the names of their files."""
    source = {"S3DataType": kind, "S3Uri": uri}
    items = sources.resolve(storage, source, region="eu-west-3", role="arn:role")
    return {str(item.name): item.location.key for item in items}


def test_a_prefix_stands_for_its_objects() -> None:
    """Each file has the rest of its key as its name."""
    storage = _Storage(["a/1.csv", "a/deep/2.csv", "b/3.csv"])
    assert resolved(storage, "s3://bucket/a/") == {"1.csv": "a/1.csv", "deep/2.csv": "a/deep/2.csv"}


def test_a_manifest_joins_its_prefix_and_names() -> None:
    """The prefix may end inside a name."""
    storage = _Storage([], '[{"prefix": "s3://other/a/part-"}, "1.csv", "2.csv"]')
    found = resolved(storage, "s3://bucket/manifest", "ManifestFile")
    assert found == {"1.csv": "a/part-1.csv", "2.csv": "a/part-2.csv"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"prefix": 3}]', '["a"]'])
def test_what_is_no_manifest_is_said(text: str) -> None:
    """With the form that it should have."""
    with pytest.raises(JobError, match="is not of the form"):
        resolved(_Storage([], text), "s3://bucket/manifest", "ManifestFile")


def test_a_source_of_nothing_and_a_way_out_are_refused() -> None:
    """A prefix without objects, and a key that would leave the folder."""
    with pytest.raises(JobError, match="No S3 objects found"):
        resolved(_Storage([]), "s3://bucket/a/")
    with pytest.raises(JobError, match="is no path"):
        resolved(_Storage(["a/../../x"]), "s3://bucket/a/")


def test_hosts_share_what_is_sharded() -> None:
    """Sharded objects are dealt out; otherwise each host has all."""
    items = [sources.Item(Location("b", name), PurePosixPath(name)) for name in "abcde"]
    shares = [sources.share(items, "ShardedByS3Key", host, 2) for host in range(2)]
    assert [[item.location.key for item in each] for each in shares] == [
        ["a", "c", "e"],
        ["b", "d"],
    ]
    assert sources.share(items, None, 1, 2) == items
