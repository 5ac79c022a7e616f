"""What a data source of a job stands for: its objects, their files' names, each host's share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.storage import Location, Storage, no_objects, parse_uri, relative_key

GIB = 1 << 30


@dataclass(frozen=True)
class Item:
    """One object and the name of its file below the channel's folder."""

    location: Location
    name: PurePosixPath


def resolve(storage: Storage, source: Mapping[str, Any], *, region: str, role: str) -> list[Item]:
    """The objects behind an `S3DataSource` or `S3Input`, in the order of S3 or of the manifest.

    Args:
        storage: S3 as the job's role sees it.
        source: `S3DataType` and `S3Uri`.
        region: For the message.
        role: For the message.

    Raises:
        JobError: There are none, S3 refuses, or the manifest is none.
    """
    uri = source["S3Uri"]
    location = parse_uri(uri)
    try:
        if source.get("S3DataType") == "ManifestFile":
            items = _manifest(storage, location)
        else:
            items = [
                Item(Location(location.bucket, key), PurePosixPath(relative_key(location.key, key)))
                for key in storage.keys(location)
            ]
    except (ClientError, BotoCoreError) as error:
        raise JobError(f"ClientError: Data download failed: {location}: {error}") from error
    if not items:
        raise JobError(f"ClientError: {no_objects(uri, region=region, role=role)}")
    for item in items:
        if item.name.is_absolute() or ".." in item.name.parts:
            raise JobError(
                f"ClientError: Data download failed: the key {item.location.key!r} is no path"
            )
    return items


def share(items: Sequence[Item], distribution: str | None, host: int, hosts: int) -> list[Item]:
    """The objects that one host gets.

    Args:
        items: All objects.
        distribution: `ShardedByS3Key` deals them out one by one; else every host has all.
        host: Which host, from 0.
        hosts: How many there are.
    """
    return list(items[host::hosts] if distribution == "ShardedByS3Key" else items)


class Volume:
    """The storage of one instance, which a job's inputs fill.

    Args:
        size_gb: What the job asked for, in GiB as EBS has it.
    """

    def __init__(self, size_gb: int) -> None:
        self._left = size_gb * GIB

    def take(self, size: int) -> None:
        """Fills so many bytes of it.

        Raises:
            JobError: It is full; AWS's own words.
        """
        self._left -= size
        if self._left < 0:
            raise JobError("ClientError: Data download failed:Insufficient disk space")


def download(
    storage: Storage, items: Sequence[Item], folder: Path, *, volume: Volume | None = None
) -> None:
    """Downloads objects below `folder`, which is made also for none.

    Args:
        storage: S3 as the job's role sees it.
        items: The objects.
        folder: Where to.
        volume: What they are stored on; left out where they are streamed as they are read.

    Raises:
        JobError: S3 refuses, or the volume is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        target = folder / item.name
        storage.fetch(item.location, target)
        if volume is not None:
            volume.take(target.stat().st_size)


def _manifest(storage: Storage, location: Location) -> list[Item]:
    """Reads `[{"prefix": "s3://bucket/a/"}, "b/c.csv", ...]`.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    text = storage.read(location)
    try:
        first, *names = json.loads(text)
        prefix = parse_uri(str(first["prefix"]))
        # The prefix and each name are joined as they are: the prefix may end inside a name.
        keys = {name: prefix.key + name for name in names}
    except (ValueError, TypeError, KeyError) as error:
        raise JobError(
            f"ClientError: Data download failed: the manifest {location} is not of the form "
            f'[{{"prefix": "s3://bucket/folder/"}}, "file", ...]: {error!r}'
        ) from error
    return [
        Item(Location(prefix.bucket, key), PurePosixPath(name.lstrip("/")))
        for name, key in keys.items()
    ]
