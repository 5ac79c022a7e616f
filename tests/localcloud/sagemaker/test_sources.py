"""What a data source stands for."""

from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.sagemaker import sources
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.resources.processing_jobs import ProcessingJobs
from localcloud.sagemaker.resources.training_jobs import TrainingJobs
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


class _Full(_Storage):
    """S3 whose objects have a kilobyte each."""

    def fetch(self, location: Location, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x" * 1024)


def test_what_does_not_fit_the_volume_is_refused_in_the_services_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All inputs of an instance share its volume; what is streamed takes none of it."""
    monkeypatch.setattr(sources, "GIB", 1000)
    storage: Any = _Full(["a/1.csv", "a/2.csv"])
    items = [
        sources.Item(Location("bucket", key), PurePosixPath(key))
        for key in storage.keys(Location("bucket", "a/"))
    ]
    volume = sources.Volume(3)
    sources.download(storage, items, tmp_path / "train", volume=volume)
    sources.download(storage, items, tmp_path / "streamed")
    with pytest.raises(JobError) as caught:
        sources.download(storage, items, tmp_path / "validation", volume=volume)
    assert str(caught.value) == "ClientError: Data download failed:Insufficient disk space"


def _run(folder: Path, **members: Any) -> Any:
    """A job that runs on two hosts."""
    return SimpleNamespace(
        members={"RoleArn": "arn:role", **members},
        hosts=[SimpleNamespace(folder=folder / "1"), SimpleNamespace(folder=folder / "2")],
        storage=_Full(["a/1.csv", "a/2.csv"]),
        job=SimpleNamespace(stopping=SimpleNamespace(is_set=bool)),
    )


_PLATFORM: Any = SimpleNamespace(
    platform=SimpleNamespace(settings=SimpleNamespace(region="eu-west-3"))
)
_SOURCE = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/a/"}


@pytest.mark.parametrize(
    ("mode", "own_mode", "distribution", "fits"),
    [
        ("File", None, "FullyReplicated", False),
        ("File", None, "ShardedByS3Key", True),
        ("FastFile", None, "FullyReplicated", True),
        ("File", "FastFile", "FullyReplicated", True),
        ("FastFile", "File", "FullyReplicated", False),
    ],
)
def test_each_host_of_a_training_job_has_a_volume_of_its_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    own_mode: str | None,
    distribution: str,
    fits: bool,
) -> None:
    """Its shares of the channels in File mode must fit on it."""
    monkeypatch.setattr(sources, "GIB", 1000)
    source = {**_SOURCE, "S3DataDistributionType": distribution}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    run = _run(
        tmp_path,
        ResourceConfig={"VolumeSizeInGB": 2},
        AlgorithmSpecification={"TrainingInputMode": mode},
        InputDataConfig=[{**channel, **({"InputMode": own_mode} if own_mode else {})}],
    )
    with nullcontext() if fits else pytest.raises(JobError, match="Insufficient disk space"):
        TrainingJobs._download(_PLATFORM, run)


@pytest.mark.parametrize(("size", "fits"), [(1, False), (3, True)])
def test_the_inputs_of_a_processing_job_must_fit_its_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    """As those of a training job."""
    monkeypatch.setattr(sources, "GIB", 1000)
    run = _run(
        tmp_path,
        ProcessingResources={"ClusterConfig": {"VolumeSizeInGB": size}},
        ProcessingInputs=[
            {"S3Input": {**_SOURCE, "LocalPath": "/opt/ml/processing/input"}},
        ],
    )
    with nullcontext() if fits else pytest.raises(JobError, match="Insufficient disk space"):
        ProcessingJobs._download(_PLATFORM, run)
