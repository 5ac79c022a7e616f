"""S3, as the platform uses it for jobs: list, fetch, put, pack and unpack."""

import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.connection import make_client
from localcloud.sagemaker.errors import JobError
from localcloud.sagemaker.settings import Settings

# CDK's S3Location and some consoles write https addresses; the service takes both forms.
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_PATH_HOST = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Location:
    """A bucket and a key or key prefix."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def child(self, name: str) -> "Location":
        """What lies under this prefix."""
        return Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


def parse_uri(uri: str) -> Location:
    """Reads `s3://bucket/key` or the https form of it."""
    scheme, _, rest = uri.partition("://")
    host, _, key = rest.partition("/")
    if scheme == "s3":
        return Location(host, key)
    if virtual := _VIRTUAL_HOST.fullmatch(host):
        return Location(virtual["bucket"], key)
    if not _PATH_HOST.fullmatch(host):
        raise ValueError(f"{uri} is no S3 address")
    bucket, _, key = key.partition("/")
    return Location(bucket, key)


def relative_key(prefix: str, key: str) -> str:
    """Where an object lies below an S3Prefix, as the job's folder shows it.

    The prefix need not end at a slash: what is left of the key after the last slash that the
    prefix covers counts, and an object that is the prefix itself keeps its own name.
    """
    if key == prefix:
        return key.rpartition("/")[2]
    if prefix and key[len(prefix)] == "/":
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


class Storage:
    """S3 behind the configured endpoint. Safe to use from any thread.

    Attributes:
        credentials: What it asks under, as variables for a job's own calls; empty where the
            process's own credentials are used.
    """

    def __init__(self, settings: Settings, role: str | None = None) -> None:
        """Build the client.

        Args:
            settings: Where S3 is.
            role: ARN of the role to ask under; the caller's own credentials when left out.

        Raises:
            ClientError: The role cannot be assumed.
        """
        options: dict[str, Any] = {"region_name": settings.region}
        if settings.aws_endpoint:
            options |= {
                "endpoint_url": settings.aws_endpoint,
                "aws_access_key_id": settings.access_key_id,
                "aws_secret_access_key": settings.secret_access_key,
                "aws_session_token": None,
            }
        if role:
            sts = make_client("sts", **options)
            given = sts.assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
            options |= {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        self.credentials = {
            name: options[option]
            for name, option in (
                ("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
                ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
                ("AWS_SESSION_TOKEN", "aws_session_token"),
            )
            if options.get(option)
        }
        self._client = make_client(
            "s3",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"mode": "standard", "max_attempts": 3},
                max_pool_connections=50,
            ),
            **options,
        )

    def keys(self, location: Location) -> Iterator[str]:
        """The keys under a prefix, in S3's order, without the empty markers of folders.

        Raises:
            ClientError: The bucket does not exist or cannot be listed.
        """
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=location.bucket, Prefix=location.key
        )
        for page in pages:
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):
                    yield item["Key"]

    def has_objects(self, location: Location) -> bool:
        """Whether a prefix holds an object; false for a bucket that does not exist."""
        try:
            return next(self.keys(location), None) is not None
        except ClientError:
            return False

    def exists(self, location: Location) -> bool:
        """Whether an object exists.

        Raises:
            ClientError: S3 refuses to say: the bucket does not exist, or access is denied.
        """
        try:
            # Tells a missing bucket from a missing object, and asks of a role no more than reading.
            self._client.list_objects_v2(Bucket=location.bucket, Prefix=location.key, MaxKeys=1)
            self._client.head_object(Bucket=location.bucket, Key=location.key)
        except ClientError as error:
            if error.operation_name == "HeadObject" and _status(error) == 404:
                return False
            raise
        return True

    def fetch(self, location: Location, target: Path) -> None:
        """Downloads an object to a file, making its folder.

        Raises:
            JobError: S3 refuses.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._client.download_file(location.bucket, location.key, str(target))
        except (ClientError, BotoCoreError) as error:
            raise JobError(f"ClientError: Data download failed: {location}: {error}") from error

    def read(self, location: Location) -> bytes:
        """A small object's content.

        Raises:
            ClientError: S3 refuses.
        """
        answer = self._client.get_object(Bucket=location.bucket, Key=location.key)
        content: bytes = answer["Body"].read()
        return content

    def put(self, source: Path, location: Location) -> None:
        """Uploads a file.

        Raises:
            JobError: S3 refuses.
        """
        try:
            self._client.upload_file(str(source), location.bucket, location.key)
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            raise JobError(f"ClientError: Artifact upload failed: {location}: {error}") from error

    def fetch_model(self, location: Location, folder: Path) -> None:
        """Downloads and unpacks a `model.tar.gz` into `folder`.

        Raises:
            JobError: S3 refuses, or the file is no safe gzipped tar.
        """
        archive = folder.with_name("model.tar.gz")
        self.fetch(location, archive)
        try:
            _unpack(archive, folder)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise JobError(
                f"ClientError: Failed to extract model data archive {location}: {error}. "
                "It must be a gzipped tar file of plain files and folders."
            ) from error
        archive.unlink()


def pack(folders: Sequence[Path], archive: Path) -> bool:
    """Packs what folders hold into one gzipped tar; says whether there was anything.

    Of files with one name, the first folder's is packed.
    """
    contents: dict[str, Path] = {}
    for folder in reversed(folders):
        if folder.is_dir():
            contents |= {path.name: path for path in folder.iterdir()}
    if contents:
        # Level 6 is gzip's own default; 9, Python's, takes three times as long on a model.
        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            for name, path in sorted(contents.items()):
                tar.add(path, arcname=name)
    return bool(contents)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpacks files and folders; AWS refuses links, and nothing may leave the folder.

    `tarfile`'s own filter for this is missing from the first releases of Python 3.11.
    """
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts:
                raise ValueError(f"{member.name} would leave the model's folder")
            if member.isdir():
                (folder / name).mkdir(parents=True, exist_ok=True)
                continue
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                raise ValueError(f"{member.name} is neither a file nor a folder")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as output:
                shutil.copyfileobj(content, output)


def no_objects(uri: str, *, region: str, role: str | None) -> str:
    """The service's sentence for an input that matches nothing."""
    bucket = parse_uri(uri).bucket
    who = f'the role "{role}"' if role else "the execution role"
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        f"the bucket exists in the selected region ({region}), that objects exist under that S3 "
        f'prefix, and that {who} has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
